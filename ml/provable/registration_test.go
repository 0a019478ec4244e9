package provable_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// TestRegister registers a model that is kept on disk and proves a prediction before, after, and after a restart.
//
// Soundness: P9.
func TestRegister(t *testing.T) {
	ctx := context.Background()
	m, x := network(t, 7, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Proofs: 20})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	c, err := circuit.RegistrationCircuit()
	if err != nil {
		t.Fatal(err)
	}
	regKeys, err := zk.Setup(ctx, c, zk.CacheDir(cacheDir), zk.ReferenceString(k.ReferenceString()))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "opening")
	_, opening, err := circuit.CommitTo(ctx, k, dir)
	if err != nil {
		t.Fatal(err)
	}
	me := zk.Word{31: 1}
	// check proves and verifies, with the registration if there is one, and returns how many proofs are left.
	check := func(when string, registered bool) int {
		t.Helper()
		proof, pred, err := circuit.Prove(ctx, k, opening, sample(x, 0, 1), zk.Context{})
		if err != nil {
			t.Fatal(err)
		}
		st := pred.Statement()
		if st.RangeProved != registered || (opening.Registration() != nil) != registered {
			t.Errorf("%s: range-proved is %t", when, st.RangeProved)
		}
		var opts []zk.VerifyOption
		if registered {
			if err := zk.Verify(k.VerifyingKey(), st, proof); !errors.Is(err, zk.ErrRegistration) {
				t.Errorf("%s: without the registration: %v", when, err)
			}
			opts = append(opts, zk.WithRegistration(regKeys.VerifyingKey(), opening.Registration(), me))
		}
		if err := zk.Verify(k.VerifyingKey(), st, proof, opts...); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		return pred.ProofsLeft()
	}
	left := check("before", false)
	if _, err := opening.Register(ctx, k, k.VerifyingKey(), me); !errors.Is(err, zk.ErrRegistration) {
		t.Errorf("with keys of another circuit: %v", err)
	}
	if now := check("after a failure", false); now != left-2 {
		t.Errorf("%d proofs left, want %d: an attempt counts", now, left-2)
	}
	reg, err := opening.Register(ctx, regKeys, k.VerifyingKey(), me)
	if err != nil {
		t.Fatal(err)
	}
	if opening.Registration() != reg {
		t.Error("the opening has another registration")
	}
	if now := check("after", true); now != left-4 {
		t.Errorf("%d proofs left, want %d: a registration counts", now, left-4)
	}
	if err := opening.Close(); err != nil {
		t.Fatal(err)
	}
	if opening, err = circuit.LoadOpening(k, dir); err != nil {
		t.Fatal(err)
	}
	check("after a restart", true)
	if err := opening.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "registration"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	var bad *zk.FormatError
	if _, err := circuit.LoadOpening(k, dir); !errors.As(err, &bad) {
		t.Errorf("a damaged registration: %v", err)
	}
}

// Soundness: P9.
func TestRegisterPastBudget(t *testing.T) {
	ctx := context.Background()
	m, x := network(t, 8, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Proofs: 1})
	if err != nil {
		t.Fatal(err)
	}
	k := keys(t, circuit)
	_, opening, err := circuit.Commit(k)
	if err != nil {
		t.Fatal(err)
	}
	for range k.VerifyingKey().Spec().Layout.Budget(commit.Rows) {
		// The wrong keys: an attempt counts before it can fail.
		if _, err := opening.Register(ctx, k, k.VerifyingKey(), zk.Word{}); !errors.Is(err, zk.ErrRegistration) {
			t.Fatal(err)
		}
	}
	if _, err := opening.Register(ctx, k, k.VerifyingKey(), zk.Word{}); !errors.Is(err, commit.ErrBudgetSpent) {
		t.Errorf("past the budget: %v", err)
	}
}

func TestRegistrationCircuitRefuses(t *testing.T) {
	m, x := network(t, 9, ml.ReLU())
	circuit, err := provable.Compile(m, provable.Options{Calibration: x, Weights: zk.Public})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := circuit.RegistrationCircuit(); err == nil {
		t.Error("a registration of public weights")
	}
}
