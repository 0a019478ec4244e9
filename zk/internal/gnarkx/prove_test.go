package gnarkx

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
)

var targets = []Target{Native, Solidity}

func TestProve(t *testing.T) {
	k := toyKeys()
	for _, target := range targets {
		t.Run(target.String(), func(t *testing.T) {
			v := good()
			proof := mustProve(t, k, target, v)
			if len(proof) != ProofSize || ProofSize != 196 {
				t.Errorf("%d bytes, ProofSize is %d, want 196", len(proof), ProofSize)
			}
			if err := Verify(k.VerifyingKey(), target, proof, v.context, v.statement); err != nil {
				t.Error(err)
			}
			h, err := Challenge(k.VerifyingKey(), target, proof, v.context)
			if err != nil {
				t.Fatal(err)
			}
			if toyStatement(h, v.product) != v.statement {
				t.Error("the challenge of the proof is not the one that finish got")
			}
		})
	}
}

// A mask that is used twice gives away whether two proofs are of the same values.
//
// Soundness: P17.
func TestProveMasksAreFresh(t *testing.T) {
	k := toyKeys()
	v := good()
	a, b := mustProve(t, k, Native, v), mustProve(t, k, Native, v)
	for _, part := range []struct {
		name     string
		from, to int
	}{{"Ar", 0, 32}, {"Bs", 32, 96}, {"Krs", 96, 128}, {"commitment", 132, 164}, {"proof of knowledge", 164, 196}} {
		if bytes.Equal(a[part.from:part.to], b[part.from:part.to]) {
			t.Errorf("two proofs of the same values have the same %s", part.name)
		}
	}
}

// The first pass must use a mask that only this package knows, and gnark's prover the same one.
//
// Soundness: P17.
func TestMaskHint(t *testing.T) {
	id, err := maskHint()
	if err != nil {
		t.Fatal(err)
	}
	hint := solver.GetRegisteredHint(id)
	a, b := []*big.Int{new(big.Int)}, []*big.Int{new(big.Int)}
	if err := errors.Join(hint(fr.Modulus(), nil, a), hint(fr.Modulus(), nil, b)); err != nil {
		t.Fatal(err)
	}
	if a[0].Cmp(b[0]) == 0 {
		t.Error("the hint is not random")
	}
	mask := element(42)
	masked, err := withMask(&mask)
	if err != nil {
		t.Fatal(err)
	}
	config, err := solver.NewConfig(masked)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.HintFunctions[id](fr.Modulus(), nil, a); err != nil || a[0].Uint64() != 42 {
		t.Errorf("the overridden hint gives %v, %v", a[0], err)
	}
	for _, wrong := range [][2]int{{1, 1}, {0, 0}, {0, 2}} {
		if config.HintFunctions[id](fr.Modulus(), make([]*big.Int, wrong[0]), make([]*big.Int, wrong[1])) == nil {
			t.Errorf("%d inputs and %d outputs: no error", wrong[0], wrong[1])
		}
	}

	// With one mask, two first passes commit to the same point; with another, to another.
	k := toyKeys()
	pass1, _ := good().assign()
	w, _, err := k.system.assign(pass1)
	if err != nil {
		t.Fatal(err)
	}
	commit := func(mask fr.Element) bn254.G1Affine {
		masked, err := withMask(&mask)
		if err != nil {
			t.Fatal(err)
		}
		d, err := k.commit(w, masked)
		if err != nil {
			t.Fatal(err)
		}
		return *d
	}
	first, again, other := commit(element(1)), commit(element(1)), commit(element(2))
	if first != again || first == other {
		t.Error("the commitment does not follow the mask")
	}
	// The point is the mask's base plus those of the secret inputs, in wire order.
	var want bn254.G1Jac
	values := []fr.Element{element(3), element(4), element(5), element(6), element(7), element(12), element(9)}
	for i, base := range k.pk.CommitmentKeys[0].Basis {
		var p bn254.G1Jac
		p.FromAffine(&base)
		p.ScalarMultiplication(&p, values[i].BigInt(new(big.Int)))
		want.AddAssign(&p)
	}
	if got := commit(element(9)); !got.Equal(new(bn254.G1Affine).FromJacobian(&want)) {
		t.Error("the commitment is not to the secret inputs and the mask")
	}
}

func TestProveUnsatisfied(t *testing.T) {
	k := toyKeys()
	const secret = 987654321987654321
	for _, tt := range []struct {
		name   string
		change func(v *values, pass1 *toy) // before the first pass
		finish func(h fr.Element, c *toy)  // after the second is filled in
	}{
		{"secret", func(v *values, c *toy) { v.product, c.Product = element(secret), element(secret) }, nil},
		{"statement", nil, func(h fr.Element, c *toy) { c.Statement = element(secret) }},
		{"statement-of-other-challenge", nil, func(h fr.Element, c *toy) {
			c.Statement = toyStatement(*h.Add(&h, &h), element(12))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := good()
			pass1, finish := v.assign()
			if tt.change != nil {
				tt.change(v, pass1)
			}
			proof, err := Prove(t.Context(), k, Native, pass1, func(h fr.Element) (frontend.Circuit, error) {
				c, err := finish(h)
				if tt.finish != nil {
					tt.finish(h, c.(*toy))
				}
				return c, err
			})
			if !errors.Is(err, ErrUnsatisfied) || proof != nil {
				t.Fatalf("got %v", err)
			}
			for inner := err; inner != nil; inner = errors.Unwrap(inner) {
				if text := inner.Error(); strings.Contains(text, "987654321") || strings.Contains(text, "!=") {
					t.Errorf("the error shows a value: %s", text)
				}
			}
			if !strings.Contains(err.Error(), "constraint ") {
				t.Errorf("the error names no constraint: %v", err)
			}
		})
	}
}

