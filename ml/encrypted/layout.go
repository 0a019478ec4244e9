package encrypted

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/program"
)

// step is how one stage's linear part is computed: one product per term, added up, into one layout.
type step struct {
	products  []product
	candidate *layoutCandidate // the result's
}

// product is how one term is computed. Exactly one of shape, patches and general is set.
type product struct {
	from    int
	m       *linear       // with the basis of the polynomial after it folded in
	pool    *lintrans.Sum // comes first, or nil
	shape   *lintrans.Shape
	patches *lintrans.Patches
	general *lintrans.Product
	cost    float64
}

// layoutPlan is a way to compute the first stages, and its cost.
type layoutPlan struct {
	cost  float64
	steps []step
}

// layoutBeam is how many ways to compute the first stages are kept: what costs more there may save more later.
const layoutBeam = 12

// maxCiphertexts is the largest number of ciphertexts of one value of a single sample.
const maxCiphertexts = 8

// sendCost is what sending one row of a ciphertext costs, in transforms of a row: 35 bits a word, half of the row a
// seed, over a link of transferRate.
const sendCost = 35.0 / 8 / 2 / transferRate / rowNTT

// layOut chooses how every stage is computed in a ring, the cheapest found by a beam search over layouts: which slots
// hold a result decides how many diagonals the product that makes it and those that read it have.
func (c *compiler) layOut(s *singleShape) error {
	beam := []layoutPlan{{}}
	level := s.levels
	for i, st := range c.stages {
		sumLevel := level
		if c.rescales(i, s.rescale) {
			sumLevel--
		}
		terms, err := c.terms(i)
		if err != nil {
			return err
		}
		var next []layoutPlan
		var last error
		for _, before := range beam {
			for _, out := range c.candidates(i, s.slots()) {
				total, ok := before.cost, true
				st := step{candidate: out}
				for j := range terms {
					p, err := c.product(s, before, &terms[j], out, level, sumLevel)
					if err != nil {
						last, ok = err, false
						break
					}
					st.products = append(st.products, p)
					total += p.cost
				}
				if ok {
					next = append(next, layoutPlan{total, append(slices.Clone(before.steps), st)})
				}
			}
		}
		if len(next) == 0 {
			return &unfitError{st.name, cmp.Or(last, fmt.Errorf("%d values do not fit %d ciphertexts of %d slots", st.rows(), maxCiphertexts, s.slots()))}
		}
		slices.SortStableFunc(next, func(a, b layoutPlan) int { return cmp.Compare(a.cost, b.cost) })
		beam = nil
		seen := map[*layoutCandidate]bool{}
		for _, p := range next {
			if end := p.steps[len(p.steps)-1].candidate; len(beam) < layoutBeam && !seen[end] {
				seen[end] = true
				beam = append(beam, p)
			}
		}
		level -= st.depth(c.rescales(i, s.rescale))
	}
	s.steps = beam[0].steps
	return nil
}

// layoutCandidate is a layout that is worth trying for a value.
type layoutCandidate struct {
	layout lintrans.Layout
	grid   *grid            // that it is, or nil
	pooled *layoutCandidate // what is left of it when its phases are summed up, or nil
}

func gridCandidate(g grid) *layoutCandidate {
	l := &layoutCandidate{layout: g.layout(), grid: &g}
	if g.phase > 1 {
		l.pooled = gridCandidate(g.pooled())
	}
	return l
}

// candidates returns the layouts that are worth trying for a stage's result.
func (c *compiler) candidates(i, slots int) []*layoutCandidate {
	if got, ok := c.layouts[[2]int{i, slots}]; ok {
		return got
	}
	st, last := c.stages[i], i == len(c.stages)-1
	var out []*layoutCandidate
	// After a polynomial, slots that hold zero would not stay zero, so the last stage leaves none.
	if l := compact(st.rows(), last && st.act == actPolynomial); len(l) <= maxCiphertexts*slots {
		out = append(out, &layoutCandidate{layout: l})
	}
	if !last && len(st.shape) == 3 {
		for _, g := range grids(st.shape, maxCiphertexts*slots) {
			out = append(out, gridCandidate(g))
		}
	}
	c.layouts[[2]int{i, slots}] = out
	return out
}

// scaledTerm is a term with the basis of the polynomial after it folded in.
type scaledTerm struct {
	from  int
	whole *linear // of the value
	pool  *pooling
	m     *linear // of the pooled value
}

// terms returns the terms of a stage.
func (c *compiler) terms(i int) ([]scaledTerm, error) {
	if c.scaled[i] != nil {
		return c.scaled[i], nil
	}
	st := c.stages[i]
	scale, _ := st.basis()
	by := func(int) float64 { return scale }
	var out []scaledTerm
	for _, t := range st.terms {
		whole, err := t.whole()
		if err != nil {
			return nil, err
		}
		s := scaledTerm{from: t.from, whole: whole.scaled(by), pool: t.pool}
		if s.m = s.whole; t.pool != nil {
			s.m = t.m.scaled(by)
		}
		out = append(out, s)
	}
	c.scaled[i] = out
	return out, nil
}

// general returns the product of a matrix between two layouts, from a cache: the rings and levels that are tried differ
// in its cost only.
func (c *compiler) general(s *singleShape, m *linear, in, out *layoutCandidate, level, sumLevel int) (*lintrans.Product, error) {
	key := productKey{s.slots(), m, in, out}
	p, ok := c.products[key]
	if !ok {
		var err error
		if p, err = lintrans.NewProduct(s.slots(), m, in.layout, out.layout); err != nil {
			return nil, err
		}
		c.products[key] = p
	}
	return p.For(level, sumLevel, s.specials, lintrans.DefaultCost), nil
}

