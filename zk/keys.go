package zk

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A Target says which verifier a proof is for: they hash the commitment differently, so a proof for one fails under the
// other.
type Target uint8

// The verifiers that proofs are made for.
const (
	Native   = Target(gnarkx.Native)   // Verify, and gnark's own groth16.Verify
	Solidity = Target(gnarkx.Solidity) // contracts of zk/solidity; Verify as well
)

// String returns the target's name.
func (t Target) String() string { return gnarkx.Target(t).String() }

// Keys are a circuit with its proving and verifying keys and the reference string for its weights. They hold no secret
// and are safe for concurrent use.
type Keys struct {
	circuit Circuit
	backend *gnarkx.Keys
	srs     *commit.SRS // nil when the weights are public
	vk      *VerifyingKey
	cached  bool
}

// An Option changes what Setup makes.
type Option func(*setup) error

type setup struct {
	dir      string
	srs      *commit.SRS
	target   Target
	form     commit.Form
	existing bool
}

// CacheDir keeps keys in dir, which is made if it is absent, and reads them from there. An entry that does not fit the
// circuit, the library's versions or its own checksum is a miss. The folder must be one that nobody else writes to.
func CacheDir(dir string) Option {
	return func(s *setup) error { s.dir = dir; return nil }
}

// Existing makes Setup fail with ErrNoKeys where it would make keys or a reference string: for whoever has to prove
// with the keys that others verify with, new ones are worthless.
func Existing() Option {
	return func(s *setup) error { s.existing = true; return nil }
}

// ReferenceString uses srs for the weights in place of one made here.
func ReferenceString(srs *commit.SRS) Option {
	return func(s *setup) error { s.srs, s.form = srs, srs.Form(); return nil }
}

// For makes keys whose proofs are for target; the default is Native.
func For(target Target) Option {
	return func(s *setup) error { s.target = target; return nil }
}

// CompactModel commits to a model by one point in place of one per row. Its reference string has two secrets and as
// many points as the weight matrix has elements. Contracts can check this form only.
func CompactModel() Option {
	return func(s *setup) error { s.form = commit.Compact; return nil }
}

func newSetup(opts []Option) (setup, error) {
	s := setup{form: commit.Rows, target: Native}
	for _, o := range opts {
		if err := o(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// suits returns an error for options that are about weights which the circuit does not have.
func (s *setup) suits(spec *Spec) error {
	if !spec.private() && (s.srs != nil || s.form == commit.Compact) {
		return errors.New("a reference string for a circuit with public weights")
	}
	return nil
}

// Setup returns the keys of c: from the cache, or made here with randomness that is discarded, which gives them the
// provenance "local". About 0.3 ms per constraint and core pair. The context is checked between phases.
//
// It refuses a circuit that gnark would accept and anyone could forge for: an unconstrained public input, a private one
// outside the commitment, more than one commitment.
func Setup(ctx context.Context, c Circuit, opts ...Option) (*Keys, error) {
	s, err := newSetup(opts)
	if err != nil {
		return nil, err
	}
	sys, err := gnarkx.Compile(c.Blank())
	if err != nil {
		return nil, fmt.Errorf("zk: setup: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := &Keys{circuit: c}
	spec := c.Spec()
	if err := s.suits(&spec); err != nil {
		return nil, fmt.Errorf("zk: setup: %w", err)
	}
	if s.existing && s.dir == "" {
		return nil, fmt.Errorf("zk: setup: %w: no cache folder", ErrNoKeys)
	}
	if spec.private() {
		if k.srs, err = s.reference(ctx, spec.Layout); err != nil {
			return nil, fmt.Errorf("zk: setup: %w", err)
		}
	}
	if s.existing {
		if k.backend, err = gnarkx.Load(sys, s.dir); err != nil {
			return nil, fmt.Errorf("zk: setup: %w: %w", ErrNoKeys, err)
		}
		k.cached = true
	} else if k.backend, k.cached, err = gnarkx.Setup(ctx, sys, s.dir, nil); err != nil {
		return nil, fmt.Errorf("zk: setup: %w", err)
	}
	k.vk, err = newVerifyingKey(spec, s.target, sys.Digest(), k.backend, k.srs)
	return k, err
}

// VerifyingKey returns the verifying key.
func (k *Keys) VerifyingKey() *VerifyingKey { return k.vk }

// Circuit returns the circuit.
func (k *Keys) Circuit() Circuit { return k.circuit }

// ReferenceString returns the reference string for the weights, nil when they are public.
func (k *Keys) ReferenceString() *commit.SRS { return k.srs }

// Cached reports whether the proving key came from the cache.
func (k *Keys) Cached() bool { return k.cached }

// Constraints returns the number of constraints of the circuit.
func (k *Keys) Constraints() int { return k.backend.System().Constraints() }

// ProvingKeyBytes returns the size of the proving key in memory, and within a few hundred bytes on disk.
func (k *Keys) ProvingKeyBytes() int64 { return k.backend.ProvingKeyBytes() }
