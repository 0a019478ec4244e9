package gnarkx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	fcs "github.com/consensys/gnark/frontend/cs"
)

// Prove returns a proof for the target, ProofSize bytes in gnark's compressed encoding, verified before it is returned.
//
// pass1 is the circuit with all values but Statement, which may be anything unless a constraint needs it before the
// commitment is computed. From these values follows the challenge h; finish returns the circuit with the right
// Statement, and every other value unchanged. Each call draws a fresh mask, so two proofs of the same values have
// unrelated commitments and challenges.
//
// It returns an error that wraps ErrUnsatisfied when the values do not satisfy the circuit, and finish's error as it
// is. The context is checked between the passes; proving itself, about 40 µs of processor time per
// constraint, is not interrupted. Calls for one System run their passes one after another: each uses all cores.
func Prove(ctx context.Context, k *Keys, t Target, pass1 frontend.Circuit, finish func(h fr.Element) (frontend.Circuit, error)) ([]byte, error) {
	hash, err := t.hash()
	if err != nil {
		return nil, err
	}
	first, values, err := k.system.assign(pass1)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("gnarkx: before the first pass: %w", err)
	}
	// The mask hides the committed values. It is used in the two passes of this call and never again.
	var mask fr.Element
	if _, err := mask.SetRandom(); err != nil {
		return nil, fmt.Errorf("gnarkx: mask: %w", err)
	}
	masked, err := withMask(&mask)
	if err != nil {
		return nil, err
	}
	d, err := k.commit(first, masked)
	if err != nil {
		return nil, err
	}
	h, err := t.challenge(d, values[contextWire-1])
	if err != nil {
		return nil, err
	}

	complete, err := finish(h)
	if err != nil {
		return nil, err
	}
	second, final, err := k.system.assign(complete)
	if err != nil {
		return nil, err
	}
	for i := range values {
		if wire := i + 1; wire != statementWire && !final[i].Equal(&values[i]) {
			return nil, fmt.Errorf("gnarkx: finish changed %s, which the challenge depends on", k.system.inputName(wire))
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("gnarkx: before the second pass: %w", err)
	}
	proof, err := k.prove(second, backend.WithSolverOptions(masked), backend.WithProverHashToFieldFunction(hash))
	if err != nil {
		return nil, err
	}
	if !proof.Commitments[0].Equal(d) {
		return nil, errors.New("gnarkx: the two passes committed to different values")
	}
	var b bytes.Buffer
	if _, err := proof.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("gnarkx: prove: %w", err)
	}
	if err := Verify(k.vk, t, b.Bytes(), final[contextWire-1], final[statementWire-1]); err != nil {
		return nil, fmt.Errorf("gnarkx: the new proof: %w", err)
	}
	return b.Bytes(), nil
}

// errCommitted stops the solver when it reaches the commitment.
var errCommitted = errors.New("the commitment is known")

// commit runs the solver up to the commitment and returns it.
func (k *Keys) commit(w witness.Witness, masked solver.Option) (d *bn254.G1Affine, err error) {
	reached := solver.OverrideHint(solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder), func(_ *big.Int, in, out []*big.Int) error {
		// in: the number of the commitment, the committed public inputs, the committed private wires
		private := in[1+len(k.system.commitment().PublicAndCommitmentCommitted):]
		values := make([]fr.Element, len(private))
		for i := range values {
			values[i].SetBigInt(private[i])
		}
		point, err := k.pk.CommitmentKeys[0].Commit(values)
		if err != nil {
			return err
		}
		d = &point
		return errCommitted
	})
	k.system.solving.Lock()
	defer k.system.solving.Unlock()
	// A constraint beside the commitment may fail first, for want of the statement: the second pass decides.
	if _, err := k.system.r1cs.Solve(w, masked, reached); d == nil {
		return nil, unsatisfied(err)
	}
	return d, nil
}

// prove runs gnark's prover: the second pass.
func (k *Keys) prove(w witness.Witness, options ...backend.ProverOption) (*groth16.Proof, error) {
	k.system.solving.Lock()
	defer k.system.solving.Unlock()
	proof, err := groth16.Prove(k.system.r1cs, k.pk, w, options...)
	if err != nil {
		return nil, unsatisfied(err)
	}
	return proof, nil
}

// assign returns the values of a circuit as a witness, and as its vector: the public inputs, then the secret ones.
func (s *System) assign(c frontend.Circuit) (witness.Witness, fr.Vector, error) {
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil { // its text may hold a value
		return nil, nil, errors.New("gnarkx: an input of the circuit has no value, or one that is no number")
	}
	values := w.Vector().(fr.Vector)
	if want := statementWire + s.Secrets(); len(values) != want {
		return nil, nil, fmt.Errorf("gnarkx: the circuit to prove has %d inputs, the one compiled %d", len(values), want)
	}
	return w, values, nil
}

// unsatisfied returns ErrUnsatisfied with the constraint's number. gnark's text, which it replaces, holds values of the
// witness.
func unsatisfied(err error) error {
	var failed *cs.UnsatisfiedConstraintError
	if errors.As(err, &failed) {
		return fmt.Errorf("%w: constraint %d", ErrUnsatisfied, failed.CID)
	}
	return fmt.Errorf("%w: the solver stopped at a hint", ErrUnsatisfied)
}

// maskHintName is the hint with which gnark draws the mask of a commitment.
const maskHintName = "github.com/consensys/gnark/internal/hints.Randomize"

// maskHint returns the number of that hint, which no package exports.
var maskHint = sync.OnceValues(func() (solver.HintID, error) {
	for _, hint := range solver.GetRegisteredHints() {
		if solver.GetHintName(hint) == maskHintName {
			return solver.GetHintID(hint), nil
		}
	}
	return 0, fmt.Errorf("gnarkx: gnark has no hint %s", maskHintName)
})

// withMask returns the option that makes the solver use this mask.
func withMask(mask *fr.Element) (solver.Option, error) {
	id, err := maskHint()
	if err != nil {
		return nil, err
	}
	return solver.OverrideHint(id, func(_ *big.Int, in, out []*big.Int) error {
		if len(in) != 0 || len(out) != 1 {
			return errors.New("the mask's hint has another shape")
		}
		mask.BigInt(out[0])
		return nil
	}), nil
}
