package encrypted

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

// Limits of the search.
const (
	minLogN = 11
	maxLogN = 16
	// fastBits is the largest size of a prime that kernels in double precision can use; larger ones serve as well, so
	// they are taken only where the smaller do not.
	fastBits = 49
	maxBits  = 60
)

// choice is one set of sizes that a program can be emitted for.
type choice struct {
	q       []int // sizes of primes: base of them, then those that are divided away, the last first
	base    int
	special []int  // sizes of special primes
	bits    int    // log2 of the input's scale
	weights int    // bits of weights that are not as large as a prime
	series  [3]int // choices of one series differ in bits only: the more, the more precise
	single  *singleShape
}

func (ch choice) total() float64 {
	sum := 0
	for _, q := range ch.q {
		sum += q
	}
	for _, p := range ch.special {
		sum += p
	}
	return float64(sum)
}

// candidate is a compiled program that the noise model has judged.
type candidate struct {
	prog    *program.Program
	consts  *program.Constants
	stages  []*stage // with quantised weights, for a batch
	samples int
	bits    float64
	worst   float64
	// rounding is the error of integer weights, relative to the largest output.
	rounding float64
	loses    string // the scope that loses most bits
	private  privateWeights
	domains  []program.Domain
	// alike are, in a draft, values that stand for results of polynomials, by the one that they are like: their errors are
	// as large.
	alike map[program.Value][]program.Value
}

// unfitError says why a choice cannot be emitted; another may.
type unfitError struct {
	layer string
	err   error
}

func (e *unfitError) Error() string { return fmt.Sprintf("encrypted: %s: %v", e.layer, e.err) }
func (e *unfitError) Unwrap() error { return e.err }

// parameters returns those of a choice.
func (c *compiler) parameters(logN int, ch choice) (fhe.Parameters, error) {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: logN, LogQ: ch.q, LogP: ch.special, Security: c.target.Security})
	if err != nil { // small primes can be too few
		return params, &unfitError{c.tail().name, err}
	}
	return params, nil
}

// search returns the first choice, in the smallest ring, at which the noise model promises the precision. What is
// lacking is reported for the largest ring.
func (c *compiler) search() (*candidate, error) {
	var last *InfeasibleError
	for logN := minLogN; logN <= maxLogN; logN++ {
		found, err := c.searchRing(logN)
		if err == nil {
			return found, nil
		}
		var e *InfeasibleError
		if !errors.As(err, &e) {
			return nil, err
		}
		// A larger ring has more modulus, but more noise too.
		if last == nil || !(last.Precision && e.Precision && last.Missing < e.Missing) {
			last = e
		}
	}
	return nil, last
}

func (c *compiler) searchRing(logN int) (*candidate, error) {
	c.logN = logN
	limit, ok := fhe.SecurityLimit(c.target.Security, logN, fhe.SecretDistribution{})
	if !ok {
		return nil, &InfeasibleError{Layer: c.stages[0].name, Err: errors.New("no row in the tables"), Row: fmt.Sprintf("%v, N=2^%d", c.target.Security, logN)}
	}
	row := fmt.Sprintf("%v, N=2^%d, log2(QP) at most %.0f", c.target.Security, logN, limit)
	all := c.choices(logN)
	var err error
	var fit []choice
	var smallest choice
	for i, ch := range all {
		if i == 0 || ch.total() < smallest.total() {
			smallest = ch
		}
		if ch.total() <= limit {
			fit = append(fit, ch)
		}
	}
	if len(all) == 0 {
		layer := c.tail().name
		if c.packing == Batch {
			layer = c.overgrown()
		}
		return nil, c.unfit(&unfitError{layer, errors.New("values are too large for any prime at their scale")}, row)
	}
	if len(fit) == 0 {
		return nil, c.exhausted(smallest, limit, row)
	}
	// The most precise choice of every series tells whether there is anything to look for in this ring.
	top := map[[3]int]choice{}
	var order [][3]int
	for _, ch := range fit {
		if _, ok := top[ch.series]; !ok {
			order = append(order, ch.series)
		}
		if ch.bits >= top[ch.series].bits {
			top[ch.series] = ch
		}
	}
	var best *candidate
	for i := len(order) - 1; i >= 0 && (best == nil || !c.enough(best)); i-- {
		found, e := c.draft(logN, top[order[i]])
		if e != nil {
			err = e
		} else if best == nil || c.lacks(found) < c.lacks(best) {
			best = found
		}
		var unfit *unfitError
		if e != nil && !errors.As(e, &unfit) {
			return nil, e
		}
	}
	switch {
	case best == nil:
		return nil, c.unfit(err, row)
	case !c.enough(best):
		return nil, c.imprecise(best, row)
	}
	if c.packing == Single {
		return c.cheapestSingle(fit, order)
	}
	return c.firstBatch(logN, fit, order, row)
}

