package encrypted

import (
	"math/bits"

	"github.com/signet-ml/signet/fhe/lintrans"
)

// grid is a layout of an image in the slots of one or several ciphertexts: the multiplexed packing of [LKLL22] with
// phases. Neighbours of a channel lie gap slots apart. With holes, the gap × gap slots that a stride leaves free hold
// further channels. The pixels of one phase, whose rows and columns are equal modulo phase, lie together, so a pooling
// is a sum over phases. Phases are outermost, then blocks of channels, rows, columns.
//
// [LKLL22]: https://eprint.iacr.org/2021/1688
type grid struct {
	shape  [3]int // channels, rows, columns
	phase  int    // a power of two
	gap    int
	holes  bool
	pitch  int // slots from a row to the next, a power of two
	offset int // rows and columns that are left free before the first, which a padding reaches into
}

// side is the number of channels along one side of a square of gap × gap slots.
func (g grid) side() int {
	if g.holes {
		return g.gap
	}
	return 1
}

// extent is the number of slots that n rows or columns of one phase reach over.
func (g grid) extent(n int) int { return ((n+g.phase-1)/g.phase-1)*g.gap + g.offset + g.side() }

func (g grid) blocks() int {
	per := g.side() * g.side()
	return pow2((g.shape[0] + per - 1) / per)
}

// area is the number of slots of a block.
func (g grid) area() int { return pow2(g.extent(g.shape[1])) * g.pitch }

// stride is the number of slots of one phase.
func (g grid) stride() int { return g.blocks() * g.area() }

// period is the number of slots after which the layout repeats.
func (g grid) period() int { return g.phase * g.phase * g.stride() }

// layout returns the slots; elements are numbered in row-major order.
func (g grid) layout() lintrans.Layout {
	l := make(lintrans.Layout, g.period())
	for i := range l {
		l[i] = -1
	}
	side := g.side()
	i := int32(0)
	for c := range g.shape[0] {
		hole := c % (side * side)
		for y := range g.shape[1] {
			for x := range g.shape[2] {
				s := (y%g.phase*g.phase+x%g.phase)*g.stride() + c/(side*side)*g.area()
				s += (y/g.phase*g.gap + g.offset + hole/side) * g.pitch
				s += x/g.phase*g.gap + g.offset + hole%side
				l[s] = i
				i++
			}
		}
	}
	return l
}

// pooled returns the grid that is left when phases are summed up.
func (g grid) pooled() grid {
	g.shape[1], g.shape[2], g.phase = g.shape[1]/g.phase, g.shape[2]/g.phase, 1
	return g
}

// grids returns the layouts that are worth trying for images of a shape, none larger than max slots: of the smallest
// pitch and the next, with phases for a pooling of 2 or 4, with room for paddings.
func grids(shape []int, max int) []grid {
	var out []grid
	for _, phase := range []int{1, 2, 4} {
		for _, gap := range []int{1, 2, 4} {
			for _, holes := range []bool{false, true} {
				for offset := range 4 {
					g := grid{shape: [3]int(shape), phase: phase, gap: gap, holes: holes, offset: offset}
					if holes && (gap == 1 || shape[0] == 1) || phase > 1 && (gap > 1 || shape[1]%phase != 0 || shape[2]%phase != 0) {
						continue
					}
					for wider := range 2 {
						g.pitch = pow2(g.extent(shape[2])) << wider
						if g.period() <= max {
							out = append(out, g)
						}
					}
				}
			}
		}
	}
	return out
}

// compact is the layout of n elements one after the other. If fill, they repeat over all slots up to the period, so
// that no slot is left free.
func compact(n int, fill bool) lintrans.Layout {
	l := make(lintrans.Layout, pow2(n))
	for s := range l {
		switch {
		case s < n:
			l[s] = int32(s)
		case fill:
			l[s] = int32(s % n)
		default:
			l[s] = -1
		}
	}
	return l
}

// pow2 returns the smallest power of two that is at least n.
func pow2(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
