package stock_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

// TestSuiteNoticesWrongBits runs the suite on engines that compute one opcode slightly wrong.
func TestSuiteNoticesWrongBits(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(stock.Mutants)) {
		t.Run(name, func(t *testing.T) {
			noticed := false
			for _, check := range []string{"every opcode", "hoists", "wide sums", "random programs"} {
				if err := fhetest.CheckEngine(func() program.Engine { return engine{mutant: name} }, check)[check]; err != nil {
					t.Logf("%s: %v", check, err)
					noticed = true
				}
				if noticed && testing.Short() {
					return // the other checks only add to the log
				}
			}
			if !noticed {
				t.Fatal("the suite passes")
			}
		})
	}
}

// TestSuiteNoticesFaults runs the suite on engines that compute the right bits and break one promise of the interface.
func TestSuiteNoticesFaults(t *testing.T) {
	for _, c := range []struct{ fault, check, says string }{
		{"load ignores the context", "load refuses", "context.Canceled"},
		{"errors lose their type", "load refuses", "want a *fhe.MissingKeyError"},
		{"ignores the key id", "run refuses", "other key: no error"},
		{"ignores cancellation before", "cancel", "cancelled context"},
		{"ignores cancellation", "cancel", "cancelled after two"},
		{"leaks a goroutine", "cancel", "goroutines left"},
		{"runs after close", "close", "want program.ErrClosed"},
		{"close does not wait", "close", "close returned after"},
		{"second close fails", "close", "closed already"},
		{"batch is reversed", "batch", "is not that of input"},
		{"trace lacks a record", "trace", "record"},
		{"last progress event is missing", "progress", "progress events"},
		{"progress counts from 0", "progress", "says 0 of"},
		{"a value is not shown", "values", "values shown"},
		{"loses the error of values", "values", "want it wrapped"},
		{"batch shows values", "values", "batch"},
		{"writes to its input", "inputs and outputs are the caller's", "changed its input"},
		{"keeps its results", "inputs and outputs are the caller's", "share memory"},
		{"output is not bound to the program", "ports", "bundle of program"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			err := fhetest.CheckEngine(func() program.Engine { return engine{fault: c.fault} }, c.check)[c.check]
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("check %q says %v, want a failure with %q", c.check, err, c.says)
			}
		})
	}
}
