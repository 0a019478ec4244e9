package clear

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Report is what a Compare found. It can be stored as JSON. It holds decrypted values: it is for the owner of the key.
//
// Precision is in bits: -log2 of the root mean square of the error, in the real or imaginary part of a slot, over that
// of the values; where all values are zero, of the error alone. It lies within ±50. The error of the inputs' encryption
// counts, as it is simulated; errors of their own are without it.
type Report struct {
	Program   fhe.Digest `json:"program"`
	Engine    string     `json:"engine"`
	Tolerance float64    `json:"tolerance"`       // bits that a layer may lose
	Total     float64    `json:"total,omitempty"` // bits that the program may lose; 0 is any number

	Layers []LayerReport `json:"layers"` // in the order of their first operations
	Ops    []OpReport    `json:"ops"`    // all but hoists and outputs

	// Culprit is the first layer that lost more than Tolerance, or after which more than Total was lost. Empty: none.
	Culprit string `json:"culprit,omitempty"`
	// Surprise is the first value that is worse than the simulation had it: no property of the program, but an
	// overflow, a key that does not fit, or a fault of the engine.
	Surprise   *OpReport   `json:"surprise,omitempty"`
	Violations []Violation `json:"violations,omitempty"` // of domains, in the order of the program
	Overflows  []Overflow  `json:"overflows,omitempty"`  // and values close to one
}

// OpReport is about the result of one operation.
type OpReport struct {
	Value      program.Value `json:"value"`
	Code       string        `json:"code"`
	Layer      string        `json:"layer"`
	Level      int           `json:"level"`
	Degree     int           `json:"degree"`
	LogScale   float64       `json:"log_scale"`
	Magnitude  float64       `json:"magnitude"` // root mean square of the slots
	Mean       [2]float64    `json:"mean"`      // of the slots, real and imaginary part
	Largest    float64       `json:"largest"`   // modulus of a slot
	Error      float64       `json:"error"`     // root mean square of what the operations made, measured
	Expected   float64       `json:"expected"`  // the same, in a clear run with the model's errors
	Bits       float64       `json:"bits"`      // of precision: with Error
	Simulated  float64       `json:"simulated"` // bits: with Expected
	Predicted  float64       `json:"predicted"` // bits: by Program.Noise with these magnitudes
	WorstSlot  int           `json:"worst_slot"`
	WorstError float64       `json:"worst_error"`
	Headroom   float64       `json:"headroom"` // bits between the largest coefficient and half of the modulus, or fewer
}

// LayerReport is about one scope.
type LayerReport struct {
	Name     string  `json:"name"`
	Ops      int     `json:"ops"`
	Level    int     `json:"level"` // of the result named by Result
	LogScale float64 `json:"log_scale"`
	Largest  float64 `json:"largest"`  // of the layer's results
	Headroom float64 `json:"headroom"` // the least of the layer's values
	// In is the least precision of what the layer reads, Out of what others read from it: bits. Lost is the difference.
	In        float64       `json:"in"`
	Out       float64       `json:"out"`
	Lost      float64       `json:"lost"`
	Result    program.Value `json:"result"`    // the least precise result
	Predicted float64       `json:"predicted"` // bits, of Result
	Simulated float64       `json:"simulated"`
}

// Violation is a value outside of its domain.
type Violation struct {
	Name  string        `json:"name"` // of the domain
	Layer string        `json:"layer"`
	Value program.Value `json:"value"`
	Slot  int           `json:"slot"` // the one that is furthest outside
	X     float64       `json:"x"`    // its value
	Lo    float64       `json:"lo"`
	Hi    float64       `json:"hi"`
	Slots int           `json:"slots"` // how many are outside
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %q has %.4g in slot %d of value %d, outside [%.4g, %.4g]; so have %d slots", v.Layer, v.Name, v.X, v.Slot, v.Value, v.Lo, v.Hi, v.Slots)
}

// Overflow is a value whose coefficients come close to half of the modulus, or exceed it.
type Overflow struct {
	Layer    string        `json:"layer"`
	Value    program.Value `json:"value"`
	Code     string        `json:"code"`
	Level    int           `json:"level"`
	Headroom float64       `json:"headroom"` // bits; below 0 the value has wrapped around
}

