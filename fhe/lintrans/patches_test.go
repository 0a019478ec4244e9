package lintrans

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// allPatches returns the patches for m of every number of repetitions, real and complex.
func allPatches(slots int, m Matrix, out Layout) []*Patches {
	longest := 1
	for _, r := range out {
		if r >= 0 {
			cols, _ := m.Row(int(r))
			longest = max(longest, len(cols))
		}
	}
	var all []*Patches
	for _, cx := range []bool{false, true} {
		for replicas := 1; replicas*len(out) <= slots; replicas *= 2 {
			held := replicas
			if cx {
				held *= 2
			}
			all = append(all, &Patches{Slots: slots, Count: (longest + held - 1) / held, Replicas: replicas, Complex: cx,
				Sums: Sum{Stride: len(out), Radices: products(held)[0], Conj: cx}, out: out, m: m})
		}
	}
	return all
}

func (p *Patches) rig(tb testing.TB, params fhe.Parameters, x []float64, encrypted bool) *rig {
	tb.Helper()
	r := newRig(tb, params, p.Slots)
	in := r.input("x", p.Count, p.Runs(), x)
	var y program.Value
	if w := p.DiagonalValues(); encrypted {
		y = p.EmitEncrypted(r.b, in, r.private("weights", w))
	} else {
		y = p.Emit(r.b, in, r.constant(w))
	}
	r.build(p.Sum(r.b, r.b.Rescale(y)))
	return r
}

func TestEveryKindOfPatches(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	for i := range 40 {
		rng := fhetest.NewRand(uint64(i))
		rows, cols := 1+rng.IntN(12), 1+rng.IntN(20)
		m, x := matrix{rows, cols, integers(rows*cols, uint64(i))}, integers(cols, uint64(i+1))
		for j := range m.w {
			if i%2 == 0 && rng.IntN(3) > 0 {
				m.w[j] = 0
			}
		}
		out := randomLayout(rng.IntN, 1<<rng.IntN(6), rows, false)
		for _, p := range allPatches(32, m, out) {
			for _, encrypted := range []bool{false, true} {
				p.rig(t, params, x, encrypted).check(lay(out, p.Slots, m.times(x)))
			}
		}
	}
}

func TestRandomPatches(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	rapid.Check(t, func(rt *rapid.T) {
		intN := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "") }
		rows, cols := 1+intN(30), 1+intN(30)
		m, x := matrix{rows, cols, integers(rows*cols, uint64(intN(1000)))}, integers(cols, uint64(intN(1000)))
		out := randomLayout(intN, 1<<intN(6), rows, false)
		cost := Cost{float64(1 + intN(100)), float64(intN(100)), float64(intN(100))}
		price := float64(intN(1000))
		p, err := NewPatches(32, m, out, 3, 2, 1, cost, price)
		if err != nil {
			rt.Fatal(err)
		}
		p.rig(t, params, x, false).check(lay(out, p.Slots, m.times(x)))
		for _, q := range allPatches(32, m, out) {
			sum := ChooseSum(len(out), q.capacity(), 2, 1, cost)
			if c := float64(q.Count)*(price+cost.Row*8) + sum.Cost; c < p.Cost {
				rt.Fatalf("%+v is cheaper than %+v", q, p)
			}
		}
	})
}

func TestEncryptedPatches(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	m, x := matrix{30, 25, fraction(30*25, 1)}, fraction(25, 2)
	out := rowsInOrder(30)
	for _, p := range allPatches(256, m, out) {
		for _, encrypted := range []bool{false, true} {
			t.Run(fmt.Sprintf("replicas=%d/complex=%v/encrypted=%v", p.Replicas, p.Complex, encrypted), func(t *testing.T) {
				r := p.rig(t, params, x, encrypted)
				r.encrypted(2, lay(out, p.Slots, m.times(x)))
				need := map[uint64]bool{}
				stride, conj := len(out), p.Complex
				for _, radix := range p.Sums.Radices {
					if conj {
						radix /= 2
					}
					for j := range radix {
						g := params.GaloisElement(j * stride)
						need[g] = true
						if conj {
							need[uint64(2*params.N())-g] = true
						}
					}
					stride *= radix
					conj = false
				}
				delete(need, 1)
				if encrypted {
					need[0] = true // relinearisation
				}
				checkKeys(t, r.prog, need)
			})
		}
	}
}

// TestPatchesOfNothing: a matrix without entries is a product too.
func TestPatchesOfNothing(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	m, out := matrix{3, 5, make([]float64, 15)}, rowsInOrder(3)
	for _, p := range allPatches(32, m, out) {
		p.rig(t, params, integers(5, 1), false).check(lay(out, 32, make([]float64, 3)))
	}
}

func TestNewPatchesRefuses(t *testing.T) {
	m := matrix{2, 3, []float64{1, 0, 2, 0, 0, 3}}
	for _, tc := range []struct {
		slots         int
		out           Layout
		level, sum, k int
		want          string
	}{
		{0, Layout{0, 1}, 1, 1, 1, "in 0"},
		{48, Layout{0, 1}, 1, 1, 1, "in 48"},
		{2, Layout{0, 1, -1, -1}, 1, 1, 1, "a result of 4 slots in 2"},
		{64, Layout{0, 1, -1}, 1, 1, 1, "a layout of 3 slots"},
		{64, Layout{0, 2}, 1, 1, 1, "slot 1 of a layout holds element 2 of 2"},
		{64, Layout{0, 1}, -1, 1, 1, "levels -1 and 1"},
		{64, Layout{0, 1}, 1, -1, 1, "levels 1 and -1"},
		{64, Layout{0, 1}, 1, 1, 0, "0 special primes"},
	} {
		if p, err := NewPatches(tc.slots, m, tc.out, tc.level, tc.sum, tc.k, DefaultCost, 1); err == nil || !strings.HasPrefix(err.Error(), "lintrans: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, %v; want an error with %q", tc, p, err, tc.want)
		}
	}
}
