package quickstart

import (
	"fmt"
	"strings"

	"github.com/signet-ml/signet/examples/internal/stage"
	"github.com/signet-ml/signet/ml/report"
)

// A part is one model in a summary.
type part struct {
	prefix string // of its figures' names
	folder string // of its files
	noun   string // what is predicted, more than one
	each   string // what one run is for
}

var (
	lrPart  = part{noun: "tumours", each: "all tumours at once"}
	mlpPart = part{noun: "handwritten digits", each: "each digit"}
)

// parts returns the models of the notebook of this name.
func parts(notebook string) []part {
	switch notebook {
	case "quickstart-lr":
		return []part{lrPart}
	case "quickstart-mlp":
		return []part{mlpPart}
	}
	lr := lrPart
	lr.prefix, lr.folder = "lr_", "lr"
	return []part{lr, mlpPart}
}

// Recap says in six lines what a run came to: what was predicted, by whom, how right, how long it took, how many bytes
// travelled, and where the pictures are, which were written below dir. Numbers are those of the summary.
func Recap(s *report.Summary, dir string) string {
	ps := parts(s.Name)
	value := func(p part, name string) float64 {
		f, _ := s.Get(p.prefix + name)
		return f.Value
	}
	each := func(text func(p part) string) string {
		var out []string
		for _, p := range ps {
			out = append(out, text(p))
		}
		return strings.Join(out, " and ")
	}
	show := func(unit string, names ...string) func(part) string {
		return func(p part) string {
			sum := 0.0
			for _, n := range names {
				sum += value(p, n)
			}
			return report.Format(sum, unit)
		}
	}
	keys, bytes := 0, 0.0
	for _, p := range ps {
		f, _ := s.Get(p.prefix + "keys_wire_bytes")
		keys += f.N
		bytes += f.Value
	}
	once := "no keys"
	if keys > 0 {
		once = fmt.Sprintf("%d keys, once, %s", keys, report.Format(bytes, "B"))
	}

	var what, pictures []string
	for _, p := range ps {
		f, _ := s.Get(p.prefix + "accuracy")
		what = append(what, fmt.Sprintf("%d %s", f.N, p.noun))
	}
	right := fmt.Sprintf("%s; in the clear %s", each(show("ratio", "accuracy")), each(show("ratio", "accuracy_clear")))
	if f, ok := s.Get(ps[0].prefix + "calibration_error"); ok {
		right += fmt.Sprintf("; calibration error %.3f, in the clear %.3f", f.Value, value(ps[0], "calibration_error_clear"))
	}
	for _, a := range s.Artifacts {
		if a.Media == "image/png" {
			pictures = append(pictures, a.Path)
		}
	}

	var b strings.Builder
	line := func(topic, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s%s\n", topic, fmt.Sprintf(format, args...))
	}
	line("predicted", "%s, all encrypted", strings.Join(what, " and "))
	line("by", "%s", server(s))
	line("right", "%s", right)
	line("took", "%s; %s to encrypt and decrypt", each(func(p part) string { return show("ms", "server_ms")(p) + " for " + p.each }),
		each(show("ms", "encrypt_ms", "decrypt_ms")))
	line("sent", "%s; %s back; %s", each(func(p part) string { return show("B", "input_bytes")(p) + " for " + p.each }),
		each(show("B", "output_bytes")), once)
	line("pictures", "in %s: %s; all figures: summary.json", dir, strings.Join(pictures, ", "))
	return b.String()
}

// server says who predicted, as far as the checks of a run bear it out.
func server(s *report.Summary) string {
	failed := strings.Join(s.Failed(), "\n")
	say := func(check, yes, no string) string {
		if strings.Contains(failed, check) {
			return no
		}
		return yes
	}
	return say(stage.CheckProcess, "another process", "THIS process") + ", with the weights and " +
		say(stage.CheckNoKey, "no secret key", "A SECRET KEY") + "; a second one gave " + say(stage.CheckSame, "the same bits", "OTHER BITS")
}