func (o Overflow) String() string {
	what := "is close to an overflow"
	if o.Headroom < 0 {
		what = "has wrapped around"
	}
	return fmt.Sprintf("%s: value %d, %s at level %d, %s: %.1f bits below half of the modulus", o.Layer, o.Value, o.Code, o.Level, what, o.Headroom)
}

// OK reports whether the comparison found nothing.
func (r *Report) OK() bool {
	return r.Culprit == "" && r.Surprise == nil && len(r.Violations) == 0 && len(r.Overflows) == 0
}

// layers gathers the operations by scope.
func (r *Report) layers(p *program.Program) {
	ops := p.Ops()
	byValue := make(map[program.Value]*OpReport, len(r.Ops))
	for i := range r.Ops {
		byValue[r.Ops[i].Value] = &r.Ops[i]
	}
	ciphertext := func(v program.Value) program.Value {
		if ops[v].Code == program.Hoist {
			return ops[v].Args[0]
		}
		return v
	}
	read := make([]bool, len(ops)) // by another layer or an output
	in := map[string]float64{}
	worse := func(layer string, v program.Value) {
		if b, ok := in[layer]; !ok || byValue[v].Bits < b {
			in[layer] = byValue[v].Bits
		}
	}
	for i := range ops {
		layer := p.Scope(program.Value(i))
		if ops[i].Code == program.Input {
			worse(layer, program.Value(i))
		}
		for v := range ops[i].Operands() {
			if v = ciphertext(v); p.Scope(v) != layer || ops[i].Code == program.Output {
				read[v] = true
				if p.Scope(v) != layer && ops[i].Code != program.Output {
					worse(layer, v)
				}
			}
		}
	}
	index := map[string]int{}
	start := float64(maxBits) // the least precise input so far
	for i := range r.Ops {
		op := &r.Ops[i]
		at, ok := index[op.Layer]
		if !ok {
			at = len(r.Layers)
			index[op.Layer] = at
			b, ok := in[op.Layer]
			if !ok {
				b = maxBits
			}
			r.Layers = append(r.Layers, LayerReport{Name: op.Layer, Headroom: op.Headroom, In: b, Result: -1})
		}
		l := &r.Layers[at]
		l.Ops++
		l.Headroom = min(l.Headroom, op.Headroom)
		if ops[op.Value].Code == program.Input {
			start = min(start, op.Bits)
		}
		if !read[op.Value] {
			continue
		}
		l.Largest = max(l.Largest, op.Largest)
		if l.Result < 0 || op.Bits < l.Out {
			l.Result, l.Level, l.LogScale = op.Value, op.Level, op.LogScale
			l.Out, l.Predicted, l.Simulated = op.Bits, op.Predicted, op.Simulated
		}
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Result < 0 { // nobody reads it
			l.Out = l.In
			continue
		}
		l.Lost = l.In - l.Out
		if r.Culprit == "" && (l.Lost > r.Tolerance || r.Total > 0 && start-l.Out > r.Total) {
			r.Culprit = l.Name
		}
	}
}

// String returns a table with a line for each layer, and what was found below it.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program %s on engine %q, bits of precision by layer\n", r.Program.Short(), r.Engine)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "layer\tops\tlevel\tscale\tlargest\theadroom\tin\tout\tlost\tsimulated\tpredicted\t")
	for _, l := range r.Layers {
		if l.Result < 0 {
			fmt.Fprintf(w, "%s\t%d\t\t\t\t%.1f\t%.1f\t\t\t\t\t\n", l.Name, l.Ops, l.Headroom, l.In)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t2^%.1f\t%.4g\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n",
			l.Name, l.Ops, l.Level, l.LogScale, l.Largest, l.Headroom, l.In, l.Out, l.Lost, l.Simulated, l.Predicted)
	}
	w.Flush()
	if r.Culprit != "" {
		fmt.Fprintf(&b, "culprit: layer %q loses too much precision\n", r.Culprit)
	}
	if s := r.Surprise; s != nil {
		fmt.Fprintf(&b, "surprise: value %d, %s in layer %q, has an error of %.3g where %.3g was expected; slot %d is off by %.3g\n",
			s.Value, s.Code, s.Layer, s.Error, s.Expected, s.WorstSlot, s.WorstError)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "out of domain: %v\n", v)
	}
	for _, o := range r.Overflows {
		fmt.Fprintf(&b, "overflow: %v\n", o)
	}
	return b.String()
}
