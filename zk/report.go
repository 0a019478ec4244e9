package zk

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A Cost is a share of a circuit's constraints: those of one part for one reason.
type Cost struct {
	Part        string `json:"part"`  // a layer by its label, or "input", "statement"
	Cause       string `json:"cause"` // "range", "product", "hash"
	Constraints int    `json:"constraints"`
}

// A Layer says where the integers of one layer lie, for every input and all weights in their ranges.
type Layer struct {
	Name      string `json:"name"`
	Lo        int64  `json:"lo"`
	Hi        int64  `json:"hi"`
	Saturates bool   `json:"saturates"` // results outside [Lo, Hi] are possible and become its ends
	// Calibrated is the largest magnitude on the calibration set, in the same units; 0 where nobody measured it.
	Calibrated float64 `json:"calibrated,omitzero"`
}

// Width returns the bits of Hi - Lo.
func (l Layer) Width() int { return bits.Len64(uint64(l.Hi) - uint64(l.Lo)) }

// A Report says what proofs about a circuit will cost and show, before keys exist. Sizes, bytes and costs are exact;
// times and memory are estimates by the rates of a machine. encoding/json writes it; durations are nanoseconds.
type Report struct {
	Kind    Kind   `json:"kind"`
	Version uint16 `json:"version"` // of the fixed-point semantics
	Batch   int    `json:"batch"`   // samples under one proof

	Sizes
	Costs      []Cost  `json:"costs,omitempty"` // add up to Constraints; nil when the circuit does not say
	Room       int     `json:"room"`            // constraints up to the next power of two, where FFTs double
	Suggestion string  `json:"suggestion,omitempty"`
	Layers     []Layer `json:"layers,omitempty"`

	Machine    string        `json:"machine"` // that the times are of,
	Threads    int           `json:"threads"`
	Compile    time.Duration `json:"compile"`
	Setup      time.Duration `json:"setup"` // once for the architecture, compiling included
	Load       time.Duration `json:"load"`  // keys from the cache
	Model      time.Duration `json:"model"` // committing to the weights by rows, once for the model; 0 for the compact form, which no machine's rates know
	Prove      time.Duration `json:"prove"`
	Verify     time.Duration `json:"verify"`
	SetupBytes int64         `json:"setup_bytes"` // memory of a process that makes keys
	ProveBytes int64         `json:"prove_bytes"` // memory of a process that loads keys and proves

	ReferenceBytes    int64  `json:"reference_bytes"` // of the reference string, in memory and on disk
	VerifyingKeyBytes int    `json:"verifying_key_bytes"`
	ModelBytes        int    `json:"model_bytes"` // of the model commitment
	ProofBytes        int    `json:"proof_bytes"`
	Cache             string `json:"cache,omitempty"` // "hit" or "miss", for the folder given by CacheDir

	// SoundnessBits is b when a cheating prover succeeds with probability at most 2^-b per query to the hash, beside
	// breaking Groth16 and KZG on BN254 (about 100 bits) or Poseidon2 (127 bits).
	SoundnessBits int      `json:"soundness_bits"`
	Proofs        int      `json:"proofs"` // that one model commitment covers; -1 when the weights are public
	Public        []string `json:"public"`
	Private       []string `json:"private"`
	NotProved     []string `json:"not_proved"`
	Provenance    string   `json:"provenance"`
	Quantization  string   `json:"quantization,omitempty"` // what the circuit's integers are, where ml/provable made it
	Fidelity      string   `json:"fidelity,omitempty"`     // how close they come to the float64 model, from there too
	Warning       string   `json:"warning,omitempty"`      // of what a proof would state and the float64 model does not, from there too
}

// Shows sets what a verifier learns of inputs and outputs, which Estimate cannot know: Prove is told.
func (r *Report) Shows(input, output Visibility) {
	known := map[string]Visibility{"the input": input, "the output": output}
	for i, line := range r.Public {
		noun, _, _ := strings.Cut(line, ":")
		v := known[noun]
		if v == 0 {
			continue
		}
		r.Public[i] = shown(noun, v)
		r.Private = slices.DeleteFunc(r.Private, func(s string) bool { return s == noun })
		if v == Committed {
			r.Private = append(r.Private, noun)
		}
	}
}

// shown says what a statement has of a value.
func shown(noun string, v Visibility) string {
	return noun + ": " + map[Visibility]string{
		0:         "itself, its digest, or a digest with a salt, as Prove is told",
		Public:    "itself",
		Hashed:    "a digest without a salt, by which guesses can be checked",
		Committed: "a digest with a random salt, which hides it",
	}[v]
}

