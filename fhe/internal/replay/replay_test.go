package replay_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/internal/lattice/record"
	"github.com/signet-ml/signet/fhe/internal/replay"
	"github.com/signet-ml/signet/fhe/program"
)

// The bits of emitted programs are the freeze test's, in fhe/polyeval. Here: what Emit refuses.
func TestEmitRefuses(t *testing.T) {
	params, err := fhetest.InsecureParams(fhe.ParametersLiteral{LogN: 10, LogQ: []int{55, 45, 45}, LogP: []int{60}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	scale := replay.Words(params.DefaultScale())
	square := replay.Words(params.DefaultScale().Mul(params.DefaultScale()))
	for _, c := range []struct {
		name, want string
		inputs     int
		r          record.Record
	}{
		{"inputs", "2 inputs", 2, record.Record{Op: record.Add, Args: []int{0, 0}, Level: 2, Degree: 1, Scale: scale}},
		{"level", "in Lattigo", 1, record.Record{Op: record.Add, Args: []int{0, 0}, Level: 1, Degree: 1, Scale: scale}},
		{"degree", "in Lattigo", 1, record.Record{Op: record.Mul, Args: []int{0, 0}, Level: 2, Degree: 1, Scale: square}},
		{"scale", "in Lattigo", 1, record.Record{Op: record.Mul, Args: []int{0, 0}, Level: 2, Degree: 2, Scale: scale}},
		{"opcode", "no opcode", 1, record.Record{Level: 2, Degree: 1, Scale: scale}},
		{"no-scale", "not normalised", 1, record.Record{Op: record.Add, Args: []int{0, 0}, Level: 2, Degree: 1}},
		{"no-constant-scale", "not normalised", 1, record.Record{Op: record.MulConst, Args: []int{0}, Level: 2, Degree: 1, Scale: scale, A: big.NewInt(1), B: new(big.Int)}},
		{"builder", "RELIN", 1, record.Record{Op: record.Relin, Args: []int{0}, Level: 2, Degree: 1, Scale: scale}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := program.NewBuilder(params)
			x := b.Input(program.Port{Name: "x", Count: c.inputs, Level: 2, Degree: 1, LogSlots: 3, Scale: params.DefaultScale(), Bound: 1,
				Layout: program.Layout{Shape: []int{8}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 8}}}})
			_, err := replay.Emit(b, &record.Circuit{Inputs: 1, Records: []record.Record{c.r}, Result: 1}, x...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			var op *program.OpError
			if (c.name == "builder") != errors.As(err, &op) {
				t.Errorf("%v: an error of the builder: %v", err, op != nil)
			}
		})
	}
}
