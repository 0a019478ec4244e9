package record

import (
	"fmt"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/utils/bignum"
)

// Chebyshev records Lattigo's evaluation of Σ coeffs[k]·T_k on an input that lies in [-1, 1], to a result of the scale
// target within rounding.
func (t *Tape) Chebyshev(in Input, coeffs []float64, target Scale) (*Circuit, error) {
	p := bignum.NewPolynomial(bignum.Chebyshev, coeffs, [2]float64{-1, 1})
	return t.Record([]Input{in}, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
		return hefloat.NewPolynomialEvaluator(t.params, r).Evaluate(in[0], p, rlwe.NewScale(target.Big()))
	})
}

// Mod1 describes Lattigo's approximation of x mod 1, the middle of a bootstrapping.
type Mod1 struct {
	Type            string // "CosDiscrete", "CosContinuous" or "SinContinuous"
	LevelStart      int
	LogScale        int
	LogMessageRatio int
	K               int // the input's integer part lies in [-K, K]
	Degree          int
	DoubleAngle     int
	InvDegree       int // of the arcsine; 0 for none
}

func (m Mod1) literal() (hefloat.Mod1ParametersLiteral, error) {
	types := map[string]hefloat.Mod1Type{"CosDiscrete": hefloat.CosDiscrete, "CosContinuous": hefloat.CosContinuous, "SinContinuous": hefloat.SinContinuous}
	typ, ok := types[m.Type]
	if !ok {
		return hefloat.Mod1ParametersLiteral{}, fmt.Errorf("record: unknown approximation %q of x mod 1", m.Type)
	}
	return hefloat.Mod1ParametersLiteral{LevelStart: m.LevelStart, LogScale: m.LogScale, Mod1Type: typ, LogMessageRatio: m.LogMessageRatio,
		K: m.K, Mod1Degree: m.Degree, DoubleAngle: m.DoubleAngle, Mod1InvDegree: m.InvDegree}, nil
}

// Mod1 records Lattigo's evaluation of x mod 1.
func (t *Tape) Mod1(in Input, m Mod1) (*Circuit, error) {
	lit, err := m.literal()
	if err != nil {
		return nil, err
	}
	p, err := hefloat.NewMod1ParametersFromLiteral(t.params, lit)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return t.Record([]Input{in}, func(r *Recorder, in []*rlwe.Ciphertext) (*rlwe.Ciphertext, error) {
		return hefloat.NewMod1Evaluator(r, hefloat.NewPolynomialEvaluator(t.params, r), p).EvaluateNew(in[0])
	})
}
