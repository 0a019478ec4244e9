package window

// Grid is a kernel that moves over one channel of an image. Fields are rows first, then
// columns. It is not checked: an output position may see padding only, no field may be
// negative, and strides and dilations are at least 1.
type Grid struct {
	Image    [2]int // height, width
	Out      [2]int // positions: ⌊(Image + 2·Padding - Dilation·(Kernel-1) - 1)/Stride⌋ + 1
	Kernel   [2]int
	Stride   [2]int
	Padding  [2]int
	Dilation [2]int
}

// Number is what images consist of; integers are those of quantised models.
type Number interface{ ~float32 | ~float64 | ~int64 }

// Positions returns the number of output positions.
func (g Grid) Positions() int { return g.Out[0] * g.Out[1] }

// Pixels returns the number of elements of one channel of the image.
func (g Grid) Pixels() int { return g.Image[0] * g.Image[1] }

// Gather fills dst with the patches under the kernel at positions lo to hi-1, counted row
// by row: a matrix with one row per channel and element of the kernel, in that order,
// and one column per position. Padding is zero. img holds whole channels.
func Gather[T Number](g Grid, dst, img []T, lo, hi int) {
	g.segments(len(img)/g.Pixels(), lo, hi, func(at, run, from, first, last int) {
		seg := dst[at : at+run]
		clear(seg[:first])
		clear(seg[last:])
		if seg = seg[first:last]; g.Stride[1] == 1 {
			copy(seg, img[from:])
			return
		}
		for q := range seg {
			seg[q] = img[from+q*g.Stride[1]]
		}
	})
}

// Scatter is the transpose of [Gather]: it adds every element of src to the pixel of img
// from which Gather would have taken it.
func Scatter[T Number](g Grid, img, src []T, lo, hi int) {
	g.segments(len(img)/g.Pixels(), lo, hi, func(at, _, from, first, last int) {
		for q, v := range src[at+first : at+last] {
			img[from+q*g.Stride[1]] += v
		}
	})
}

// segments calls f for the pieces of the patch matrix that lie in one row of outputs:
// run elements from element at, of which first to last-1 lie inside the image, the first
// of them at pixel from and each following one Stride[1] further.
func (g Grid) segments(channels, lo, hi int, f func(at, run, from, first, last int)) {
	at := 0
	for c := range channels {
		for k := range g.Kernel[0] {
			for l := range g.Kernel[1] {
				for pos := lo; pos < hi; {
					i, j := pos/g.Out[1], pos%g.Out[1]
					run := min(g.Out[1]-j, hi-pos)
					row := i*g.Stride[0] - g.Padding[0] + k*g.Dilation[0]
					col := j*g.Stride[1] - g.Padding[1] + l*g.Dilation[1] // of the run's first element
					first, last, from := 0, 0, 0
					if row >= 0 && row < g.Image[0] {
						// The q with 0 <= col + q·stride < width.
						first = min(max(ceilDiv(-col, g.Stride[1]), 0), run)
						last = max(min(ceilDiv(g.Image[1]-col, g.Stride[1]), run), first)
						if first < last {
							from = (c*g.Image[0]+row)*g.Image[1] + col + first*g.Stride[1]
						}
					}
					f(at, run, from, first, last)
					at, pos = at+run, pos+run
				}
			}
		}
	}
}

// ceilDiv returns ⌈a/b⌉ for positive b.
func ceilDiv(a, b int) int {
	if b == 1 { // as most strides
		return a
	}
	if a <= 0 {
		return -(-a / b)
	}
	return (a-1)/b + 1
}

// Each calls f for every output position, row by row, with the part of the image under
// the kernel: rows r0 to r1-1 and columns c0 to c1-1, none when it stops on padding. Dilation counts as 1.
func (g Grid) Each(f func(pos, r0, r1, c0, c1 int)) {
	for i := range g.Out[0] {
		r := i*g.Stride[0] - g.Padding[0]
		r0 := max(r, 0)
		r1 := max(min(r+g.Kernel[0], g.Image[0]), r0)
		for j := range g.Out[1] {
			c := j*g.Stride[1] - g.Padding[1]
			c0 := max(c, 0)
			f(i*g.Out[1]+j, r0, r1, c0, max(min(c+g.Kernel[1], g.Image[1]), c0))
		}
	}
}
