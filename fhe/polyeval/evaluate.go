package polyeval

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice/record"
	"github.com/signet-ml/signet/fhe/internal/replay"
	"github.com/signet-ml/signet/fhe/program"
)

// minCoefficientBits bounds the scale of coefficients from below. That scale is about target·q/t.Scale, q a prime of
// the chain: a target that is too small for its input rounds the coefficients away, and nothing else would say so.
const minCoefficientBits = 16

// Evaluate appends p(x) and returns its value. The slots of t hold x mapped to [-1, 1] by p.ChangeOfBasis, which is the
// caller's to apply. Degree of t: 1. Level: t.Level - p.Depth(). Scale: exactly target; the target may be any scale
// near that of t, usually the default scale, or the prime at the result's level if a product follows.
//
// Errors are a *LevelError, a *ScaleError, or the Builder's. It requires the relinearisation key.
func Evaluate(b *program.Builder, t program.Value, p Chebyshev, target fhe.Scale) (program.Value, error) {
	if len(p.coeffs) < 2 {
		return 0, fmt.Errorf("polyeval: no polynomial")
	}
	if err := check(b, t, p.Depth(), target, p); err != nil {
		return 0, err
	}
	tape, err := record.New(access.Lattice(b.Parameters()))
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

// check returns why something of the stated depth cannot be evaluated on t, or nil.
func check(b *program.Builder, t program.Value, depth int, target fhe.Scale, what fmt.Stringer) error {
	switch {
	case b.Err() != nil:
		return b.Err()
	case b.Degree(t) != 1:
		return fmt.Errorf("polyeval: %w: a polynomial of a value of degree %d, must be 1", program.ErrDegree, b.Degree(t))
	case b.Level(t) < depth:
		return &LevelError{Have: b.Level(t), Need: depth, Name: what.String()}
	case !target.Valid():
		return &ScaleError{b.Scale(t), target, program.ErrScale}
	}
	return nil
}
