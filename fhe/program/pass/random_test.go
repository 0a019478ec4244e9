package pass_test

import (
	"fmt"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

var exact = []pass.Pass{pass.DeadCode, pass.Fold, pass.Equal, pass.Drops, pass.Hoists}

// TestRandom: on random programs with waste the bits of every output stay, and all that the package promises holds.
func TestRandom(t *testing.T) {
	for _, toy := range []string{"digits of three", "small primes", "wide primes", "more P than Q", "no P"} {
		t.Run(toy, func(t *testing.T) {
			params := fhetest.InsecureToyParamsNamed(t, toy)
			n := 50
			if testing.Short() {
				n = 12
			}
			done := make(map[pass.Pass]int)
			for seed := range uint64(n) {
				rng := fhetest.NewRand(seed)
				p, c, err := fhetest.RandomProgram(rng, params, 10+rng.IntN(50))
				if err != nil {
					t.Fatal(err)
				}
				p = inject(t, rng, p, []float64{0, 0.05, 0.2, 0.5}[seed%4])
				q, r := optimize(t, p)
				sameBits(t, seed, p, q, r, c)
				invariants(t, p, q, r)
				for _, s := range r.Steps {
					done[s.Pass]++
				}
				for _, s := range exact {
					q, r := optimize(t, p, pass.Only(s))
					if len(r.Steps) > 0 && seed < 20 {
						sameBits(t, seed, p, q, r, c)
					}
					invariants(t, p, q, r, pass.Only(s))
				}
				l, r := optimize(t, p, pass.AllowNewBits())
				invariants(t, p, l, r, pass.AllowNewBits())
				quieter(t, q, l, c)
			}
			for _, s := range exact {
				if done[s] == 0 && !(s == pass.Hoists && params.PCount() == 0) {
					t.Errorf("no program in which %v has something to do", s)
				}
			}
		})
	}
}

// invariants checks what every option promises.
func invariants(t testing.TB, p, q *program.Program, r *pass.Report, opts ...pass.Option) {
	t.Helper()
	again, rr := optimize(t, q, opts...)
	if again != q || len(rr.Steps) > 0 {
		t.Fatalf("not idempotent: %v\n%s\n%s", rr, dump(t, q), dump(t, again))
	}
	if twin, _ := optimize(t, p, opts...); twin.Digest() != q.Digest() {
		t.Fatalf("two results of one program")
	}
	for _, ports := range [][2][]program.Port{{p.Inputs(), q.Inputs()}, {p.Outputs(), q.Outputs()}} {
		for i := range ports[0] {
			ports[0][i].Program, ports[1][i].Program = fhe.Digest{}, fhe.Digest{}
		}
		if fmt.Sprint(ports[0]) != fmt.Sprint(ports[1]) {
			t.Fatalf("ports changed: %v, were %v", ports[1], ports[0])
		}
	}
	before, after := pass.Count(p), pass.Count(q)
	if before != r.Before || after != r.After {
		t.Fatalf("the report says %+v → %+v, the programs %+v → %+v", r.Before, r.After, before, after)
	}
	if after.KeySwitches > before.KeySwitches || after.Relins > before.Relins || after.Rotations > before.Rotations ||
		after.Decompositions > before.Decompositions || after.Rescales > before.Rescales || after.Constants > before.Constants {
		t.Fatalf("something grew: %+v → %+v\n%s\n%s", before, after, dump(t, p), dump(t, q))
	}
	for v := range p.Ops() {
		w, ok := r.Map(program.Value(v))
		switch o := &p.Ops()[v]; {
		case !ok && (o.Code == program.Input || o.Code == program.Output):
			t.Fatalf("operation %d of a port is gone", v)
		case !ok:
		case int(w) >= len(q.Ops()) || q.Ops()[w].IsCiphertext() != o.IsCiphertext():
			t.Fatalf("value %d became %d, which is of another kind", v, w)
		case !r.NewBits && (q.Ops()[w].Level > o.Level || q.Ops()[w].Degree != o.Degree || q.Ops()[w].LogSlots != o.LogSlots || q.Ops()[w].Scale != o.Scale):
			t.Fatalf("value %d became %d, which is of another shape\n%s\n%s", v, w, dump(t, p), dump(t, q))
		}
	}
}