// Between the passes nothing but Statement may change: the challenge would be of other values.
//
// Soundness: P17.
func TestProveRefusesOtherInputs(t *testing.T) {
	k := toyKeys()
	for _, tt := range []struct {
		name   string
		change func(c *toy)
		want   string
	}{
		{"context", func(c *toy) { c.Context = 78 }, "finish changed Context"},
		{"first", func(c *toy) { c.X[0] = 4 }, "finish changed X_0"},
		{"last", func(c *toy) { c.Product = 13 }, "finish changed Product"},
		{"missing", func(c *toy) { c.X[1] = nil }, "has no value"},
		{"no-number", func(c *toy) { c.X[1] = "one" }, "has no value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pass1, finish := good().assign()
			_, err := Prove(t.Context(), k, Native, pass1, func(h fr.Element) (frontend.Circuit, error) {
				c, err := finish(h)
				tt.change(c.(*toy))
				return c, err
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestProveFails(t *testing.T) {
	k := toyKeys()
	pass1, finish := good().assign()
	t.Run("finish", func(t *testing.T) {
		mine := errors.New("mine")
		if _, err := Prove(t.Context(), k, Native, pass1, func(fr.Element) (frontend.Circuit, error) { return nil, mine }); err != mine {
			t.Error(err)
		}
	})
	t.Run("target", func(t *testing.T) {
		if _, err := Prove(t.Context(), k, 0, pass1, finish); err == nil || !strings.Contains(err.Error(), "Target(0)") {
			t.Error(err)
		}
	})
	t.Run("other-circuit", func(t *testing.T) {
		if _, err := Prove(t.Context(), k, Native, &twoPublic{Context: 1, Statement: 1, A: 1, B: 1}, finish); err == nil {
			t.Error("no error")
		}
		if _, err := Prove(t.Context(), k, Native, &toy{}, finish); err == nil {
			t.Error("no values: no error")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		called := false
		_, err := Prove(ctx, k, Native, pass1, func(h fr.Element) (frontend.Circuit, error) {
			called = true
			cancel()
			return finish(h)
		})
		if !errors.Is(err, context.Canceled) || !called {
			t.Errorf("cancelled between the passes: %v, finish called: %v", err, called)
		}
		_, err = Prove(ctx, k, Native, pass1, func(fr.Element) (frontend.Circuit, error) {
			t.Error("finish is called after the context is done")
			return nil, nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
	})
}

// A Statement that does not depend on the challenge may be needed before the commitment: then it is given at once.
func TestProveStaticStatement(t *testing.T) {
	k := mustSetup(t, mustCompile(t, &twoPublic{define: func(api frontend.API, c *twoPublic) error {
		return plain(api, c.Context, c.Statement, c.A, c.B)
	}}))
	c := &twoPublic{Context: 5, Statement: 49, A: 7, B: 7}
	proof, err := Prove(t.Context(), k, Native, c, func(fr.Element) (frontend.Circuit, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(k.VerifyingKey(), Native, proof, element(5), element(49)); err != nil {
		t.Error(err)
	}
	late := &twoPublic{Context: 5, Statement: 0, A: 7, B: 7}
	if _, err := Prove(t.Context(), k, Native, late, func(fr.Element) (frontend.Circuit, error) { return c, nil }); !errors.Is(err, ErrUnsatisfied) {
		t.Errorf("the statement that is needed at once comes late: %v", err)
	}
}

// A proving key of another setup gives proofs that do not verify; none of them gets out.
//
// Soundness: S16.
func TestProveWithOtherVerifyingKey(t *testing.T) {
	s := mustCompile(t, &toy{})
	a, b := mustSetup(t, s), mustSetup(t, s)
	pass1, finish := good().assign()
	if proof, err := Prove(t.Context(), &Keys{s, a.pk, b.vk}, Native, pass1, finish); !errors.Is(err, ErrProof) || proof != nil {
		t.Error(err)
	}
}

func TestProveAtOnce(t *testing.T) {
	k := toyKeys()
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			v := good()
			v.context = element(uint64(i))
			target := targets[i%2]
			pass1, finish := v.assign()
			proof, err := Prove(t.Context(), k, target, pass1, finish)
			if err == nil {
				err = Verify(k.VerifyingKey(), target, proof, v.context, v.statement)
			}
			if err == nil {
				err = ExportSolidity(k.VerifyingKey(), new(bytes.Buffer), "")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
