package encrypted

import (
	"math"
	"slices"

	"github.com/signet-ml/signet/ml/internal/parallel"
)

// In a batch a value that leaves the modulus harms the samples in all other slots. So the sizes of a batch are those that
// values have for any sample that the input's port lets in, not those that they had for the calibration set: the port
// bounds every feature and the norm of a sample as a whole, and both bounds are carried through the layers. Bounds by
// element alone would be far too wide for layers of many inputs, whose values do not all lie at their ends at once.

// roundingMargin is room for the rounding of weights to integers, and roundingFloor that of a row whose weights are small,
// by the largest of all rows. Integers whose own bounds need more are not taken.
const (
	roundingMargin = 1 + 1.0/16
	roundingFloor  = 1.0 / 256
)

// normMargin is how much larger than the largest norm in the calibration set that of a sample may be, and tightMargin the
// same where no program serves otherwise.
const (
	normMargin  = 1.5
	tightMargin = 1.1
)

// reachable bounds a vector that is computed from a sample.
type reachable struct {
	each    []span     // where its elements lie
	norm    float64    // its largest Euclidean norm
	squares *quadratic // that its elements are, or nil
}

// within reports whether every element lies where s allows.
func (r reachable) within(s reachable) bool {
	for i, v := range r.each {
		if !(v.lo >= s.each[i].lo && v.hi <= s.each[i].hi) {
			return false
		}
	}
	return true
}

// quadratic is a vector of squares of linear maps of a vector of bounded norm: u·(v, 1) squared for every row u.
type quadratic struct {
	gram []float64 // of the rows, the 1 scaled to the norm
	n    int       // rows
	norm float64   // of the vector with what the 1 became
}

func (r reachable) largest() float64 {
	m := 0.0
	for _, v := range r.each {
		m = max(m, v.abs())
	}
	return m
}

// corner returns the largest norm that bounds by element allow.
func (r reachable) corner() float64 {
	sum := 0.0
	for _, v := range r.each {
		sum += v.abs() * v.abs()
	}
	return math.Sqrt(sum)
}

func euclidean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

// inputReach returns the bounds of samples of n numbers, and their norm as the port states it.
func inputReach(x []float64, n int, bound, margin float64) reachable {
	r := reachable{each: slices.Repeat([]span{{-bound, bound}}, n)}
	for i := 0; i < len(x); i += n {
		r.norm = max(r.norm, euclidean(x[i:i+n]))
	}
	r.norm = min(r.norm*margin, r.corner())
	return r
}

// row returns where a row's product with the vector lies.
func (r reachable) row(cols []int32, weights []float64) span {
	var s span
	squares := 0.0
	for i, c := range cols {
		a, b := weights[i]*r.each[c].lo, weights[i]*r.each[c].hi
		s.lo, s.hi = s.lo+min(a, b), s.hi+max(a, b)
		squares += weights[i] * weights[i]
	}
	most := math.Sqrt(squares) * r.norm
	s.lo, s.hi = max(s.lo, -most), min(s.hi, most)
	if r.squares != nil {
		q := r.squares.row(cols, weights)
		s.lo, s.hi = max(s.lo, q.lo), min(s.hi, q.hi)
	}
	return s
}

// row returns where a sum of squares with weights lies: of the positive and of the negative ones, the largest eigenvalue.
func (q *quadratic) row(cols []int32, weights []float64) span {
	side := func(sign float64) float64 {
		root := make([]float64, q.n)
		for i, c := range cols {
			root[c] = math.Sqrt(max(0, sign*weights[i]))
		}
		if slices.Max(root) == 0 {
			return 0
		}
		g, trace := make([]float64, len(q.gram)), 0.0
		for i := range q.n {
			for j := range q.n {
				g[i*q.n+j] = root[i] * q.gram[i*q.n+j] * root[j]
			}
			trace += g[i*q.n+i]
		}
		if trace < math.SmallestNonzeroFloat64*math.Exp2(200) { // too small to tell: the bounds by row apply
			return math.Inf(1)
		}
		top := gramBound(g, q.n, math.Sqrt(trace))
		return top * top * q.norm * q.norm
	}
	return span{-side(-1), side(1)}
}

// maxQuadratic is the largest number of squares that are bounded together.
const maxQuadratic = 64

// linear returns the bounds of m·x + b, with room for the rounding of m or, if it is rounded already, without.
func (r reachable) linear(m *linear, b []float64, rounded bool) reachable {
	margin, floor := roundingMargin, roundingFloor
	if rounded {
		margin, floor = 1, 0
	}
	out := reachable{each: make([]span, m.rows)}
	largest := 0.0
	for i := range out.each {
		cols, weights := m.Row(i)
		out.each[i] = r.row(cols, weights)
		largest = max(largest, out.each[i].abs())
	}
	for i, s := range out.each {
		room := (margin-1)*s.abs() + floor*largest
		out.each[i] = span{s.lo - room + b[i], s.hi + room + b[i]}
	}
	out.norm = min(out.corner(), margin*spectral(m)*r.norm+euclidean(b))
	return out
}

