package zk

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// An accountant is a circuit that says where its constraints come from and where its integers lie.
type accountant interface {
	Account() ([]Cost, []Layer)
}

// Estimate compiles c and says what keys, proofs and verification will cost by the rates of a machine, and what a
// verifier will learn. It needs no keys and makes none; options are those that Setup will get. Compiling takes a few
// microseconds per constraint.
func Estimate(c Circuit, r Rates, opts ...Option) (*Report, error) {
	s, err := newSetup(opts)
	if err != nil {
		return nil, err
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("zk: estimate: %w", err)
	}
	sys, err := gnarkx.Compile(c.Blank())
	if err != nil {
		return nil, fmt.Errorf("zk: estimate: %w", err)
	}
	spec := c.Spec()
	if err := s.suits(&spec); err != nil {
		return nil, fmt.Errorf("zk: estimate: %w", err)
	}
	rep := &Report{Kind: spec.Kind, Version: spec.Version, Batch: spec.Batch, Proofs: -1, Provenance: "local", Machine: r.Machine, Threads: r.Threads}
	rep.Sizes = Sizes{Constraints: sys.Constraints(), Terms: sys.Terms(), Committed: sys.Committed(), Domain: sys.Domain(), ProvingKeyBytes: sys.ProvingKeyBytes()}
	form := commit.Form(0)
	if spec.private() {
		form = s.form
		rep.Provenance += ", reference string local"
		if s.srs != nil {
			rep.Provenance = "local, reference string " + s.srs.Provenance()
		}
		rep.weights(spec.Layout, form)
	}
	rep.room()
	if rep.VerifyingKeyBytes, err = verifyingKeyBytes(spec, form, rep.Provenance); err != nil {
		return nil, err
	}
	rep.ProofBytes = envelopeSize
	switch {
	case spec.Kind == RangeProof:
		rep.ProofBytes += commit.MatrixOpening{}.Size(form)
	case form != 0:
		rep.ProofBytes += commit.OpeningProof{}.Size(form)
	}
	if s.dir != "" {
		rep.Cache = "miss"
		if gnarkx.Cached(sys, s.dir) {
			rep.Cache = "hit"
		}
	}
	rep.resources(r, form)
	rep.soundness(spec, sys.Secrets())
	rep.manifest(spec)
	if c, ok := c.(accountant); ok {
		rep.Costs, rep.Layers = c.Account()
		sum := 0
		for _, share := range rep.Costs {
			sum += share.Constraints
		}
		if sum != rep.Constraints {
			return nil, fmt.Errorf("zk: estimate: the circuit accounts for %d of its %d constraints", sum, rep.Constraints)
		}
	}
	return rep, nil
}

// weights fills in what follows from the layout of private weights.
func (r *Report) weights(l commit.Layout, form commit.Form) {
	for _, b := range l.Blocks {
		r.Weights += b.Rows * (b.Columns + 1)
	}
	r.Rows, r.Columns, r.Points = l.Rows(), l.Columns(), l.Powers()
	points := r.Rows
	if form == commit.Compact {
		r.Points += (r.Rows - 1) * r.Columns
		points = 1
	}
	r.Proofs = l.Budget(form)
	r.ReferenceBytes = int64(r.Points) * bn254.SizeOfG1AffineUncompressed
	r.ModelBytes = points * bn254.SizeOfG1AffineCompressed
}

// just is how far above a power of two a circuit is worth shrinking: a tenth.
const just = 10

// room fills in how far the circuit is from the sizes at which its FFTs double.
func (r *Report) room() {
	r.Room = r.Domain - r.Constraints
	if over := r.Constraints - r.Domain/2; r.Domain > 1 && over <= r.Domain/2/just {
		r.Suggestion = fmt.Sprintf("%s constraints fewer would halve the FFT domain to %s", thousands(over), thousands(r.Domain/2))
	}
}

// resources fills in times and memory.
func (r *Report) resources(by Rates, form commit.Form) {
	span := func(rate Rate) time.Duration { return time.Duration(rate.Of(r.Sizes)) }
	r.Compile, r.Setup, r.Load = span(by.Compile), span(by.Setup), span(by.Load)
	r.Prove, r.Verify = span(by.Prove), span(by.Verify)
	if form == commit.Rows && r.Kind == Inference {
		r.Model = span(by.Model)
	}
	r.SetupBytes, r.ProveBytes = int64(by.SetupMemory.Of(r.Sizes)), int64(by.ProveMemory.Of(r.Sizes))
}

// soundness fills in the exponent of docs/explanation/proven-inference.md: challenges have 248 bits, and are roots of
// one of the identities' polynomials by accident. Values and table rows of lookups, and coefficients of convolutions,
// are at most as many as constraints and inputs.
func (r *Report) soundness(spec Spec, secrets int) {
	degrees := 2*r.Points + r.Rows*len(spec.Layout.Blocks)*spec.Batch + r.Constraints + secrets
	r.SoundnessBits = 248 - bits.Len(uint(degrees))
}

// manifest fills in what becomes public, what stays private and what is not proved.
func (r *Report) manifest(spec Spec) {
	provenance := "anything to those who do not trust the machine that made the keys: setup " + r.Provenance
	if spec.Kind == RangeProof {
		r.Public = []string{"the layout: sizes of the layers and ranges of their weights", "the model commitment", "who registers the model"}
		r.Private = []string{"the weights"}
		r.NotProved = []string{"anything of the weights but their ranges", provenance}
		return
	}
	r.Public = []string{"the architecture: layers, sizes, integer ranges and scales that are constants of the circuit"}
	r.Private = []string{"every value between input and output"}
	r.NotProved = []string{"accuracy, fairness, and how the model was trained", "the float network that the integers come from"}
	if r.Rows > 0 {
		r.Public = append(r.Public, fmt.Sprintf("the model commitment, which hides the weights for %s proofs", thousands(r.Proofs)))
		r.Private = append(r.Private, "the weights")
		r.NotProved = append(r.NotProved, "that the weights are small integers, unless a registration proves it: sums hold modulo the field's order")
	} else {
		r.Public = append(r.Public, "the weights: they are constants of the circuit")
	}
	r.Public = append(r.Public, shown("the input", 0))
	if spec.Hashed {
		r.Public = append(r.Public, shown("the output", 0))
	} else {
		r.Public = append(r.Public, "the class: itself")
	}
	r.Public = append(r.Public, "the context: network, task and worker that the proof is for")
	r.NotProved = append(r.NotProved, provenance)
}

// verifyingKeyBytes returns the length of a verifying key's encoding.
func verifyingKeyBytes(spec Spec, form commit.Form, provenance string) (int, error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return 0, fmt.Errorf("zk: estimate: %w", err)
	}
	srs := map[commit.Form]int{commit.Rows: 1, commit.Compact: 2}[form] * bn254.SizeOfG2AffineCompressed
	if srs > 0 {
		srs += 2 // version and form
	}
	return keyHeader + 4*4 + len(b) + len(provenance) + gnarkx.VerifyingKeySize + srs, nil
}
