package docs_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"math/cmplx"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

var update = flag.Bool("update", false, "rewrite the figures and tables that are made from plans")

// pattern returns n weights that are multiples of 1/div, so that plans do not depend on how a processor rounds.
func pattern(n, seed, div int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64((i*i+seed*i+seed)%29-14) / float64(div)
	}
	return out
}

func convolution(out, in, stride, div int) ml.Layer {
	return ml.Conv2d(ml.Tensor{Shape: []int{out, in, 3, 3}, Data: pattern(9*out*in, 3, div)}, pattern(out, 2, 64),
		ml.ConvOptions{Stride: [2]int{stride, stride}, Padding: [2]int{1, 1}})
}

func fullyConnected(out, in, div int) ml.Layer {
	return ml.Dense(ml.Tensor{Shape: []int{out, in}, Data: pattern(out*in, 5, div)}, pattern(out, 2, 64))
}

// specimen is a small network, compiled, and what one run of it holds.
type specimen struct {
	model  *ml.Model
	sample ml.Tensor
	plan   *encrypted.Plan
	slots  [][]complex128 // by value of the program
}

func newSpecimen(t *testing.T, layers ...ml.Layer) *specimen {
	t.Helper()
	m, err := ml.SequentialFor([]int{1, 8, 8}, layers...)
	if err != nil {
		t.Fatal(err)
	}
	x := ml.Tensor{Shape: []int{256, 1, 8, 8}, Data: make([]float64, 256*64)}
	for i := range x.Data {
		x.Data[i] = float64((i*i*i+7*i)%1021)/1021 - 0.5
	}
	s := &specimen{model: m, sample: ml.Tensor{Shape: []int{1, 1, 8, 8}, Data: x.Row(3)}}
	if s.plan, err = encrypted.Compile(m, encrypted.Target{Calibration: x, Packing: encrypted.Single}); err != nil {
		t.Fatal(err)
	}
	s.slots = make([][]complex128, len(s.plan.Program().Ops()))
	_, err = clear.Execute(context.Background(), s.plan.Program(), s.plan.Constants(), map[string][]float64{s.plan.Input().Name: s.sample.Data},
		clear.ExecuteOptions{Visit: func(v program.Value, slots []complex128) error {
			s.slots[v] = slices.Clone(slots)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// last returns the last value of a scope.
func (s *specimen) last(t *testing.T, scope string) program.Value {
	t.Helper()
	p := s.plan.Program()
	for v := len(p.Ops()) - 1; v >= 0; v-- {
		if p.Scope(program.Value(v)) == scope {
			return program.Value(v)
		}
	}
	t.Fatalf("no scope %q", scope)
	return 0
}

// elements tells which element of a tensor every slot of a value holds, -1 for none. Slots are known by their values.
func (s *specimen) elements(t *testing.T, v program.Value, tensor ml.Tensor) []int {
	t.Helper()
	const tolerance = 3e-6 // weights are rounded to integers
	sorted := slices.Sorted(slices.Values(tensor.Data))
	for i, x := range sorted[1:] {
		if x-sorted[i] < 2*tolerance || math.Abs(x) < 2*tolerance {
			t.Fatalf("elements %g and %g cannot be told apart, or from zero", x, sorted[i])
		}
	}
	out := make([]int, len(s.slots[v]))
	for i, z := range s.slots[v] {
		out[i] = slices.IndexFunc(tensor.Data, func(x float64) bool { return math.Abs(real(z)-x) < tolerance })
		if out[i] < 0 && cmplx.Abs(z) > tolerance {
			t.Fatalf("slot %d of value %d holds %v, which is no element", i, v, z)
		}
	}
	return out
}

// trace returns what the layers of the model give for the sample.
func (s *specimen) trace(t *testing.T) []ml.Tensor {
	t.Helper()
	all, err := s.model.Trace(s.sample)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// period returns after how many slots a layout repeats.
func period(l []int) int {
	n := 1
	for !slices.Equal(l[n:], l[:len(l)-n]) {
		n *= 2
	}
	return n
}

// chain is the network of explanation/levels-and-scales.md.
func chain(t *testing.T) *specimen {
	return newSpecimen(t, convolution(4, 1, 2, 16), ml.Square(), ml.Flatten(), fullyConnected(16, 64, 512), ml.Tanh(), fullyConnected(4, 16, 16))
}

// step is an operation on the longest path from input to output that changes level or scale.
type step struct {
	value  program.Value
	what   string
	scope  string
	level  int
	before float64 // log2 of the scale of what it is applied to, 0 for an input
	scale  float64 // log2
	q      float64 // log2 of the modulus that is left
	size   float64 // log2 of the largest magnitude in a slot
}

func (s *specimen) steps() []step {
	p := s.plan.Program()
	ops := p.Ops()
	depth := make([]int, len(ops))
	from := make([]program.Value, len(ops))
	for i, o := range ops {
		from[i] = -1
		for v := range o.Operands() {
			if depth[v] >= depth[i] {
				depth[i], from[i] = depth[v]+1, v
			}
		}
	}
	var out []step
	for v := program.Value(len(ops) - 1); v >= 0; v = from[v] {
		o, before := ops[v], 0.0
		if w := from[v]; w >= 0 {
			if ops[w].Level == o.Level && ops[w].Scale == o.Scale || o.Code == program.Output {
				continue
			}
			before = ops[w].Scale.Log2()
		}
		st := step{value: v, what: what(&o), scope: p.Scope(v), level: o.Level, before: before, scale: o.Scale.Log2(), size: math.Inf(-1)}
		for i := range o.Level + 1 {
			st.q += math.Log2(float64(p.Parameters().Prime(i)))
		}
		for _, z := range s.slots[v] {
			st.size = max(st.size, math.Log2(max(math.Abs(real(z)), math.Abs(imag(z)))))
		}
		out = append(out, st)
	}
	slices.Reverse(out)
	return out
}

func what(o *program.Op) string {
	switch o.Code {
	case program.Lintrans, program.MulPt:
		return "product"
	case program.Mul, program.MulRelin:
		if o.Args[0] == o.Args[1] {
			return "square"
		}
		return "product"
	}
	return strings.ToLower(o.Code.String())
}

// chainFigure shows the modulus that is left, prime by prime, and in it the scale of the value.
func chainFigure(s *specimen) []byte {
	const left, top, col, bar, perBit, bottom = 40.0, 14.0, 68.0, 52.0, 1.45, 66.0
	steps, params := s.steps(), s.plan.Parameters()
	bits := func(i int) float64 { return math.Log2(float64(params.Prime(i))) }
	height := params.LogQP() * perBit
	d := newDrawing(left+col*float64(len(steps))+106, top+height+bottom)
	y := func(bits float64) float64 { return top + height - bits*perBit }
	for i, st := range steps {
		x := left + col*float64(i)
		low := 0.0
		for j := range params.MaxLevel() + 1 {
			b := bits(j)
			switch {
			case j <= st.level:
				d.rect(x, y(low+b), bar, b*perBit, fmt.Sprintf("fill=%q stroke=%q", blue, blues))
			case j > st.level+1 || st.what != "rescale":
				d.rect(x, y(low+b), bar, b*perBit, fmt.Sprintf("fill=\"none\" stroke=%q stroke-dasharray=\"2 3\"", faint))
			}
			if i == 0 {
				d.text(x-6, y(low+b/2)+4, 11, "end", soft, "q%d", j)
			}
			low += b
		}
		if st.what == "rescale" {
			b := bits(st.level + 1)
			d.rect(x, y(st.q+b), bar, b*perBit, fmt.Sprintf("fill=%q stroke=%q stroke-dasharray=\"4 3\" stroke-width=\"1.5\"", paper, red))
			d.text(x+bar/2, y(st.q+b/2)+4, 11, "middle", red, "÷ q%d", st.level+1)
		}
		if i == 0 {
			for j, p := range params.P() {
				b := math.Log2(float64(p))
				d.rect(x, y(low+b), bar, b*perBit, fmt.Sprintf("fill=\"none\" stroke=%q stroke-dasharray=\"4 3\"", violet))
				d.text(x-6, y(low+b/2)+4, 11, "end", violet, "p%d", j)
				low += b
			}
			d.text(x+bar+10, y(low)+14, 11, "start", violet, "special prime: in switching keys only, but it counts for security")
		}
		d.rect(x+11, y(st.scale), bar-22, st.scale*perBit, fmt.Sprintf("fill=%q fill-opacity=\"0.9\"", orange))
		d.text(x+bar/2, y(st.scale)+13, 10, "middle", paper, "2^%.0f", st.scale)
		d.text(x+bar/2, y(0)+16, 11, "middle", ink, "%s", st.what)
		d.text(x+bar/2, y(0)+31, 10, "middle", soft, "level %d", st.level)
	}
	for i := 0; i < len(steps); { // layers
		j := i
		for j < len(steps) && steps[j].scope == steps[i].scope {
			j++
		}
		x1, x2 := left+col*float64(i), left+col*float64(j-1)+bar
		d.line(x1, y(0)+40, x2, y(0)+40, fmt.Sprintf("stroke=%q", soft))
		name, _, _ := strings.Cut(steps[i].scope, " ")
		d.text((x1+x2)/2, y(0)+55, 12, "middle", ink, "%s", name)
		i = j
	}
	end := steps[len(steps)-1]
	x := left + col*float64(len(steps)-1) + bar
	for _, m := range []struct {
		at   float64
		text string
	}{{end.q, fmt.Sprintf("modulus 2^%.1f", end.q)}, {end.scale, fmt.Sprintf("scale 2^%.1f", end.scale)}} {
		d.line(x, y(m.at), x+8, y(m.at), fmt.Sprintf("stroke=%q", ink))
		at := y(m.at) + 4
		if m.at == end.q {
			at = y(m.at) - 3
		} else {
			at += 8
		}
		d.text(x+12, at, 11, "start", ink, "%s", m.text)
	}
	d.text(x+12, y(end.q)-19, 11, "start", soft, "headroom %.1f bits", end.q-end.scale)
	return d.svg("The primes of the modulus that are left after each step of a small network, and the scale of the value in them")
}

// channelColors are the colours of the first channels, light enough for text on them.
var channelColors = []string{"#9ecae1", "#fdd0a2", "#a1d99b", "#dcc6e8"}

// cells draws slots first … first+n−1 of a layout as a square of so many columns. color and label say how a slot with
// an element looks.
func (d *drawing) cells(x, y, size float64, layout []int, first, n, columns int, look func(element int) (color, label string)) {
	for i := range n {
		cx, cy := x+float64(i%columns)*size, y+float64(i/columns)*size
		e := layout[first+i]
		if e < 0 {
			d.rect(cx, cy, size, size, fmt.Sprintf("fill=%q stroke=%q", "#f5f7f9", faint))
			continue
		}
		color, label := look(e)
		d.rect(cx, cy, size, size, fmt.Sprintf("fill=%q stroke=%q", color, paper))
		d.text(cx+size/2, cy+size/2+3.5, 9, "middle", ink, "%s", label)
	}
}

// imageLayout is where the result of a convolution with four channels lies.
type imageLayout struct {
	slots        []int
	period, cols int
	gap          int  // slots from a pixel to the next
	free         bool // some slots hold nothing
}

// imageLayouts returns the layouts of the results of all convolutions of a network in which neighbours in a column are a
// multiple of 8 slots apart.
func imageLayouts(t *testing.T, layers ...ml.Layer) []imageLayout {
	s := newSpecimen(t, layers...)
	var out []imageLayout
	for i, tensor := range s.trace(t) {
		if _, ok := layers[i].(*ml.Conv2dLayer); !ok {
			continue
		}
		l := imageLayout{slots: s.elements(t, s.last(t, fmt.Sprintf("conv%d", i/2+1)), tensor), cols: tensor.Shape[3]}
		l.period = period(l.slots)
		l.free = slices.Contains(l.slots, -1)
		first := slices.Index(l.slots, 0)
		l.gap = slices.Index(l.slots, 1) - first
		if column := slices.Index(l.slots, l.cols) - first; first == 0 && column == 8*l.gap {
			out = append(out, l)
		}
	}
	return out
}

// slotsFigure shows where the images behind convolutions lie.
func slotsFigure(t *testing.T) []byte {
	const size, gap, left, head = 22.0, 16.0, 16.0, 46.0
	const block = 8 * size
	d := newDrawing(2*left+4*block+3*gap, 3*(block+head)+14)
	all := append(imageLayouts(t, convolution(4, 1, 1, 16), ml.Square(), convolution(4, 4, 2, 64), ml.Square(), ml.Flatten(), fullyConnected(16, 64, 64)),
		imageLayouts(t, convolution(4, 1, 2, 16), ml.Square(), convolution(4, 4, 1, 64), ml.Square(), ml.Flatten(), fullyConnected(4, 64, 64))...)
	for i, c := range []struct {
		period, gap int
		free        bool
		text        string
	}{
		{256, 1, false, "stride 1: gap 1, a block of slots for each channel"},
		{64, 2, false, "stride 2: gap 2, and the slots in between hold the other channels"},
		{256, 2, true, "stride 2: gap 2, a block of slots for each channel, and the slots in between hold zero"},
	} {
		k := slices.IndexFunc(all, func(l imageLayout) bool { return l.period == c.period && l.gap == c.gap && l.free == c.free })
		if k < 0 {
			t.Fatalf("the compiler takes no layout of %q for these networks: draw others", c.text)
		}
		l := all[k]
		y := float64(i)*(block+head) + head
		d.text(left, y-24, 13, "start", ink, "%s", c.text)
		for b := range l.period / 64 {
			x := left + float64(b)*(block+gap)
			d.text(x, y-6, 10, "start", soft, "slots %d to %d", 64*b, 64*b+63)
			d.cells(x, y, size, l.slots, 64*b, 64, 8, func(e int) (string, string) {
				return channelColors[e/(l.cols*l.cols)], fmt.Sprintf("%d,%d", e%(l.cols*l.cols)/l.cols, e%l.cols)
			})
		}
		if l.period == 64 {
			x := left + block + 2*gap
			for c, color := range channelColors {
				d.rect(x, y+float64(c)*26, size, size, fmt.Sprintf("fill=%q", color))
				d.text(x+size+8, y+float64(c)*26+15, 12, "start", ink, "channel %d", c)
			}
			d.text(x, y+4*26+16, 12, "start", soft, "Numbers are row and column of the pixel.")
			d.text(x, y+4*26+34, 12, "start", soft, "Each layout repeats over all %d slots.", len(l.slots))
			d.text(x, y+4*26+52, 12, "start", soft, "Drawn in rows of 8 slots.")
		}
	}
	return d.svg("Slots that hold the images behind convolutions: one block for each channel, multiplexed with gap 2, and gap 2 with free slots")
}

// phasesFigure shows how an average pooling is a sum of rotations.
func phasesFigure(t *testing.T) []byte {
	s := newSpecimen(t, convolution(2, 1, 1, 16), ml.Square(), ml.AvgPool2d(2, 0, 0), ml.Flatten(), fullyConnected(4, 32, 16))
	l := s.elements(t, s.last(t, "conv1"), s.trace(t)[0])
	n := period(l)
	if n != 128 {
		t.Fatalf("two channels of 8 × 8 lie in %d slots", n)
	}
	var rotations []int
	p := s.plan.Program()
	for v := range p.Ops() { // the sum reads the square's result
		if o := &p.Ops()[v]; o.Code == program.Rotsum && p.Ops()[p.Ops()[o.Args[0]].Args[0]].Code == program.Rescale && p.Scope(program.Value(v)) == "dense1" {
			for _, g := range o.Galois {
				k, _, _ := p.Parameters().Rotation(g)
				rotations = append(rotations, k)
			}
		}
	}
	slices.Sort(rotations)
	if !slices.Equal(rotations, []int{0, 32, 64, 96}) {
		t.Fatalf("the pooling rotates by %v", rotations)
	}
	const size, left, top = 22.0, 16.0, 46.0
	d := newDrawing(780, 386)
	look := func(e int) (string, string) {
		y, x := e%64/8, e%8
		return channelColors[y%2*2+x%2], fmt.Sprintf("%d,%d", y, x)
	}
	image := make([]int, 64)
	for i := range image {
		image[i] = i
	}
	d.text(left, top-24, 13, "start", ink, "a channel of the image")
	d.cells(left, top, size, image, 0, 64, 8, look)
	d.text(left, top+8*size+20, 11, "start", soft, "four phases: row and column,")
	d.text(left, top+8*size+36, 11, "start", soft, "each even or odd")
	x0 := left + 8*size + 66
	d.text(x0, top-24, 13, "start", ink, "the slots of two channels: phase by phase")
	for phase := range 4 {
		for channel := range 2 {
			first := 32*phase + 16*channel
			x, y := x0+float64(phase)*(4*size+36), top+14+float64(channel)*(4*size+26)
			d.text(x, y-5, 10, "start", soft, "slots %d to %d", first, first+15)
			d.cells(x, y, size, l, first, 16, 4, look)
			if phase == 0 {
				d.text(x-8, y+2*size+4, 11, "end", ink, "c = %d", channel)
			}
		}
	}
	y := top + 14 + 2*(4*size+26)
	for phase := range 4 {
		x := x0 + float64(phase)*(4*size+36)
		d.text(x+2*size, y+6, 11, "middle", ink, "rotate by %d", rotations[phase])
		if phase < 3 {
			d.text(x+4*size+18, y+6, 14, "middle", ink, "+")
		}
	}
	d.text(x0, y+40, 12, "start", soft, "Every slot then holds the sum of four neighbours: element i of channel c in slot")
	d.text(x0, y+57, 12, "start", soft, "16·c + i, and the layout repeats with 32 slots. One ROTSUM, no level. The quarter")
	d.text(x0, y+74, 12, "start", soft, "that makes it a mean is in the weights of the layer after it.")
	return d.svg("The pixels of an image by phases in slots, so that an average pooling is a sum of rotations")
}

// TestFigures: the figures are those of plans that the compiler makes today.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("long: TestChainTables compares the same compiler with a page")
	}
	for name, svg := range map[string][]byte{"chain.svg": chainFigure(chain(t)), "slots.svg": slotsFigure(t), "phases.svg": phasesFigure(t)} {
		fresh(t, filepath.Join("explanation", "figures", name), svg)
	}
}

// fresh compares a generated file with what is there, or writes it.
func fresh(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("docs/%s is not what the compiler does today: run go test ./docs -run 'Figures|Tables' -update, and look at it", name)
	}
}

// TestChainTables: the table of explanation/levels-and-scales.md is that of the plan that the compiler makes today.
func TestChainTables(t *testing.T) {
	s := chain(t)
	var b strings.Builder
	fmt.Fprintf(&b, "| layer | step | level | scale before | times | scale after | modulus left | largest value | bits free |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, st := range s.steps() {
		before, times := "", ""
		if st.what != "input" {
			before, times = fmt.Sprintf("2^%.4f", st.before), fmt.Sprintf("2^%.4f", st.scale-st.before)
		}
		if st.what == "rescale" {
			times = fmt.Sprintf("1/q%d = 2^%.4f", st.level+1, st.scale-st.before)
		}
		layer, _, _ := strings.Cut(st.scope, " ")
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | 2^%.4f | 2^%.0f | %.2f | %.1f |\n", layer, st.what, st.level, before, times, st.scale, st.q,
			math.Exp2(st.size), st.q-1-st.scale-st.size)
	}
	section(t, "explanation/levels-and-scales.md", "chain", b.String())
}

// TestTargetTables: what howto/choose-packing-and-precision.md says that targets cost. Weights are trained, so they are those of
// one architecture.
func TestTargetTables(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the page shows plans from amd64")
	}
	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	ds, _ = ds.Standardize()
	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(context.Background(), spec, ds, opts)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| target | parameters | keys | input | output | bits |\n|---|---|---|---|---|---|\n")
	for _, row := range []struct {
		name   string
		target encrypted.Target
	}{
		{"`Single`", encrypted.Target{Packing: encrypted.Single}},
		{"`Single`, `Precision: 16`", encrypted.Target{Packing: encrypted.Single, Precision: 16}},
		{"`Single`, `EncryptedWeights`", encrypted.Target{Packing: encrypted.Single, EncryptedWeights: true}},
		{"`Single`, `ServerActivation`", encrypted.Target{Packing: encrypted.Single, ServerActivation: true}},
		{"`Single`, `ServerActivation`, `Tolerance: 0.001`", encrypted.Target{Packing: encrypted.Single, ServerActivation: true, Tolerance: 0.001}},
		{"`Batch: 1000`", encrypted.Target{Batch: 1000}},
		{"`Batch: 1000, Precision: 20`", encrypted.Target{Batch: 1000, Precision: 20}},
		{"`Batch: 1000`, `ServerActivation`", encrypted.Target{Batch: 1000, ServerActivation: true}},
	} {
		row.target.Calibration = ds.X
		plan, err := encrypted.Compile(m, row.target)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		name := row.name
		if plan.Samples() > 1 {
			name += fmt.Sprintf(" (room for %d)", plan.Samples())
		}
		params, _, _ := strings.Cut(plan.Parameters().String(), " [")
		_, worst := plan.PredictedBits()
		fmt.Fprintf(&b, "| %s | %s | %s (%d) | %s | %s | %.1f |\n", name, params, size(plan.KeysBytes()), len(plan.Keys()), size(plan.InputBytes()), size(plan.OutputBytes()), worst)
	}
	section(t, "howto/choose-packing-and-precision.md", "targets", b.String())
}

