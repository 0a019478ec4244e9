package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestPolySigmoid(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := find("poly-sigmoid")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := s.run(context.Background(), config{n: 1, log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("server_ms server_1_thread_ms stock_ms speedup_vs_stock load_ms keygen_ms keys_bytes precision_bits precision_float_bits") {
		if f, ok := sum.Get(name); !ok || f.Value <= 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if sum.Parameters == nil || sum.Parameters.LogN != 14 || sum.Engine == "" || sum.Threads != 2 {
		t.Errorf("%+v, engine %q, %d threads", sum.Parameters, sum.Engine, sum.Threads)
	}
	if f := sum.Failed(); len(f) > 0 {
		t.Errorf("failed: %q", f)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.run(ctx, config{n: 1, log: io.Discard}); err == nil {
		t.Error("a cancelled run: no error")
	}
}
