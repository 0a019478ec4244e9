package fixedpoint

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/signet-ml/signet/ml"
)

// Quantize returns the integer model of m. Every layer of package ml has a form but
// softmax and residuals:
//
//   - dense, conv2d: one op, with the batch normalisation beside it multiplied in. A
//     Rescale follows unless it is the last one, whose accumulators are the output.
//   - relu: the Rescale before it starts at 0.
//   - sigmoid, tanh, silu, gelu: the Rescale before it gives the index of a Table. They
//     need a dense layer or a convolution in front, with nothing but pools between.
//   - square: Square; what follows takes its wider numbers as they are.
//   - avgpool2d: SumPool2d. The division is a matter of scale.
//   - maxpool2d: MaxPool2d, behind the Rescale of what precedes it, so that it compares
//     narrow numbers.
//   - flatten, reshape: nothing.
//
// Features whose sizes or offsets one unit cannot hold get units of their own: see the
// package comment.
//
// All multipliers are 1: the scale of the weights is a free real number, so that a shift
// is enough to fill an activation's interval. Among a few such pairs, some of which cut
// outliers, the one with the smallest error on the calibration set is chosen. Biases get
// an interval that depends on shapes and intervals alone.
//
// It fails with *[UnsupportedError] for other layers, with *[OptionsError] and
// *[ArchitectureError], with *[OpError] around [ErrOverflow] when worst-case weights could
// make an accumulator reach 2^62, and with the errors of [ml.Model.Forward] for a
// calibration set that does not fit m.
func Quantize(m *ml.Model, o Options) (*Model, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(o.Calibration.Shape) != len(m.InputShape())+1 {
		return nil, &OptionsError{"Calibration", fmt.Sprintf("of shape %v", o.Calibration.Shape), fmt.Sprintf("a batch of samples %v", m.InputShape())}
	}
	nodes, units, err := simplify(m, o)
	if err != nil {
		return nil, err
	}
	o.Calibration.Data = units.Apply(o.Calibration.Data)
	cal, err := calibrate(m.InputShape(), nodes, o.Calibration)
	if err != nil {
		return nil, err
	}
	relative := false
	if o.Class {
		if nodes, relative = center(nodes, cal); relative {
			if cal, err = calibrate(m.InputShape(), nodes, o.Calibration); err != nil {
				return nil, err
			}
		}
	}
	b := &builder{o: o, cal: cal, nodes: nodes}
	b.def.Encoding, b.def.Relative = Encoding{units.Offset, units.Scale}, relative
	d, err := b.build(m.InputShape())
	// Another choice is only made where it halves the error at least.
	if equal, changed := equalize(nodes, cal); changed {
		if cal, err := calibrate(m.InputShape(), equal, o.Calibration); err == nil {
			e := &builder{o: o, cal: cal, nodes: equal}
			e.def.Encoding, e.def.Relative = b.def.Encoding, relative
			if other, otherErr := e.build(m.InputShape()); otherErr == nil && (err != nil || 4*e.missed < b.missed) {
				d, err = other, nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	d.Classes = m.Classes()
	if d.OutputShape = m.OutputShape(); o.Class {
		d.OutputShape = []int{1}
	}
	q, err := New(d)
	if err != nil {
		return nil, err
	}
	if o.Architecture != nil {
		if err := o.Architecture.differs(q.Architecture()); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// stretch is the interval of real numbers that a tensor takes on the calibration set.
type stretch struct{ lo, hi float64 }

func (s stretch) magnitude() float64 { return max(s.hi, -s.lo) }

func (s stretch) with(x []float64) stretch {
	return stretch{min(s.lo, slices.Min(x)), max(s.hi, slices.Max(x))}
}

// calibration is what the calibration set tells: the stretch of every tensor over all of
// it, and the tensors themselves for some samples. Element 0 is the input.
type calibration struct {
	seen    []stretch
	samples []ml.Tensor
	all     bool // the samples are the whole set
}

const (
	chunk      = 64      // samples that are evaluated at once
	maxSamples = 1024    // that candidates are compared on
	minSamples = 8       // the same for a large network
	maxWork    = 1 << 28 // multiplications, and eight for each activation, which bounds memory
)

func calibrate(in []int, nodes []node, x ml.Tensor) (calibration, error) {
	layers, work := make([]ml.Layer, len(nodes)), 1
	for i, n := range nodes {
		layers[i] = n.layer
		work += 8 * size(n.out)
		switch l := n.layer.(type) {
		case *ml.DenseLayer:
			work += l.W.Len()
		case *ml.Conv2dLayer:
			work += l.W.Len() * n.out[1] * n.out[2]
		}
	}
	// Folded weights may overflow where those of m do not: the error is that of a layer.
	fm, err := ml.SequentialFor(in, layers...)
	if err != nil {
		return calibration{}, err
	}
	trace := func(x ml.Tensor) ([]ml.Tensor, error) {
		after, err := fm.Trace(x)
		return append([]ml.Tensor{x}, after...), err
	}
	n := x.Rows()
	keep := min(n, max(minSamples, min(maxSamples, maxWork/work)))
	cal := calibration{seen: slices.Repeat([]stretch{{math.Inf(1), math.Inf(-1)}}, len(nodes)+1), all: keep == n}
	if cal.samples, err = trace(x.Slice(0, keep)); err != nil {
		return calibration{}, err
	}
	for lo := 0; lo < n; lo += chunk {
		after, err := trace(x.Slice(lo, min(lo+chunk, n)))
		if err != nil {
			return calibration{}, err
		}
		for i, t := range after {
			cal.seen[i] = cal.seen[i].with(t.Data)
		}
	}
	return cal, nil
}

// builder makes ops of nodes, in order. Between two nodes the numbers are either values,
// made by the ops so far, or those of pend, whose scale is still open.
type builder struct {
	o     Options
	cal   calibration
	nodes []node

	def   Definition
	bound spread  // worst case of the values
	x     []int64 // the values on cal.samples
	pend  *pending
	index *Interval // the values are indices of the next table, which lie here

	missed float64 // sum of squared errors of the outputs, or of scores, on the samples
}

// build returns the definition of the nodes' ops, but for shape of the output and classes.
func (b *builder) build(in []int) (Definition, error) {
	if err := b.start(in); err != nil {
		return Definition{}, err
	}
	for i := range b.nodes {
		if err := b.layer(i); err != nil {
			return Definition{}, err
		}
	}
	err := b.finish()
	return b.def, err
}

// pending is a linear layer with pools of sums behind it.
type pending struct {
	first, last int // nodes
	op          Op  // without weights
	w, b        []float64
	pools       []Op
	divisor     float64 // of the means
}

func (b *builder) start(in []int) error {
	b.def.Architecture = Architecture{
		Semantics: SemanticsVersion, InputShape: in,
		Input: symmetric(b.o.Activations), Weights: b.o.Weights, Activations: b.o.Activations,
	}
	seen := b.cal.seen[0]
	if a := b.o.Architecture; a != nil {
		b.def.Input = a.Input
		if a.Input.Lo >= 0 && seen.lo < 0 {
			return &ArchitectureError{-1, fmt.Sprintf("samples as low as %v for an input in %v", seen.lo, a.Input)}
		}
	} else {
		if !b.def.Encoding.IsZero() {
			f, _ := frontOf(in, b.nodes)
			b.def.Input = symmetric(f.bits(b.o))
		}
		if seen.lo >= 0 {
			b.def.Input.Lo = 0
		}
	}
	scale := seen.magnitude() / float64(b.def.Input.Hi)
	if scale == 0 || !b.def.Encoding.IsZero() {
		scale = 1
	}
	b.bound = uniform(size(in), b.def.Input)
	b.def.Scales, b.def.Calibrated = []float64{scale}, []float64{seen.magnitude()}
	for _, v := range b.cal.samples[0].Data {
		q, _ := b.def.Input.encode(v / scale)
		b.x = append(b.x, q)
	}
	return nil
}

func (b *builder) samples() int   { return b.cal.samples[0].Rows() }
func (b *builder) scale() float64 { return b.def.Scales[len(b.def.Scales)-1] }

// push appends an op whose results have the scale; calibrated is the largest of them in
// real numbers.
func (b *builder) push(o Op, scale, calibrated float64) error {
	at := len(b.def.Ops)
	bound, err := o.bounds(b.bound, true)
	if err != nil {
		return &OpError{Op: at, Name: o.Name(), Err: err}
	}
	if !(scale > 0) || math.IsInf(scale, 0) {
		return &OpError{Op: at, Name: o.Name(), Err: fmt.Errorf("a scale of %v: the numbers of the model are too far apart", scale)}
	}
	b.bound, b.x = bound, o.apply(b.samples(), b.x)
	b.def.Ops = append(b.def.Ops, o)
	b.def.Scales, b.def.Calibrated = append(b.def.Scales, scale), append(b.def.Calibrated, calibrated)
	return nil
}

// layer appends the ops of node i, or keeps it pending.
func (b *builder) layer(i int) error {
	n := b.nodes[i]
	seen := b.cal.seen[i+1].magnitude()
	label := func(suffix string) string { return fmt.Sprintf("%d.%s", n.index, suffix) }
	switch l := n.layer.(type) {
	case ml.FlattenLayer, *ml.ReshapeLayer:
		if b.pend != nil {
			b.pend.last = i
		}
		return nil
	case *ml.DenseLayer:
		return b.linear(i, Dense{Label: label("dense"), In: l.In(), Out: l.Out()}, l.W.Data, l.B)
	case *ml.Conv2dLayer:
		return b.linear(i, Conv2d{
			Label: label("conv2d"), Channels: n.in[0], Height: n.in[1], Width: n.in[2], Out: l.Out(), Groups: l.Groups,
			Kernel: l.Kernel(), Stride: l.Stride, Padding: l.Padding, Dilation: l.Dilation,
		}, l.W.Data, l.B)
	case *ml.AvgPool2dLayer:
		o := SumPool2d{label("sumpool2d"), n.in[0], n.in[1], n.in[2], l.Kernel, l.Stride, l.Padding}
		divisor := float64(l.Kernel[0] * l.Kernel[1])
		if p := b.pend; p != nil {
			p.pools, p.divisor, p.last = append(p.pools, o), p.divisor*divisor, i
			return nil
		}
		return b.push(o, b.scale()/divisor, seen)
	case *ml.MaxPool2dLayer:
		if err := b.settle(i); err != nil {
			return err
		}
		return b.push(MaxPool2d{label("maxpool2d"), n.in[0], n.in[1], n.in[2], l.Kernel, l.Stride, l.Padding}, b.scale(), seen)
	case ml.ReLULayer:
		if err := b.settle(i); err != nil || b.bound.all().Lo >= 0 {
			return err
		}
		return b.push(Rescale{label("relu"), 1, 0, Interval{0, b.bound.all().Hi}}, b.scale(), seen)
	case ml.SquareLayer:
		if err := b.settle(i); err != nil {
			return err
		}
		if b.bound.all().magnitude() > symmetric(b.o.Activations).Hi {
			if err := b.narrow(i); err != nil {
				return err
			}
		}
		return b.push(Square{label("square")}, b.scale()*b.scale(), seen)
	case ml.SigmoidLayer, ml.TanhLayer, ml.SiLULayer, ml.GELULayer:
		return b.table(i)
	}
	return n.unsupported("a layer of a later version", "dense, conv2d, pools and activations")
}

// linear keeps a linear layer pending, with an interval for biases that depends only on
// how many products it sums and on where these lie.
func (b *builder) linear(i int, o Op, w, bias []float64) error {
	if err := b.settle(i); err != nil {
		return err
	}
	x := b.bound.all()
	weights := symmetric(b.o.Weights)
	count := len(w) / len(bias)
	sum, err := mul(x.magnitude(), weights.Hi)
	if err == nil {
		sum, err = mul(sum, int64(count))
	}
	if err != nil {
		return &OpError{Op: len(b.def.Ops), Name: o.Name(), Err: err}
	}
	biases := biasRange(sum)
	switch l := o.(type) {
	case Dense:
		l.WeightRange, l.BiasRange = weights, biases
		o = l
	case Conv2d:
		l.WeightRange, l.BiasRange = weights, biases
		o = l
	}
	b.pend = &pending{first: i, last: i, op: o, w: w, b: bias, divisor: 1}
	return nil
}

// biasRange returns the interval of biases beside products that sum up to sum: what an
// accumulator can hold without another bit, but at least 16 bits, for layers of few
// products, and a sixteenth of what the sum's bits hold.
func biasRange(sum int64) Interval {
	n := bits.Len64(uint64(sum))
	room := int64(1)<<n - sum
	return symmetric(max(bits.Len64(uint64(room)), n-3, 16))
}

// consumer returns the first node from i on that is neither a pool of maxima nor a matter
// of shape, or len(nodes).
func (b *builder) consumer(i int) int {
	for ; i < len(b.nodes); i++ {
		switch b.nodes[i].layer.(type) {
		case *ml.MaxPool2dLayer, ml.FlattenLayer, *ml.ReshapeLayer:
			continue
		}
		break
	}
	return i
}

// settle makes values of what is pending for node i, if anything is. Maxima of rescaled
// numbers are rescaled maxima, so the Rescale of an activation stands in front of the
// pools before it.
func (b *builder) settle(i int) error {
	if b.pend == nil {
		return nil
	}
	t := target{
		label: fmt.Sprintf("%d.rescale", b.nodes[b.pend.first].index),
		out:   symmetric(b.o.Activations),
		seen:  b.cal.seen[b.pend.last+1].magnitude(),
		want:  b.cal.samples[b.pend.last+1].Data,
	}
	if c := b.consumer(i); c < len(b.nodes) {
		n := b.nodes[c]
		switch n.layer.(type) {
		case ml.ReLULayer:
			t.label, t.out.Lo = fmt.Sprintf("%d.relu", n.index), 0
			t.seen = max(b.cal.seen[b.pend.last+1].hi, 0)
			t.want = slices.Clone(t.want)
			for k, v := range t.want {
				t.want[k] = max(v, 0)
			}
		case ml.SigmoidLayer, ml.TanhLayer, ml.SiLULayer, ml.GELULayer:
			return b.settleIndex(c, t)
		}
	}
	return b.rescale(t)
}

// narrow rescales wide values in front of node i.
func (b *builder) narrow(i int) error {
	t := target{
		label: fmt.Sprintf("%d.rescale", b.nodes[i].index),
		out:   symmetric(b.o.Activations),
		seen:  b.cal.seen[i].magnitude(),
		want:  b.cal.samples[i].Data,
	}
	if b.bound.all().Lo >= 0 {
		t.out.Lo = 0
	}
	return b.rescale(t)
}

// finish appends what is pending as accumulators, and the argmax.
func (b *builder) finish() error {
	if p := b.pend; p != nil {
		if err := b.emit(p, b.outputUnit(p)); err != nil {
			return err
		}
	}
	b.missed = b.error(b.cal.samples[len(b.nodes)].Data)
	if !b.o.Class {
		return nil
	}
	return b.push(Argmax{"argmax"}, 1, 0)
}

// outputUnit returns the unit of the weights of the last layer. Nothing behind it asks for one. Where features have units
// of their own, it is the one between the finest and its double at which weights round best.
func (b *builder) outputUnit(p *pending) float64 {
	finest := p.scale(b.scale())
	if b.def.Encoding.IsZero() {
		return finest
	}
	const steps = 32
	best, least := finest, math.Inf(1)
	for k := range steps {
		unit := finest * math.Exp2(float64(k)/steps)
		trial := b.trial()
		if trial.emit(p, unit) != nil {
			continue // as emit will say
		}
		if e := trial.error(b.cal.samples[len(b.nodes)].Data); e < least {
			best, least = unit, e
		}
	}
	return best
}

// trial returns a builder that appends without a change of b.
func (b *builder) trial() *builder {
	t := *b
	t.def.Ops = slices.Clip(b.def.Ops)
	t.def.Scales, t.def.Calibrated = slices.Clip(b.def.Scales), slices.Clip(b.def.Calibrated)
	return &t
}

// emit appends a linear layer with weights in units of scale, and its pools.
func (b *builder) emit(p *pending, scale float64) error {
	b.pend = nil
	o, acc := p.quantize(scale, b.scale()), scale*b.scale()
	if err := b.push(o, acc, b.cal.seen[p.first+1].magnitude()); err != nil {
		return err
	}
	for k, pool := range p.pools {
		acc /= divisorOf(pool)
		if err := b.push(pool, acc, b.poolSeen(p, k)); err != nil {
			return err
		}
	}
	return nil
}

func divisorOf(pool Op) float64 {
	k := pool.(SumPool2d).Kernel
	return float64(k[0] * k[1])
}

// poolSeen returns the largest magnitude behind pool k of p.
func (b *builder) poolSeen(p *pending, k int) float64 {
	for i := p.first + 1; i <= p.last; i++ {
		if _, ok := b.nodes[i].layer.(*ml.AvgPool2dLayer); !ok {
			continue
		}
		if k--; k < 0 {
			return b.cal.seen[i+1].magnitude()
		}
	}
	panic("fixedpoint: a pending pool without a node")
}

// scale returns the smallest unit of weights at which weights and biases fit their
// ranges, when inputs have the scale x.
func (p *pending) scale(x float64) float64 {
	l, _ := weighted(p.op)
	var w, b float64
	for _, v := range p.w {
		w = max(w, math.Abs(v))
	}
	for _, v := range p.b {
		b = max(b, math.Abs(v))
	}
	s := max(w/float64(l.weight.Hi), b/float64(l.bias.Hi)/x)
	if s == 0 { // all are zero
		return 1
	}
	return s
}

// quantize returns the op with the nearest weights in units of scale, and biases in units
// of accumulators.
func (p *pending) quantize(scale, x float64) Op {
	l, _ := weighted(p.op)
	w, b := make([]int64, len(p.w)), make([]int64, len(p.b))
	for i, v := range p.w {
		w[i], _ = l.weight.encode(v / scale)
	}
	for i, v := range p.b {
		b[i], _ = l.bias.encode(v / scale / x)
	}
	return withWeights(p.op, w, b)
}

// target is what a Rescale is to give.
type target struct {
	label string
	out   Interval
	seen  float64   // largest magnitude on the calibration set
	want  []float64 // the real results on the samples
}

// candidate is a way to reach a target: a unit of the weights, where some are pending, and
// a shift.
type candidate struct {
	weights float64
	shift   int
}

// rescale appends what is pending, and a Rescale to values that fill the interval of t.
func (b *builder) rescale(t target) error {
	shift, err := b.fixedShift()
	if err != nil {
		return err
	}
	p := b.pend
	all := b.candidates(t, shift)
	best, least := 0, math.Inf(1)
	for k := 0; k < len(all) && len(all) > 1; k++ {
		e, err := b.deviation(p, t, all[k])
		if err != nil {
			return err
		}
		if e < least {
			best, least = k, e
		}
	}
	return b.apply(p, t, all[best])
}

// apply appends the ops of a candidate.
func (b *builder) apply(p *pending, t target, c candidate) error {
	if p != nil {
		if err := b.emit(p, c.weights); err != nil {
			return err
		}
	}
	return b.push(Rescale{t.label, 1, c.shift, t.out}, math.Ldexp(b.scale(), c.shift), t.seen)
}

// deviation returns the sum of squared errors of a candidate on the samples.
func (b *builder) deviation(p *pending, t target, c candidate) (float64, error) {
	trial := b.trial()
	if err := trial.apply(p, t, c); err != nil {
		return 0, err
	}
	return trial.error(t.want), nil
}

// error returns the sum of squared differences of the values from what they are to be.
func (b *builder) error(want []float64) float64 {
	sum := 0.0
	for i, q := range b.x {
		d := float64(q)*b.scale() - want[i]
		sum += d * d
	}
	return sum
}

// fixedShift returns the shift that the architecture gives the next Rescale, or -1.
func (b *builder) fixedShift() (int, error) {
	if b.o.Architecture == nil {
		return -1, nil
	}
	at := len(b.def.Ops)
	if b.pend != nil {
		at += 1 + len(b.pend.pools)
	}
	if at < len(b.o.Architecture.Ops) {
		if r, ok := b.o.Architecture.Ops[at].(Rescale); ok {
			return r.Shift, nil
		}
	}
	return 0, &ArchitectureError{at, "the network has a rescale here"}
}

// candidates returns ways to reach t. With a shift of at least 0 all have that one.
func (b *builder) candidates(t target, fixed int) []candidate {
	unit, finest := b.scale(), 1.0 // of the numbers to rescale, when weights are in units of 1
	if p := b.pend; p != nil {
		unit, finest = unit/p.divisor, p.scale(unit)
	}
	var all []candidate
	add := func(weights float64, shift int) {
		shift = min(max(shift, 0), maxCandidateShift)
		if c := (candidate{weights, shift}); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	// How much of what was seen is to fit; the rest saturates. That is only an option where
	// candidates are compared on all of it: a few samples may lack what makes it wrong.
	parts := []float64{1}
	if b.cal.all {
		parts = []float64{1, 0.85, 0.7}
	}
	for _, part := range parts {
		// How much coarser than the finest accumulators the results are to be.
		ratio := part * t.seen / float64(t.out.Hi) / (unit * finest)
		shift := fixed
		if fixed < 0 {
			shift = exponent(ratio)
		}
		switch fill := math.Ldexp(ratio, -min(max(shift, 0), maxCandidateShift)); {
		case b.pend == nil || fill < 1:
			add(finest, shift)
		case fixed >= 0:
			// Weights may have become much smaller: then filling the interval would
			// leave them few levels.
			for w := min(fill, 256); w > 1; w /= math.Sqrt2 {
				add(finest*w, shift)
			}
			add(finest, shift)
		default:
			add(finest*fill, shift)
			if b.cal.all {
				add(finest, shift) // cuts up to half
			}
		}
		if fixed < 0 {
			add(finest, shift+1) // fills half at least
		}
	}
	return all
}

// maxCandidateShift keeps the rounding term far below 2^62.
const maxCandidateShift = 48

// exponent returns the largest e with 2^e <= v, within what a shift can be.
func exponent(v float64) int {
	if !(v > 0) {
		return 0
	}
	_, e := math.Frexp(v)
	return e - 1
}

// settleIndex makes indices of what is pending, for the table of node c, and remembers
// its function. Their step is a fixed real number, so the shift decides on the unit of
// the weights.
func (b *builder) settleIndex(c int, t target) error {
	p, n := b.pend, b.nodes[c]
	f := Function{Name: n.layer.Kind(), Range: rangeFor(n.layer.Kind(), t.seen), Peak: symmetric(b.o.Activations).Hi}
	if b.consumer(c+1) == len(b.nodes) {
		f.Peak = outputPeak
	}
	tableBits := b.o.TableBits
	shift, err := b.fixedShift()
	if err != nil {
		return err
	}
	unit, finest := b.scale()/p.divisor, p.scale(b.scale())
	var weights float64
	if a := b.o.Architecture; a != nil {
		k := len(b.def.Functions)
		if k >= len(a.Functions) || a.Functions[k].Name != f.Name {
			return &ArchitectureError{len(b.def.Ops), "the network has a " + f.Name + " here"}
		}
		f.Range = a.Functions[k].Range
		tableBits = bits.Len(uint(a.tables()[k].rows())) - 1
		weights = math.Ldexp(f.Step(1<<tableBits), -shift) / unit
		if weights < finest*(1-1e-9) {
			return &ArchitectureError{len(b.def.Ops), fmt.Sprintf("weights are %.3g times too large for the steps of its table", finest/weights)}
		}
	} else {
		// Fewer rows when accumulators are coarser than the steps.
		for ; ; tableBits-- {
			if shift = exponent(f.Step(1<<tableBits) / (unit * finest * headroom)); shift >= 0 || tableBits == minTableBits {
				break
			}
		}
		if shift < 0 {
			return b.nodes[p.first].unsupported("weights or biases too large for a table of a "+f.Name, "more bits for weights")
		}
		shift = min(shift, maxCandidateShift)
		weights = math.Ldexp(f.Step(1<<tableBits), -shift) / unit
	}
	half := int64(1) << (tableBits - 1)
	t.label, t.out = fmt.Sprintf("%d.%s.index", n.index, f.Name), Interval{-half, half - 1}
	b.def.Functions, b.index = append(b.def.Functions, f), &t.out
	return b.apply(p, t, candidate{weights, shift})
}

// headroom is how much larger weights in front of a table may become before another shift
// is needed, which an architecture does not allow.
const headroom = 1.25

// outputPeak is the integer of 1 in the results of a table that ends a model: finer than
// activations, and even, so that a half is an integer.
const outputPeak = 1 << 15

// rangeFor returns the range of a table for arguments up to seen: the power of two from
// there, or where the function is flat.
func rangeFor(kind string, seen float64) float64 {
	r := curves[kind].most
	for r/2 >= max(seen, minRange) {
		r /= 2
	}
	return r
}

// table appends the table of node i.
func (b *builder) table(i int) error {
	n := b.nodes[i]
	if err := b.settle(i); err != nil {
		return err
	}
	if b.index == nil {
		return n.unsupported("its arguments are not made by weights", "a dense layer or a convolution in front, with nothing but pools between")
	}
	f, lo := b.def.Functions[len(b.def.Functions)-1], b.index.Lo
	b.index = nil
	values, err := f.table(int(-2 * lo))
	if err != nil {
		return err
	}
	if _, ok := n.layer.(ml.SigmoidLayer); ok && i == len(b.nodes)-1 && size(n.out) == 1 {
		b.def.Threshold = f.Peak / 2 // as Model.Labels of package ml
	}
	return b.push(Table{fmt.Sprintf("%d.%s", n.index, f.Name), lo, values}, f.Unit(), b.cal.seen[i+1].magnitude())
}