// TestPlanTables: the plans that the tutorials print.
func TestPlanTables(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the pages show plans from amd64")
	}
	if testing.Short() {
		t.Skip("long")
	}
	ctx := context.Background()
	show := func(page, mark string, m *ml.Model, target encrypted.Target) {
		plan, err := encrypted.Compile(m, target)
		if err != nil {
			t.Fatal(err)
		}
		shipped, err := plan.CostBy(cost.Default(), 1) // the same times everywhere
		if err != nil {
			t.Fatal(err)
		}
		section(t, page, mark, fmt.Sprintf("```text\n%s\n```\n", plan.Describe(shipped)))
	}

	ds, err := data.BreastCancer()
	if err != nil {
		t.Fatal(err)
	}
	ds, _ = ds.Split(1, 0.8)
	ds, _ = ds.Standardize()
	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(ctx, spec, ds, opts)
	if err != nil {
		t.Fatal(err)
	}
	show("tutorials/encrypted-inference.md", "plan", m, encrypted.Target{Calibration: ds.X, Packing: encrypted.Single})

	images, _, err := data.MNIST()
	if err != nil {
		t.Fatal(err)
	}
	images = images.Head(4000)
	spec, opts = train.MNISTSquareCNN(1)
	opts.Epochs = 3
	if m, err = train.Fit(ctx, spec, images, opts); err != nil {
		t.Fatal(err)
	}
	target := encrypted.Target{Calibration: images.Head(500).X, Packing: encrypted.Single}
	show("tutorials/convolutional-network.md", "plan", m, target)
	target.Patches = true
	show("tutorials/convolutional-network.md", "patches", m, target)
}

// size writes a number of bytes with two or three digits.
func size(n int64) string {
	switch {
	case n >= 1e7:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// section compares the part of a page between two marks with what is generated, or writes it.
func section(t *testing.T, name, mark, want string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := fmt.Sprintf("<!-- %s:begin: written by go test ./docs -run Tables -update -->\n", mark), fmt.Sprintf("<!-- %s:end -->\n", mark)
	head, rest, ok1 := strings.Cut(string(data), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("docs/%s has no section %q", name, mark)
	}
	fresh(t, name, []byte(head+begin+want+end+tail))
}