// String prints the report for people, as tables.
func (r *Report) String() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(format string, a ...any) { fmt.Fprintf(tw, format+"\n", a...) }
	line("constraints\t%s\tFFT domain %s, room for %s more", thousands(r.Constraints), thousands(r.Domain), thousands(r.Room))
	line("committed wires\t%s", thousands(r.Committed))
	if r.Suggestion != "" {
		line("suggestion\t%s", r.Suggestion)
	}
	if r.Rows > 0 {
		line("weights\t%s\toutside the circuit, %s × %s with blinds", thousands(r.Weights), thousands(r.Rows), thousands(r.Columns))
	}
	line("compile\t%s\ton %s, %d thread(s); times and memory are estimates", seconds(r.Compile), r.Machine, r.Threads)
	line("setup\t%s\tonce for the architecture, %s of memory", seconds(r.Setup), size(r.SetupBytes))
	line("load\t%s\tkeys from the cache%s", seconds(r.Load), prefixed(": a ", r.Cache))
	if r.Model > 0 {
		line("commit\t%s\tonce for the model", seconds(r.Model))
	}
	line("prove\t%s\t%s of memory", seconds(r.Prove), size(r.ProveBytes))
	line("verify\t%s", seconds(r.Verify))
	line("proving key\t%s", size(r.ProvingKeyBytes))
	if r.Rows > 0 {
		line("reference string\t%s", size(r.ReferenceBytes))
	}
	line("verifying key\t%s", size(int64(r.VerifyingKeyBytes)))
	if r.Rows > 0 {
		line("model commitment\t%s\tgood for %s proofs", size(int64(r.ModelBytes)), thousands(r.Proofs))
	}
	what := "of the weights' ranges"
	if r.Kind == Inference {
		what = fmt.Sprintf("for %d sample(s)", r.Batch)
	}
	line("proof\t%s\t%s", size(int64(r.ProofBytes)), what)
	line("soundness\t2^-%d\tper hash query; BN254 about 2^-100; setup: %s", r.SoundnessBits, r.Provenance)
	if r.Quantization != "" {
		line("integers\t%s", r.Quantization)
	}
	if r.Fidelity != "" {
		line("fidelity\t%s", r.Fidelity)
	}
	if r.Warning != "" {
		line("WARNING\t%s", r.Warning)
	}
	r.costTable(line)
	r.layerTable(line)
	for _, list := range []struct {
		title string
		items []string
	}{{"public", r.Public}, {"private", r.Private}, {"not proved", r.NotProved}} {
		line("")
		for i, item := range list.items {
			if i > 0 {
				list.title = ""
			}
			line("%s\t%s", list.title, item)
		}
	}
	tw.Flush() // into memory: cannot fail
	var out strings.Builder
	for l := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(l, " \n") + "\n")
	}
	return out.String()
}

func (r *Report) costTable(line func(string, ...any)) {
	if r.Costs == nil {
		return
	}
	line("\nconstraints of\tfor\tnumber")
	for _, c := range r.Costs {
		line("%s\t%s\t%s", c.Part, c.Cause, thousands(c.Constraints))
	}
}

func (r *Report) layerTable(line func(string, ...any)) {
	if r.Layers == nil {
		return
	}
	line("\nintegers of\tbetween\tbits\tcalibrated\tsaturation")
	for _, l := range r.Layers {
		saturation, calibrated := "impossible", "–"
		if l.Saturates {
			saturation = "possible"
		}
		if l.Calibrated > 0 {
			calibrated = strconv.FormatFloat(l.Calibrated, 'f', 0, 64)
		}
		line("%s\t%d and %d\t%d\t%s\t%s", l.Name, l.Lo, l.Hi, l.Width(), calibrated, saturation)
	}
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// thousands prints n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// seconds and size print three digits and a unit.
func seconds(d time.Duration) string {
	return digits(d.Seconds(), []unit{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}})
}

func size(n int64) string {
	return digits(float64(n), []unit{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}})
}

type unit struct {
	size float64
	name string
}

func digits(x float64, units []unit) string {
	u := units[len(units)-1]
	for _, v := range units {
		if x >= v.size {
			u = v
			break
		}
	}
	x /= u.size
	if x >= 999.5 { // 'g' would write an exponent
		return strconv.FormatFloat(x, 'f', 0, 64) + " " + u.name
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + " " + u.name
}
