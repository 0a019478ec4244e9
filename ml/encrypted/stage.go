package encrypted

import (
	"errors"
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/internal/parallel"
)

// activation is what follows the linear part of a stage under encryption.
type activation uint8

const (
	actNone activation = iota
	actSquare
	actPolynomial
)

// stage is y = act(Σ terms + b): what one product, or a sum of products, and an activation compute. Between two stages
// nothing else happens.
type stage struct {
	name  string // for scopes and errors: "dense1"
	shape []int  // of the result
	terms []term
	b     []float64
	act   activation
	poly  polynomial
	fn    function // that act computes

	pre, post       span      // of the values before and after the activation
	preRMS, postRMS float64   // root mean square
	largest         float64   // magnitude of a weight
	wide            float64   // magnitude before the activation of inputs larger than the calibration set's by the range margin
	samples         []float64 // some values before the activation
	followed        []float64 // results for some samples, as a batch follows them

	before, after reachable // of a batch: bounds before the activation, and of the result
	peak          float64   // of a polynomial: the largest magnitude on its interval
}

// term is a linear map of one earlier value.
type term struct {
	from int      // the stage whose result it reads; -1 is the model's input
	pool *pooling // sums that come first, or nil
	m    *linear  // of the value, or of the sums
}

// pooling adds up squares of factor × factor pixels of an image of shape in, [channels, rows, columns].
type pooling struct {
	factor int
	in     []int
}

func (p *pooling) out() []int { return []int{p.in[0], p.in[1] / p.factor, p.in[2] / p.factor} }

func (p *pooling) window() window {
	return window{[2]int{p.factor, p.factor}, [2]int{p.factor, p.factor}, [2]int{}, [2]int{1, 1}}
}

// whole returns the term as one matrix.
func (t *term) whole() (*linear, error) {
	if t.pool == nil {
		return t.m, nil
	}
	return after(t.m, poolMap(t.pool.window(), 1, t.pool.in, t.pool.out()))
}

// rows is the number of elements of the result.
func (s *stage) rows() int { return len(s.b) }

// span is the range of a set of values.
type span struct{ lo, hi float64 }

func spanOf(v []float64) span {
	s := span{math.Inf(1), math.Inf(-1)}
	for _, x := range v {
		s.lo, s.hi = min(s.lo, x), max(s.hi, x)
	}
	return s
}

// abs returns the largest magnitude.
func (s span) abs() float64 { return max(math.Abs(s.lo), math.Abs(s.hi)) }

// reach returns the magnitude after the activation that must not overflow: that of inputs which are larger than those
// of the calibration set by the range margin.
func (s *stage) reach() float64 {
	switch s.act {
	case actSquare:
		return s.wide * s.wide
	case actPolynomial:
		if s.after.each != nil {
			return s.after.largest()
		}
		return max(rangeMargin*s.post.abs(), s.peak)
	}
	return s.wide
}

func rms(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum / float64(max(1, len(v))))
}

// Values of a stage are computed at a scale that is smaller by as many bits as they are larger than 1, so that they take
// as much of the modulus, and have as many bits, as any other. Sizes within some bits of 1 are left alone.

// sizeZone is how many bits a size may be off, and maxSize how many are made up for.
const (
	sizeZone = 6
	maxSize  = 300
)

func sizeBits(magnitude float64) int {
	e := math.Log2(magnitude)
	if math.Abs(e) <= sizeZone || magnitude == 0 {
		return 0
	}
	return int(math.Round(max(-maxSize, min(maxSize, e))))
}

// preBits and postBits are the sizes of values before and after the activation, in bits. What a polynomial is evaluated on
// is mapped to [-1, 1].
func (s *stage) preBits() int {
	if s.act == actPolynomial {
		return 0
	}
	return sizeBits(s.pre.abs())
}

func (s *stage) postBits() int {
	switch s.act {
	case actSquare: // at the scale that the rescale leaves
		return 2 * s.preBits()
	case actPolynomial:
		return sizeBits(s.post.abs())
	}
	return s.preBits()
}

// depth returns the levels that a stage consumes: its activation, and the rescale of its product.
func (s *stage) depth(rescale bool) int {
	d := 0
	if rescale {
		d++
	}
	switch s.act {
	case actSquare:
		d++
	case actPolynomial:
		d += s.poly.Depth()
	}
	return d
}

// basis returns the map that the polynomial wants its input in, the identity if there is none.
func (s *stage) basis() (scale, shift float64) {
	if s.act != actPolynomial {
		return 1, 0
	}
	return s.poly.ChangeOfBasis()
}

// mapped returns samples of the activation's input, as the polynomial wants them.
func (s *stage) mapped() []float64 {
	scale, shift := s.basis()
	out := make([]float64, len(s.samples))
	for i, x := range s.samples {
		out[i] = x*scale + shift
	}
	return out
}

// domain is what the polynomial's input must hold.
func (s *stage) domain(t program.Value) program.Domain {
	d := s.poly.Domain(t)
	d.Name = s.label() + ": " + d.Name
	return d
}

// label is the scope of the stage's activation.
func (s *stage) label() string { return fmt.Sprintf("%s after %s", s.fn, s.name) }

// linear returns the values before the activation of n samples. values holds the results of the stages before, x the
// inputs.
func (s *stage) linear(n int, x []float64, values [][]float64) []float64 {
	rows := s.rows()
	y := make([]float64, n*rows)
	parallel.Each(n, func(k int) {
		out := y[k*rows : (k+1)*rows]
		for i := range s.terms {
			t := &s.terms[i]
			v := x
			if t.from >= 0 {
				v = values[t.from]
			}
			width := len(v) / n
			in := v[k*width : (k+1)*width]
			if t.pool != nil {
				sums := make([]float64, t.m.cols)
				o := t.pool.out()
				for c := range o[0] {
					for r := range o[1] {
						for q := range o[2] {
							t.pool.window().taps(r, q, t.pool.in[1], t.pool.in[2], func(_, _, iy, ix int) {
								sums[(c*o[1]+r)*o[2]+q] += in[(c*t.pool.in[1]+iy)*t.pool.in[2]+ix]
							})
						}
					}
				}
				in = sums
			}
			t.m.addTo(out, in)
		}
		for r, b := range s.b {
			out[r] += b
		}
	})
	return y
}

