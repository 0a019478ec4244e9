package polyeval

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/lattice/record"
	"github.com/signet-ml/signet/fhe/internal/replay"
	"github.com/signet-ml/signet/fhe/program"
)

// LevelError says that a value has too few levels left for a polynomial.
type LevelError struct {
	Degree int // of the polynomial
	Level  int // of the value
	Depth  int // levels that the polynomial consumes
}

// Missing returns how many levels are missing.
func (e *LevelError) Missing() int { return e.Depth - e.Level }

func (e *LevelError) Error() string {
	return fmt.Sprintf("polyeval: a polynomial of degree %d consumes %d levels, the value has %d: %d missing", e.Degree, e.Depth, e.Level, e.Missing())
}

// ScaleError says that a result of scale Target cannot be made from a value of scale Input.
type ScaleError struct {
	Input, Target fhe.Scale
	Err           error
}

func (e *ScaleError) Error() string {
	return fmt.Sprintf("polyeval: from scale %v to %v: %v", e.Input, e.Target, e.Err)
}

func (e *ScaleError) Unwrap() error { return e.Err }

// minCoefficientBits bounds the scale of coefficients from below. That scale is about target·q/t.Scale, q a prime of the
// chain: a target that is too small for its input rounds the coefficients away, and nothing else would say so.
const minCoefficientBits = 16

// Evaluate appends p(x) and returns its value. The slots of t hold x mapped to [-1, 1] by p.ChangeOfBasis, which is the
// caller's to apply. Degree of t: 1. Level: t.Level - p.Depth(). Scale: exactly target; the target may be any scale near
// that of t, usually the default scale, or the prime at the result's level if a product follows.
//
// Errors are a *LevelError, a *ScaleError, or the Builder's. It requires the relinearisation key.
func Evaluate(b *program.Builder, t program.Value, p Chebyshev, target fhe.Scale) (program.Value, error) {
	if err := b.Err(); err != nil {
		return 0, err
	}
	if len(p.coeffs) < 2 {
		return 0, fmt.Errorf("polyeval: no polynomial")
	}
	if d := b.Degree(t); d != 1 {
		return 0, fmt.Errorf("polyeval: %w: a polynomial of a value of degree %d, must be 1", program.ErrDegree, d)
	}
	if level, depth := b.Level(t), p.Depth(); level < depth {
		return 0, &LevelError{p.Degree(), level, depth}
	}
	if !target.Valid() {
		return 0, &ScaleError{b.Scale(t), target, program.ErrScale}
	}
	tape, err := record.New(b.Parameters().Lattice())
	if err != nil {
		return 0, fmt.Errorf("polyeval: %w", err)
	}
	in := replay.Input(b, t)
	c, err := tape.Chebyshev(in, p.coeffs, replay.Words(target))
	if err != nil {
		return 0, &ScaleError{b.Scale(t), target, err}
	}
	for _, r := range c.Records {
		if by, err := replay.Scale(r.By); r.Op == record.MacConst && (err != nil || by.Log2() < minCoefficientBits) {
			return 0, &ScaleError{b.Scale(t), target, fmt.Errorf("%w: coefficients would be rounded at scale %v", program.ErrScale, by)}
		}
	}
	y, err := replay.Emit(b, c.Prune(), t)
	if err != nil {
		return 0, fmt.Errorf("polyeval: %w", err)
	}
	if want := in.Level - p.Depth(); b.Level(y) != want {
		return 0, fmt.Errorf("polyeval: degree %d left level %d, want %d", p.Degree(), b.Level(y), want)
	}
	// Trap 17: Lattigo's result has the target scale to 128-bit rounding only.
	if s := b.Scale(y); s != target {
		if !s.Near(target) {
			return 0, &ScaleError{b.Scale(t), target, fmt.Errorf("%w: the result came out at %v", program.ErrScale, s)}
		}
		y = b.SetScale(y, target)
	}
	return y, b.Err()
}
