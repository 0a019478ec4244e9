package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func grids() []Grid {
	var gs []Grid
	rng := rand.New(rand.NewPCG(1, 1))
	for len(gs) < 300 {
		var g Grid
		ok := true
		for d := range 2 {
			g.Image[d], g.Kernel[d] = 1+rng.IntN(9), 1+rng.IntN(4)
			g.Stride[d], g.Padding[d], g.Dilation[d] = 1+rng.IntN(4), rng.IntN(5), 1+rng.IntN(3)
			room := g.Image[d] + 2*g.Padding[d] - g.Dilation[d]*(g.Kernel[d]-1) - 1
			g.Out[d] = room/g.Stride[d] + 1
			ok = ok && room >= 0
		}
		if ok {
			gs = append(gs, g)
		}
	}
	return gs
}

// TestGatherAndScatter compares Gather with its definition, and Scatter with Gather by
// ⟨Gather x, y⟩ = ⟨x, Scatter y⟩, which holds exactly for small integers.
func TestGatherAndScatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, g := range grids() {
		const channels = 2
		rows := channels * g.Kernel[0] * g.Kernel[1]
		img := make([]float64, channels*g.Pixels())
		for i := range img {
			img[i] = float64(1 + rng.IntN(99))
		}
		lo := rng.IntN(g.Positions())
		hi := lo + 1 + rng.IntN(g.Positions()-lo)
		var want []float64
		for c := range channels {
			for k := range g.Kernel[0] {
				for l := range g.Kernel[1] {
					for pos := lo; pos < hi; pos++ {
						r := pos/g.Out[1]*g.Stride[0] - g.Padding[0] + k*g.Dilation[0]
						q := pos%g.Out[1]*g.Stride[1] - g.Padding[1] + l*g.Dilation[1]
						v := 0.0
						if r >= 0 && r < g.Image[0] && q >= 0 && q < g.Image[1] {
							v = img[(c*g.Image[0]+r)*g.Image[1]+q]
						}
						want = append(want, v)
					}
				}
			}
		}
		got := slices.Repeat([]float64{-1}, rows*(hi-lo))
		Gather(g, got, img, lo, hi)
		if !slices.Equal(got, want) {
			t.Fatalf("%+v, positions %d to %d: %v, want %v", g, lo, hi, got, want)
		}
		y, back := make([]float64, len(got)), make([]float64, len(img))
		for i := range y {
			y[i] = float64(rng.IntN(9) - 4)
		}
		Scatter(g, back, y, lo, hi)
		a, b := 0.0, 0.0
		for i := range y {
			a += y[i] * got[i]
		}
		for i := range img {
			b += img[i] * back[i]
		}
		if a != b {
			t.Fatalf("%+v: products %v and %v", g, a, b)
		}
	}
}

func TestEach(t *testing.T) {
	for _, g := range grids() {
		g.Dilation = [2]int{1, 1}
		next := 0
		g.Each(func(pos, r0, r1, c0, c1 int) {
			if pos != next {
				t.Fatalf("position %d, want %d", pos, next)
			}
			next++
			if r0 > r1 || c0 > c1 {
				t.Fatalf("%+v: position %d: rows %d to %d, columns %d to %d", g, pos, r0, r1, c0, c1)
			}
			for r := range g.Image[0] {
				for c := range g.Image[1] {
					i, j := r+g.Padding[0]-pos/g.Out[1]*g.Stride[0], c+g.Padding[1]-pos%g.Out[1]*g.Stride[1]
					under := i >= 0 && i < g.Kernel[0] && j >= 0 && j < g.Kernel[1]
					if under != (r >= r0 && r < r1 && c >= c0 && c < c1) {
						t.Fatalf("%+v: position %d: pixel %d,%d", g, pos, r, c)
					}
				}
			}
		})
		if next != g.Positions() {
			t.Fatalf("%d positions, want %d", next, g.Positions())
		}
	}
}

func ExampleGather() {
	g := Grid{Image: [2]int{3, 3}, Out: [2]int{2, 2}, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	patches := make([]float64, 4*4)
	Gather(g, patches, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0, 4)
	for row := range slices.Chunk(patches, 4) {
		fmt.Println(row)
	}
	// Output:
	// [1 2 4 5]
	// [2 3 5 6]
	// [4 5 7 8]
	// [5 6 8 9]
}