type productKey struct {
	slots   int
	m       *linear
	in, out *layoutCandidate
}

// product returns the cheapest way to compute one term.
func (c *compiler) product(s *singleShape, before layoutPlan, t *scaledTerm, out *layoutCandidate, level, sumLevel int) (product, error) {
	if t.from < 0 {
		return c.firstProduct(s, t.whole, out, level, sumLevel)
	}
	in := before.steps[t.from].candidate
	general, err := c.general(s, t.whole, in, out, level, sumLevel)
	if err != nil {
		return product{}, err
	}
	best := product{from: t.from, m: t.whole, general: general, cost: general.Cost}
	if t.pool == nil || in.pooled == nil || in.grid.phase != t.pool.factor || len(in.layout) > s.slots() {
		return best, nil
	}
	sum := lintrans.ChooseSum(in.grid.stride(), t.pool.factor*t.pool.factor, level, s.specials, lintrans.DefaultCost)
	pooled, err := c.general(s, t.m, in.pooled, out, level, sumLevel)
	if err != nil {
		return product{}, err
	}
	if cost := pooled.Cost + sum.Cost; cost < best.cost {
		best = product{from: t.from, m: t.m, pool: &sum, general: pooled, cost: cost}
	}
	return best, nil
}

// firstProduct returns the cheapest way to compute a term of the model's input, which the client packs for it.
func (c *compiler) firstProduct(s *singleShape, m *linear, out *layoutCandidate, level, sumLevel int) (product, error) {
	cost, k, slots := lintrans.DefaultCost, s.specials, s.slots()
	send := sendCost * float64(s.levels+1)
	inputs := c.inputLayouts(slots)
	switch {
	case c.inputTerms() > 1:
		// Several products read the input: one plain layout serves them all.
		general, err := c.general(s, m, inputs[0], out, level, sumLevel)
		if err != nil {
			return product{}, err
		}
		return product{from: -1, m: m, general: general, cost: general.Cost}, nil
	case c.target.Patches:
		patches, err := lintrans.NewPatches(slots, m, out.layout, level, sumLevel, k, cost, send)
		if err != nil {
			return product{}, err
		}
		return product{from: -1, m: m, patches: patches, cost: patches.Cost}, nil
	}
	best := product{cost: math.Inf(1)}
	var failed error
	if len(out.layout) <= slots {
		shape, err := lintrans.Choose(slots, len(out.layout), m.cols, level, sumLevel, k, cost)
		if err != nil {
			failed = err
		} else {
			best = product{from: -1, m: m, shape: &shape, cost: shape.Cost + send}
		}
	}
	for _, in := range inputs {
		general, err := c.general(s, m, in, out, level, sumLevel)
		if err != nil {
			return product{}, err
		}
		if price := general.Cost + send*float64(general.In); price < best.cost {
			best = product{from: -1, m: m, general: general, cost: price}
		}
	}
	if math.IsInf(best.cost, 1) {
		return product{}, failed
	}
	return best, nil
}

// inputTerms counts the products that read the model's input.
func (c *compiler) inputTerms() int {
	n := 0
	for _, st := range c.stages {
		for _, t := range st.terms {
			if t.from < 0 {
				n++
			}
		}
	}
	return n
}

// inputLayouts returns the layouts that are worth trying for the model's input: one element after the other, and grids
// if it is an image.
func (c *compiler) inputLayouts(slots int) []*layoutCandidate {
	if got, ok := c.layouts[[2]int{-1, slots}]; ok {
		return got
	}
	out := []*layoutCandidate{{layout: compact(c.inputLen(), false)}}
	shape := c.inputShape
	if len(shape) == 2 {
		shape = []int{1, shape[0], shape[1]}
	}
	if len(shape) == 3 {
		for _, g := range grids(shape, maxCiphertexts*slots) {
			if in := gridCandidate(g); g.gap == 1 && noneEmpty(in.layout, slots) {
				out = append(out, in)
			}
		}
	}
	c.layouts[[2]int{-1, slots}] = out
	return out
}

// noneEmpty reports whether every ciphertext of a layout holds something, as those of a port do.
func noneEmpty(l lintrans.Layout, slots int) bool {
	for i := range l.Count(slots) {
		if !slices.ContainsFunc(l[i*slots:min(len(l), (i+1)*slots)], func(e int32) bool { return e >= 0 }) {
			return false
		}
	}
	return true
}

// runs returns the runs and the number of ciphertexts of the input's port.
func (s *singleShape) runs(cols int) ([]program.Run, int) {
	for _, st := range s.steps {
		for _, p := range st.products {
			switch {
			case p.from >= 0:
			case p.shape != nil:
				return p.shape.Runs(), 1
			case p.patches != nil:
				return p.patches.Runs(), p.patches.Count
			default:
				in := p.general.InputLayout()
				return in.Runs(s.slots()), in.Count(s.slots())
			}
		}
	}
	panic("encrypted: no product reads the input")
}

// forEncrypted returns the product with the baby steps that are cheapest for encrypted weights.
func (p *product) forEncrypted(level, k int) *product {
	q := *p
	switch {
	case p.shape != nil:
		s := p.shape.ForEncrypted(level, k, lintrans.DefaultCost)
		q.shape = &s
	case p.general != nil:
		q.general = p.general.ForEncrypted(level, k, lintrans.DefaultCost)
	}
	return &q
}
