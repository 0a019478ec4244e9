package encrypted

import (
	"fmt"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe/lintrans"
)

// where returns the slot of every element of a layout that holds each once.
func where(t *testing.T, l lintrans.Layout, n int) []int {
	t.Helper()
	if len(l) == 0 || len(l)&(len(l)-1) != 0 {
		t.Fatalf("a layout of %d slots", len(l))
	}
	at := slices.Repeat([]int{-1}, n)
	for s, e := range l {
		if e == -1 {
			continue
		}
		if e < 0 || int(e) >= n || at[e] >= 0 {
			t.Fatalf("slot %d holds element %d of %d, as slot %d does", s, e, n, at[max(0, min(int(e), n-1))])
		}
		at[e] = s
	}
	if i := slices.Index(at, -1); i >= 0 {
		t.Fatalf("element %d lies in no slot", i)
	}
	return at
}

// TestGridsAreLayouts: every grid holds every element once and repeats with the stated period; what is left after its
// phases are summed up is the sum over squares of pixels.
func TestGridsAreLayouts(t *testing.T) {
	const largest = 1 << 12
	pooled := 0
	for _, shape := range [][]int{{1, 1, 1}, {1, 8, 8}, {3, 8, 8}, {5, 6, 4}, {4, 12, 12}, {16, 4, 4}, {2, 7, 5}, {1, 28, 28}} {
		all := grids(shape, largest)
		if len(all) == 0 {
			t.Errorf("%v: no grids", shape)
		}
		for _, g := range all {
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
				l := g.layout()
				if len(l) != g.period() || len(l) > largest {
					t.Fatalf("%d slots, a period of %d", len(l), g.period())
				}
				at := where(t, l, elements(shape))
				if g.phase == 1 {
					return
				}
				pooled++
				p := g.pooled()
				if want := []int{shape[0], shape[1] / g.phase, shape[2] / g.phase}; !slices.Equal(p.shape[:], want) || p.phase != 1 {
					t.Fatalf("pooled to %+v", p)
				}
				if p.period() != g.stride() {
					t.Fatalf("pooled, it repeats with %d slots, phases are %d slots apart", p.period(), g.stride())
				}
				q := where(t, p.layout(), elements(p.shape[:]))
				i := 0
				for c := range shape[0] {
					for y := range shape[1] {
						for x := range shape[2] {
							sum := (c*p.shape[1]+y/g.phase)*p.shape[2] + x/g.phase
							if at[i]%g.stride() != q[sum] {
								t.Fatalf("element %d lies in slot %d, its sum in slot %d, %d slots apart", i, at[i], q[sum], g.stride())
							}
							i++
						}
					}
				}
			})
		}
	}
	if pooled < 20 {
		t.Errorf("%d grids with phases", pooled)
	}
}

// TestGridsNeverExceedTheirLimit: an image that fits no grid has none.
func TestGridsNeverExceedTheirLimit(t *testing.T) {
	for _, limit := range []int{1, 63, 64, 100, 1024} {
		for _, g := range grids([]int{1, 8, 8}, limit) {
			if g.period() > limit {
				t.Errorf("%+v has a period of %d, at most %d", g, g.period(), limit)
			}
		}
	}
	if g := grids([]int{1, 8, 8}, 63); len(g) != 0 {
		t.Errorf("64 pixels in 63 slots: %+v", g)
	}
}

func TestCompactLayouts(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 8, 100} {
		l := compact(n, false)
		for e, s := range where(t, l, n) {
			if s != e {
				t.Errorf("%d elements: element %d in slot %d", n, e, s)
			}
		}
		full := compact(n, true)
		for s, e := range full {
			if int(e) != s%n {
				t.Errorf("%d elements, filled: slot %d holds element %d", n, s, e)
			}
		}
		if len(l) != pow2(n) || len(full) != len(l) {
			t.Errorf("%d elements in %d and %d slots", n, len(l), len(full))
		}
	}
}

// TestInputsHaveNoEmptyCiphertexts: a port cannot have one.
func TestInputsHaveNoEmptyCiphertexts(t *testing.T) {
	for _, shape := range [][]int{{2, 40, 40}, {3, 32, 32}, {5, 30}, {9000}, {1, 28, 28}} {
		c := &compiler{inputShape: shape, layouts: map[[2]int][]*layoutCandidate{}}
		for _, slots := range []int{1024, 2048} {
			for _, in := range c.inputLayouts(slots) {
				runs := map[int]bool{}
				for _, r := range in.layout.Runs(slots) {
					runs[r.Ciphertext] = true
				}
				if len(runs) != in.layout.Count(slots) {
					t.Errorf("%v in %d slots: %d of %d ciphertexts hold something, grid %+v", shape, slots, len(runs), in.layout.Count(slots), in.grid)
				}
			}
		}
	}
}