// squared returns the bounds of the squares of m·x + b, which r bounds, when x has a norm.
func (r reachable) squared(m *linear, b []float64, norm float64) reachable {
	out := reachable{each: make([]span, len(r.each))}
	for i, v := range r.each {
		out.each[i].hi = v.abs() * v.abs()
	}
	out.norm = min(out.corner(), r.largest()*r.norm)
	if m.rows <= maxQuadratic && norm > 0 {
		q := &quadratic{gram: m.rowGram(), n: m.rows, norm: math.Sqrt2 * norm}
		for i := range m.rows {
			for j := range m.rows {
				q.gram[i*m.rows+j] += b[i] * b[j] / (norm * norm)
			}
		}
		out.squares = q
	}
	return out
}

// polynomial returns the bounds of an activation's polynomial at elements that r bounds.
func (r reachable) polynomial(st *stage) reachable {
	out := reachable{each: make([]span, len(r.each))}
	peak, e := st.peak, st.poly.MaxError()
	for i, v := range r.each {
		out.each[i] = span{-peak, peak}
		switch st.fn {
		case sigmoid:
			out.each[i] = span{-e, min(peak, 1+e)}
		case relu:
			out.each[i] = span{-e, min(peak, max(v.hi, 0)+e)}
		default: // all others lie between 0 and their argument
			out.each[i] = span{max(-peak, min(v.lo, 0)-e), min(peak, max(v.hi, 0)+e)}
		}
	}
	out.norm = out.corner()
	if st.fn != sigmoid {
		out.norm = min(out.norm, r.norm+e*math.Sqrt(float64(len(r.each))))
	}
	return out
}

// peakOf returns the largest magnitude of a polynomial on its interval, up to a hundredth.
func peakOf(p polynomial) float64 {
	lo, hi := p.Interval()
	const steps = 4096
	peak := 0.0
	for k := range steps + 1 {
		peak = max(peak, math.Abs(p.Eval(lo+(hi-lo)*float64(k)/steps)))
	}
	return peak * 1.01
}

// spectral returns a bound of the largest singular value of a matrix, within a fifth for matrices of few rows or columns.
func spectral(m *linear) float64 {
	frobenius := 0.0
	rows, cols := make([]float64, m.rows), make([]float64, m.cols)
	for r := range m.rows {
		at, vals := m.Row(r)
		for i, v := range vals {
			frobenius += v * v
			rows[r] += math.Abs(v)
			cols[at[i]] += math.Abs(v)
		}
	}
	best := min(math.Sqrt(frobenius), math.Sqrt(slices.Max(rows)*slices.Max(cols)))
	const most = 256
	if n := min(m.rows, m.cols); n <= most && best > 0 && !math.IsInf(best, 0) {
		best = min(best, gramBound(m.gram(), n, best))
	}
	return best
}

// gram returns the smaller of m·mᵀ and mᵀ·m.
func (l *linear) gram() []float64 {
	if l.rows > l.cols {
		n := l.cols
		g := make([]float64, n*n)
		for r := range l.rows {
			cols, vals := l.Row(r)
			for i, a := range cols {
				for j, b := range cols {
					g[int(a)*n+int(b)] += vals[i] * vals[j]
				}
			}
		}
		return g
	}
	return l.rowGram()
}

// rowGram returns m·mᵀ.
func (l *linear) rowGram() []float64 {
	n := l.rows
	g := make([]float64, n*n)
	dense := make([]float64, l.cols)
	for r := range l.rows {
		cols, vals := l.Row(r)
		for i, c := range cols {
			dense[c] = vals[i]
		}
		for s := range r + 1 {
			at, w := l.Row(s)
			sum := 0.0
			for i, c := range at {
				sum += w[i] * dense[c]
			}
			g[r*n+s], g[s*n+r] = sum, sum
		}
		for _, c := range cols {
			dense[c] = 0
		}
	}
	return g
}

// gramBound returns a bound of the square root of the largest eigenvalue of g, which is positive semidefinite: the trace
// of g^16 is at least that eigenvalue's power. size is another bound, to divide by.
func gramBound(g []float64, n int, size float64) float64 {
	for i := range g {
		g[i] /= size * size
	}
	logScale := 0.0 // of what g was divided by since, of the power that it is
	const squarings = 4
	for range squarings {
		g = squareOf(g, n)
		trace := traceOf(g, n)
		if !(trace > 0) {
			return size
		}
		for i := range g {
			g[i] /= trace
		}
		logScale = 2*logScale + math.Log(trace)
	}
	power := float64(int(1) << squarings)
	return size * math.Exp((logScale+math.Log(traceOf(g, n)))/(2*power)) * (1 + 1e-9)
}

func traceOf(g []float64, n int) float64 {
	sum := 0.0
	for i := range n {
		sum += g[i*n+i]
	}
	return sum
}

// squareOf returns the square of a symmetric matrix.
func squareOf(g []float64, n int) []float64 {
	out := make([]float64, n*n)
	parallel.Each(n, func(i int) {
		a := g[i*n : (i+1)*n]
		for j := range i + 1 {
			b := g[j*n : (j+1)*n]
			sum := 0.0
			for k, v := range a {
				sum += v * b[k]
			}
			out[i*n+j] = sum
		}
	})
	for i := range n {
		for j := range i {
			out[j*n+i] = out[i*n+j]
		}
	}
	return out
}
