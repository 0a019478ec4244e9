package lintrans

import (
	"fmt"
	"math"
	"testing"

	"github.com/signet-ml/signet/fhe/fhetest"
)

// TestSums adds up every number of slots in every way, with and without complex conjugates.
func TestSums(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	const slots = 64
	for stride := 1; stride <= slots; stride *= 2 {
		for m := 1; m*stride <= slots; m *= 2 {
			for i, radices := range products(m) {
				for _, conj := range []bool{false, true} {
					if conj && m == 1 {
						continue
					}
					// Of m slots, half are imaginary parts if the conjugate is counted.
					apart := m
					if conj {
						apart = m / 2
					}
					period := stride * apart
					x := integers(2*period, uint64(i+m))
					r := newRig(t, params, slots)
					in := make([]complex128, slots)
					want := make([]complex128, slots)
					for s := range in {
						if in[s] = complex(x[s%period], 0); conj {
							in[s] += complex(0, x[period+s%period])
						}
						for j := range apart {
							f := 1.0
							if conj { // twice the real part
								f = 2
							}
							want[s] += complex(f*x[(s+j*stride)%period], 0)
						}
					}
					v := r.private("x", [][]complex128{in})[0]
					r.build(Sum{Stride: stride, Radices: radices, Conj: conj}.Emit(r.b, v))
					t.Run(fmt.Sprintf("stride=%d/radices=%v/conj=%v", stride, radices, conj), func(t *testing.T) {
						r.tb = t
						r.check([][]complex128{want})
					})
				}
			}
		}
	}
}

func TestTheZeroSumDoesNothing(t *testing.T) {
	r := newRig(t, fhetest.InsecureToyParamsNamed(t, "digits of one"), 64)
	v := r.private("x", [][]complex128{make([]complex128, 64)})[0]
	if got := (Sum{}).Emit(r.b, v); got != v {
		t.Errorf("value %d became %d", v, got)
	}
}

// TestChooseSumIsCheapest compares with every list of radices.
func TestChooseSumIsCheapest(t *testing.T) {
	for m := 1; m <= 1<<16; m *= 2 {
		for _, cost := range []Cost{DefaultCost, {NTT: 1}, {KeyRow: 1}, {NTT: 1, KeyRow: 0.5, Row: 1}} {
			best := math.Inf(1)
			for _, radices := range products(m) {
				c := 0.0
				for _, r := range radices {
					c += cost.sum(r, 3, 2)
				}
				best = min(best, c)
			}
			got := ChooseSum(8, m, 3, 2, cost)
			product := 1
			for _, r := range got.Radices {
				product *= r
			}
			if got.Cost != best || product != m || got.Stride != 8 || got.Conj {
				t.Errorf("%d slots: %+v, the cheapest costs %g", m, got, best)
			}
		}
	}
}
