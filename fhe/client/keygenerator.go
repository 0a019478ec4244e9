package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice/secret"
	"github.com/signet-ml/signet/fhe/program"
)

// KeyGenerator makes secret keys and the switching keys that programs require. It holds no secret and is safe for
// concurrent use.
type KeyGenerator struct{ params fhe.Parameters }

// NewKeyGenerator returns a KeyGenerator for p. It fails on the zero value.
func NewKeyGenerator(p fhe.Parameters) (*KeyGenerator, error) {
	if p.IsZero() {
		return nil, errors.New("client: key generator without parameters")
	}
	return &KeyGenerator{p}, nil
}

// GenSecretKey returns a fresh secret key of the parameters' distribution, with a fresh random id.
func (g *KeyGenerator) GenSecretKey() *SecretKey {
	sk := &SecretKey{params: g.params, key: secret.Generate(access.Lattice(g.params))}
	rand.Read(sk.id[:]) // never fails: it crashes the program instead
	return sk
}

// GenPublicKey returns a fresh public key for sk, under its id: for NewPublicKeyEncryptor. It fails with a
// *fhe.MismatchError if sk belongs to other parameters. Any number may be made for one secret key.
func (g *KeyGenerator) GenPublicKey(sk *SecretKey) (*fhe.PublicKey, error) {
	if err := g.check(sk); err != nil {
		return nil, err
	}
	b, a := sk.key.PublicKey()
	return access.NewPublicKey(g.params, sk.id, b, a)
}

func (g *KeyGenerator) check(sk *SecretKey) error {
	if sk == nil || sk.key == nil {
		return errors.New("client: keys without a secret key")
	}
	if !sk.params.Equal(g.params) {
		return &fhe.MismatchError{What: "parameters", Want: g.params.Digest().Short(), Have: sk.params.Digest().Short()}
	}
	return nil
}

// KeyOption changes how switching keys are generated.
type KeyOption func(*keyOptions)

type keyOptions struct {
	progress func(done, total int)
	audit    bool
}

// WithProgress calls f after every key that is finished, from one goroutine at a time. f must not block.
func WithProgress(f func(done, total int)) KeyOption { return func(o *keyOptions) { o.progress = f } }

// WithAudit checks every limb of every key after it was generated: that the secret is masked and that the noise is what
// it should be. It takes half as long as generating [measured, N = 2^14]. A failure is a bug in this module or in the
// library below.
func WithAudit() KeyOption { return func(o *keyOptions) { o.audit = true } }

// GenEvaluationKeys returns the switching keys that reqs list, each at its requirement's level. Of several requirements
// for one Galois element the highest level counts. Keys are generated in parallel by GOMAXPROCS workers, and ctx is
// checked between keys; before it returns the workers have ended.
//
// Before the first key is generated every requirement passes the security gate. Errors: *fhe.MismatchError if sk
// belongs to other parameters, *fhe.SecurityError, or the context's.
func (g *KeyGenerator) GenEvaluationKeys(ctx context.Context, sk *SecretKey, reqs []program.KeyRequirement, opts ...KeyOption) (*fhe.EvaluationKeys, error) {
	reqs, err := g.plan(sk, reqs)
	if err != nil {
		return nil, err
	}
	keys := fhe.NewEvaluationKeys(g.params, sk.id)
	if err := g.generate(ctx, sk, reqs, opts, keys.Add); err != nil {
		return nil, err
	}
	return keys, nil
}

// WriteEvaluationKeys writes the wire form of what GenEvaluationKeys returns, key by key, so that the set is never in
// memory: at most GOMAXPROCS keys are. After an error what was written is not a complete set.
func (g *KeyGenerator) WriteEvaluationKeys(ctx context.Context, w io.Writer, sk *SecretKey, reqs []program.KeyRequirement, opts ...KeyOption) error {
	reqs, err := g.plan(sk, reqs)
	if err != nil {
		return err
	}
	kw, err := fhe.NewEvaluationKeysWriter(w, g.params, sk.id, len(reqs))
	if err != nil {
		return fmt.Errorf("client: write evaluation keys: %w", err)
	}
	if err := g.generate(ctx, sk, reqs, opts, kw.Write); err != nil {
		return err
	}
	return kw.Close()
}

// plan returns the requirements in ascending order of their elements, each element once, after checking all of them.
func (g *KeyGenerator) plan(sk *SecretKey, reqs []program.KeyRequirement) ([]program.KeyRequirement, error) {
	if err := g.check(sk); err != nil {
		return nil, err
	}
	if len(reqs) > 0 && g.params.PCount() == 0 {
		return nil, errors.New("client: evaluation keys need special primes, and the parameters have none")
	}
	reqs = slices.Clone(reqs)
	slices.SortStableFunc(reqs, func(a, b program.KeyRequirement) int {
		return cmp.Or(cmp.Compare(a.GaloisElement, b.GaloisElement), cmp.Compare(b.Level, a.Level))
	})
	for _, r := range reqs {
		if _, _, ok := g.params.Rotation(r.GaloisElement); r.GaloisElement != 0 && (!ok || r.GaloisElement == 1) {
			return nil, fmt.Errorf("client: no key switches the element %d modulo %d", r.GaloisElement, 2*g.params.N())
		}
		if err := g.params.CheckKey(r.Level); err != nil {
			return nil, fmt.Errorf("client: key for element %d: %w", r.GaloisElement, err)
		}
	}
	return slices.CompactFunc(reqs, func(a, b program.KeyRequirement) bool { return a.GaloisElement == b.GaloisElement }), nil
}

// generate calls emit with the keys in the order of reqs, from its own goroutine. At most GOMAXPROCS keys exist that
// emit has not returned from.
func (g *KeyGenerator) generate(ctx context.Context, sk *SecretKey, reqs []program.KeyRequirement, opts []KeyOption, emit func(*fhe.EvaluationKey) error) error {
	var o keyOptions
	for _, f := range opts {
		f(&o)
	}
	type result struct {
		key *fhe.EvaluationKey
		err error
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	tokens := make(chan struct{}, runtime.GOMAXPROCS(0))
	results := make([]chan result, len(reqs))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	wg.Go(func() {
		for i, r := range reqs {
			select {
			case tokens <- struct{}{}:
			case <-inner.Done():
				return
			}
			wg.Go(func() {
				if inner.Err() != nil {
					return
				}
				k, err := g.one(sk, r, o.audit)
				results[i] <- result{k, err}
			})
		}
	})
	for i, r := range reqs {
		err := ctx.Err()
		var res result
		if err == nil {
			select {
			case res = <-results[i]:
				err = res.err
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err == nil {
			err = emit(res.key)
		}
		if err != nil {
			return fmt.Errorf("client: key %d of %d, for element %d: %w", i+1, len(reqs), r.GaloisElement, err)
		}
		<-tokens
		if o.progress != nil {
			o.progress(i+1, len(reqs))
		}
	}
	return nil
}

func (g *KeyGenerator) one(sk *SecretKey, r program.KeyRequirement, audit bool) (*fhe.EvaluationKey, error) {
	b, a, err := sk.key.SwitchingKey(r.GaloisElement, r.Level)
	if err != nil {
		return nil, err
	}
	if audit {
		limbs := make([][2][][]uint64, len(b))
		for d := range b {
			limbs[d] = [2][][]uint64{b[d], a.Rows(d)}
		}
		if err := sk.key.Audit(r.GaloisElement, r.Level, limbs); err != nil {
			return nil, err
		}
	}
	// It judges the key again and checks every word.
	return access.SeededEvaluationKey(g.params, r.GaloisElement, r.Level, b, a)
}