// firstThatServes returns the first index in at that serves, or false if the last does not. In a series precision grows
// with the bits, so it is searched by bisection, on drafts.
func (c *compiler) firstThatServes(logN int, fit []choice, at []int) (int, bool, error) {
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(fit[i].bits, fit[j].bits) })
	var failed error
	serves := func(k int) bool {
		found, err := c.draft(logN, fit[at[k]])
		var unfit *unfitError
		if err != nil && !errors.As(err, &unfit) {
			failed = err
		}
		return err == nil && c.enough(found)
	}
	if len(at) == 0 || !serves(len(at)-1) {
		return 0, false, failed
	}
	i := at[sort.Search(len(at)-1, serves)]
	return i, true, failed
}

// firstBatch returns the first choice that is precise enough.
func (c *compiler) firstBatch(logN int, fit []choice, order [][3]int, row string) (*candidate, error) {
	best := len(fit)
	for _, series := range order {
		var at []int
		for i, ch := range fit[:best] {
			if ch.series == series {
				at = append(at, i)
			}
		}
		i, ok, err := c.firstThatServes(logN, fit, at)
		if err != nil {
			return nil, err
		}
		if ok {
			best = min(best, i)
		}
	}
	if best == len(fit) {
		panic("encrypted: the most precise choice of a ring is gone")
	}
	found, err := c.draft(logN, fit[best])
	if err != nil {
		return nil, err
	}
	slots := 1 << (logN - 1)
	whole, err := c.emitBatch(logN, fit[best], max(1, (c.target.Batch+slots-1)/slots), false)
	if err != nil {
		return nil, c.unfit(err, row)
	}
	whole.bits, whole.worst = found.bits, found.worst
	return whole, nil
}

// cheapestSingle returns, of the first choices that are precise enough for each number of special primes, the fastest.
func (c *compiler) cheapestSingle(fit []choice, order [][3]int) (*candidate, error) {
	first := map[int]int{} // the first index in fit that serves, by number of special primes
	for _, series := range order {
		var at []int
		for i, ch := range fit {
			if before, ok := first[series[2]]; ch.series == series && (!ok || i < before) {
				at = append(at, i)
			}
		}
		i, ok, err := c.firstThatServes(fit[0].single.logN, fit, at)
		if err != nil {
			return nil, err
		}
		if ok {
			first[series[2]] = i
		}
	}
	var best choice
	bestCost := math.Inf(1)
	for k := 1; k <= maxSpecials; k++ {
		i, ok := first[k]
		if !ok {
			continue
		}
		found, err := c.draft(fit[i].single.logN, fit[i])
		if err != nil {
			return nil, err
		}
		took, err := seconds(found.prog)
		if err != nil {
			return nil, err
		}
		if took < bestCost {
			best, bestCost = fit[i], took
		}
	}
	return c.emitSingle(best, false)
}

// optimise runs the passes that keep every bit over a program that is to be delivered.
func (found *candidate) optimise() error {
	prog, report, err := pass.Optimize(found.prog)
	if err != nil {
		return fmt.Errorf("encrypted: %w", err)
	}
	found.prog = prog
	domains := found.domains[:0]
	for _, d := range found.domains {
		if v, ok := report.Map(d.Value); ok {
			d.Value = v
			domains = append(domains, d)
		}
	}
	found.domains = domains
	return nil
}

// worstOf is how many standard deviations the largest of a thousand errors lies from zero, in bits.
var worstOf = math.Log2(3.3)

// predictionMargin is what the noise model may be wrong by, in bits.
const predictionMargin = 1.5

// enough reports whether the predicted worst-slot precision, less what integer weights take, serves the target.
func (c *compiler) enough(found *candidate) bool { return c.lacks(found) <= 0 }

// lacks returns how many bits of precision are lacking.
func (c *compiler) lacks(found *candidate) float64 {
	return c.target.Precision + math.Log2(math.Exp2(predictionMargin-found.worst)+found.rounding)
}

