package stock

import (
	"fmt"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/bignum"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/program"
)

// Polynomial is Lattigo's own polynomial evaluator, called directly: what a user of Lattigo writes where we run a
// program. It is not safe for concurrent use.
type Polynomial struct {
	params fhe.Parameters
	eval   *hefloat.PolynomialEvaluator
	poly   bignum.Polynomial
	target fhe.Scale
}

// NewPolynomial prepares the evaluation of Σ coeffs[k]·T_k on values in [-1, 1], with results of scale target. keys
// hold the relinearisation key.
func NewPolynomial(p fhe.Parameters, keys *fhe.EvaluationKeys, coeffs []float64, target fhe.Scale) (*Polynomial, error) {
	if len(coeffs) < 2 || !target.Valid() {
		return nil, fmt.Errorf("stock: %d coefficients, target scale %v", len(coeffs), target)
	}
	if keys == nil || keys.Get(0) == nil {
		return nil, &fhe.MissingKeyError{Relinearization: true, Have: -1}
	}
	params := access.Lattice(p).CKKS
	set := convertKeys(params, keys, []program.KeyRequirement{{Level: keys.Get(0).Level()}})
	return &Polynomial{p, hefloat.NewPolynomialEvaluator(params, hefloat.NewEvaluator(params, set)),
		bignum.NewPolynomial(bignum.Chebyshev, coeffs, [2]float64{-1, 1}), target}, nil
}

// Evaluate returns the polynomial of x. Errors are Lattigo's.
func (e *Polynomial) Evaluate(x *fhe.Ciphertext) (*fhe.Ciphertext, error) {
	if x.Parameters().Digest() != e.params.Digest() {
		return nil, fmt.Errorf("stock: a ciphertext of other parameters")
	}
	meta := &rlwe.MetaData{
		PlaintextMetaData:  rlwe.PlaintextMetaData{Scale: rlwe.NewScale(x.Scale().Big()), IsBatched: true, LogDimensions: ring.Dimensions{Cols: x.LogSlots()}},
		CiphertextMetaData: rlwe.CiphertextMetaData{IsNTT: true},
	}
	y, err := e.eval.Evaluate(wrap(x, meta), e.poly, rlwe.NewScale(e.target.Big()))
	if err != nil {
		return nil, fmt.Errorf("stock: %w", err)
	}
	return unwrap(e.params, y, y.Degree(), y.Level(), x.LogSlots(), e.target) // Lattigo's scale is the target's to rounding
}
