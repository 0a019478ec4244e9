// Package replay emits recorded circuits into a program.
package replay

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/lattice/record"
	"github.com/signet-ml/signet/fhe/program"
)

// Scale returns a recorded scale as the program's.
func Scale(s record.Scale) (fhe.Scale, error) { return fhe.ScaleFromWords(s.Hi, s.Lo, s.Exp) }

// Words returns a scale as recordings write it.
func Words(s fhe.Scale) record.Scale {
	hi, lo, exp := s.Words()
	return record.Scale{Hi: hi, Lo: lo, Exp: exp}
}

// Input returns the shape of a value, for a recording that starts from it.
func Input(b *program.Builder, v program.Value) record.Input {
	return record.Input{Level: b.Level(v), Degree: b.Degree(v), Scale: Words(b.Scale(v))}
}

// Emit appends a circuit and returns its result. The inputs have the shapes that it was recorded for. The Builder
// derives level, degree and scale of every value on its own; a value whose level or degree is not Lattigo's, or whose
// scale is not within 2^-100 of it, is an error, and a scale that differs by rounding is set to Lattigo's.
func Emit(b *program.Builder, c *record.Circuit, inputs ...program.Value) (program.Value, error) {
	if len(inputs) != c.Inputs {
		return 0, fmt.Errorf("replay: %d inputs for a circuit of %d", len(inputs), c.Inputs)
	}
	values := append(make([]program.Value, 0, c.Inputs+len(c.Records)), inputs...)
	logSlots := 0
	for _, v := range inputs {
		logSlots = max(logSlots, b.OutputPort("", v, 1, program.Layout{}).LogSlots)
	}
	for i := range c.Records {
		r := &c.Records[i]
		v, err := emit(b, r, values, logSlots)
		if err != nil {
			return 0, fmt.Errorf("replay: record %d, %v: %w", i, r.Op, err)
		}
		values = append(values, v)
	}
	return values[c.Result], nil
}

func emit(b *program.Builder, r *record.Record, values []program.Value, logSlots int) (program.Value, error) {
	scale, err := Scale(r.Scale)
	if err != nil {
		return 0, err
	}
	var by fhe.Scale
	if r.Op == record.MulConst || r.Op == record.MacConst {
		if by, err = Scale(r.By); err != nil {
			return 0, err
		}
	}
	arg := func(i int) program.Value { return values[r.Args[i]] }
	var v program.Value
	switch r.Op {
	case record.Zero:
		v = b.Zero(r.Level, r.Degree, logSlots, scale)
	case record.SetScale:
		v = b.SetScale(arg(0), scale)
	case record.Drop:
		v = b.Drop(arg(0), r.Level)
	case record.Add:
		v = b.Add(arg(0), arg(1))
	case record.Sub:
		v = b.Sub(arg(0), arg(1))
	case record.Neg:
		v = b.Neg(arg(0))
	case record.AddConst:
		v = b.AddConst(arg(0), r.A, r.B)
	case record.MulConst:
		v = b.MulConst(arg(0), r.A, r.B, by)
	case record.MacConst:
		v = b.MacConst(arg(0), r.M, arg(1), r.A, r.B, by)
	case record.Mul:
		v = b.Mul(arg(0), arg(1))
	case record.Relin:
		v = b.Relin(arg(0))
	case record.MulRelin:
		v = b.MulRelin(arg(0), arg(1))
	case record.Rescale:
		v = b.Rescale(arg(0))
	default:
		return 0, fmt.Errorf("no opcode")
	}
	if err := b.Err(); err != nil {
		return 0, err
	}
	if b.Level(v) != r.Level || b.Degree(v) != r.Degree || !b.Scale(v).Near(scale) {
		return 0, fmt.Errorf("level %d, degree %d, scale %v in the program, %d, %d, %v in Lattigo",
			b.Level(v), b.Degree(v), b.Scale(v), r.Level, r.Degree, scale)
	}
	if b.Scale(v) != scale {
		v = b.SetScale(v, scale)
	}
	return v, b.Err()
}