// judge asks the noise model for the precision of a program's output relative to the largest output, and for the scope
// in which most of it is lost. seeds are samples of values that operations slot by slot start from.
func (c *compiler) judge(found *candidate, hints program.NoiseHints, seeds map[program.Value][]float64) error {
	vals := propagate(found.prog, found.consts, seeds, &hints)
	c.tried++
	if err := c.ctx.Err(); err != nil {
		return fmt.Errorf("encrypted: compile: %w", err)
	}
	if c.target.Progress != nil {
		c.target.Progress(Progress{c.packing, c.logN, c.tried})
	}
	estimate := func() ([]program.Noise, error) {
		noise, err := found.prog.Noise(found.consts, hints)
		switch {
		case errors.Is(err, program.ErrNoise): // values or errors without bounds: other sizes may do
			return nil, &unfitError{c.tail().name, err}
		case err != nil:
			return nil, fmt.Errorf("encrypted: %w", err)
		}
		return noise, nil
	}
	noise, err := estimate()
	if err != nil {
		return err
	}
	hints.Error = map[program.Value]float64{}
	last := "" // the domain of the polynomial that the outputs are results of
	if tail := c.tail(); tail.act == actPolynomial {
		last = tail.domain(0).Name
	}
	peak := 1.0
	for i, d := range found.domains {
		at := deviations(found.prog, d.Value, vals, noise, &hints)
		if d.Name == last {
			peak = max(peak, at)
		}
		// The polynomials of one layer do not depend on one another.
		if i+1 < len(found.domains) && found.domains[i+1].Name == d.Name {
			continue
		}
		if noise, err = estimate(); err != nil {
			return err
		}
		if len(found.alike) == 0 {
			continue
		}
		for y, others := range found.alike {
			for _, v := range others {
				hints.Error[v] = noise[y].Error
			}
		}
		if noise, err = estimate(); err != nil {
			return err
		}
	}
	e, before, most := 0.0, math.Inf(-1), math.Inf(-1)
	ops := found.prog.Ops()
	for i, o := range ops {
		if o.Code == program.Output {
			e = max(e, noise[i].Error)
		}
		scope := found.prog.Scope(program.Value(i))
		if i+1 < len(ops) && found.prog.Scope(program.Value(i+1)) == scope || !(noise[i].Magnitude > 0) {
			continue
		}
		bits := math.Log2(noise[i].Magnitude / noise[i].Error) // at the end of the scope
		if loss := before - bits; loss > most {
			found.loses, most = scope, loss
		}
		before = bits
	}
	found.bits = math.Log2(c.tail().post.abs() / e)
	found.worst = found.bits - worstOf - math.Log2(peak)
	return nil
}

// InfeasibleError says that no legal parameters serve a target.
type InfeasibleError struct {
	// Layer is where the modulus runs out, the layer that loses most precision, or the one that Err is about.
	Layer  string
	Levels int // that the model consumes
	// MissingLevels is how many of them do not fit the modulus, where that is what lacks.
	MissingLevels int
	// Missing is how many bits of modulus are lacking at least, at the largest ring degree, or bits of precision.
	Missing float64
	// Precision says that the modulus suffices but the noise does not leave the bits asked for.
	Precision bool
	Err       error  // what lacks if neither modulus nor precision does
	Row       string // security row of the largest ring degree, if Err is not about all of them
	Nearest   string // the nearest target that works, or what to change in the model
}

func (e *InfeasibleError) Error() string {
	what := fmt.Sprintf("at least %.0f bits of modulus are lacking for %d levels", e.Missing, e.Levels)
	switch {
	case e.Err != nil:
		what = e.Err.Error()
	case e.Precision:
		what = fmt.Sprintf("%.1f bits of precision are lacking", e.Missing)
	}
	if e.Row != "" {
		what += " (" + e.Row + ")"
	}
	return fmt.Sprintf("encrypted: no legal parameters: at layer %q, %s; %s", e.Layer, what, e.Nearest)
}

func (e *InfeasibleError) Unwrap() error { return e.Err }

// exhausted reports that not even the smallest choice fits the modulus. The layer is the one that would take the first
// prime that is not there.
func (c *compiler) exhausted(ch choice, limit float64, row string) error {
	e := &InfeasibleError{Layer: c.tail().name, Levels: len(ch.q) - ch.base, Missing: ch.total() - limit, Row: row}
	left := limit
	for _, p := range ch.special {
		left -= float64(p)
	}
	for _, q := range ch.q[:ch.base] {
		left -= float64(q)
	}
	top, used := len(ch.q), 0
	for i, st := range c.stages {
		if left < 0 {
			e.Layer = st.name
			break
		}
		for range c.depth(i, ch) {
			top--
			left -= float64(ch.q[top])
			if left >= 0 {
				used++
			}
		}
		if left < 0 {
			e.Layer = st.name
			break
		}
	}
	e.MissingLevels = e.Levels - used
	e.Nearest = fmt.Sprintf("%d of %d levels fit: use fewer layers with activations, or activations of a smaller range; bootstrapping, which this version does not compile, would lift the limit", used, e.Levels)
	return e
}

func (c *compiler) imprecise(best *candidate, row string) error {
	e := &InfeasibleError{Layer: best.loses, Precision: true, Levels: best.prog.Inputs()[0].Level - best.prog.Outputs()[0].Level,
		Missing: c.lacks(best), Row: row,
		Nearest: "use fewer or smaller layers, or activations of a smaller range"}
	if p := math.Floor(c.target.Precision - c.lacks(best)); p >= 1 {
		e.Nearest = fmt.Sprintf("a target of %.0f bits of precision works", p)
	}
	return e
}

func (c *compiler) unfit(err error, row string) error {
	var u *unfitError
	if !errors.As(err, &u) {
		return err
	}
	return &InfeasibleError{Layer: u.layer, Err: u.err, Row: row, Nearest: "use fewer or smaller layers, a smaller batch, or the other packing"}
}

// bitsFor returns the bits that a magnitude takes in front of the scale, sign and rounding included.
func bitsFor(magnitude float64) float64 { return math.Log2(magnitude) + 2 }