// activate applies the activation, as it is computed under encryption, in place.
func (s *stage) activate(v []float64) {
	switch s.act {
	case actSquare:
		for i := range v {
			v[i] *= v[i]
		}
	case actPolynomial:
		parallel.Ranges(len(v), func(lo, hi int) {
			for i := lo; i < hi; i++ {
				v[i] = s.poly.Eval(v[i])
			}
		})
	}
}

// The largest errors of a polynomial that stands for an activation, relative to the activation's largest value on the
// calibrated range. The error is part of the Twin, so it costs accuracy against the model, not precision against the
// Twin. A probability at the end is looked at, not computed with.
const (
	hiddenTolerance = 1.0 / 64
	lastTolerance   = 1.0 / 16
)

// noiseMargin is room for noise at the ends of a polynomial's interval.
const noiseMargin = 1 + 1.0/128

// maxSamples is how many values before an activation are kept. All stages keep as many: operations meet two of them.
const maxSamples = 256

// calibrate runs the calibration set of n samples through the stages and records ranges and magnitudes. It fits the
// polynomials of activations to the widened ranges, or, of a batch, to whatever an input may lead to.
func (c *compiler) calibrate(n int) error {
	values := make([][]float64, len(c.stages))
	reach := c.reach
	for i, s := range c.stages {
		y := s.linear(n, c.inputs, values)
		if r := spanOf(y); math.IsNaN(r.abs()) || math.IsInf(r.abs(), 0) {
			return &CalibrationError{fmt.Sprintf("calibration of %s: values are not finite", s.name)}
		}
		s.pre, s.preRMS = spanOf(y), rms(y)
		for _, t := range s.terms {
			for _, w := range t.m.val {
				s.largest = max(s.largest, math.Abs(w))
			}
		}
		err := s.widen(y, c.growth(s), reach)
		if err != nil {
			return err
		}
		s.samples = make([]float64, maxSamples)
		for k := range s.samples {
			s.samples[k] = y[k%len(y)]
		}
		if s.act == actPolynomial {
			tol := c.target.Tolerance
			if tol == 0 {
				tol = hiddenTolerance * c.effort.finer
				if i == len(c.stages)-1 {
					tol = lastTolerance * c.effort.finer
				}
			}
			floor := s.fn.floor(s.pre.abs())
			interval := rangeMargin * max(s.pre.abs(), floor)
			if reach != nil {
				interval = max(s.wide*noiseMargin, floor)
			}
			if interval == 0 {
				return &InfeasibleError{Layer: s.name, Err: fmt.Errorf("%s: every input of it is zero for the calibration set", s.label()), Nearest: "leave the layer out, or use other samples"}
			}
			if s.poly, err = fit(s.fn, s.pre, interval, tol); err != nil {
				return &InfeasibleError{Layer: s.name, Err: fmt.Errorf("%s: %w", s.label(), err), Nearest: "use activations of a smaller range, or a larger Target.Tolerance"}
			}
			s.peak = peakOf(s.poly)
		}
		if reach != nil {
			if s.after, err = s.activated(s.before, reach.norm); err != nil {
				return err
			}
			reach = &s.after
		}
		s.activate(y)
		s.post, s.postRMS = spanOf(y), rms(y)
		s.followed = y[:c.followed()*s.rows()]
		values[i] = y
	}
	return nil
}

// activated returns the bounds of the stage's result in a batch, from those before the activation and the norm of what
// the stage reads.
func (s *stage) activated(before reachable, norm float64) (reachable, error) {
	switch s.act {
	case actSquare:
		m, err := s.terms[0].whole()
		if err != nil {
			return reachable{}, err
		}
		return before.squared(m, s.b, norm), nil
	case actPolynomial:
		return before.polynomial(s), nil
	}
	return before, nil
}

// maxGrowth bounds how many times what it is for the calibration set a value may become: an activation that is all but
// zero there has no size to go by.
const maxGrowth = 64

// growth returns how many times what they are for the calibration set the values that a stage reads may become: inputs by
// the range margin, and results of stages by their reach.
func (c *compiler) growth(s *stage) float64 {
	g := 1.0
	for _, t := range s.terms {
		if t.from < 0 {
			g = max(g, rangeMargin)
		} else if before := c.stages[t.from]; before.post.abs() > 0 {
			g = max(g, min(maxGrowth, before.reach()/before.post.abs()))
		}
	}
	return g
}

// widen finds how large values before the activation may become: y are those of the calibration set, of which the stage
// reads so many times as much, or reach bounds what it reads of any sample that the port lets in.
func (s *stage) widen(y []float64, growth float64, reach *reachable) error {
	if reach == nil {
		for k, v := range y {
			bias := s.b[k%s.rows()]
			s.wide = max(s.wide, growth*math.Abs(v-bias)+math.Abs(bias))
		}
		return nil
	}
	m, err := s.terms[0].whole()
	if err != nil {
		return err
	}
	s.before = reach.linear(m, s.b, false)
	s.wide = s.before.largest()
	if !(s.wide < math.MaxFloat64) {
		return &InfeasibleError{Layer: s.name, Err: errors.New("values are too large for any prime"), Nearest: "use fewer layers with squares"}
	}
	return nil
}
