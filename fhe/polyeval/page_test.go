package polyeval_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/polyeval"
)

// TestPage: the tables of the page on activations are what this test measures; -update writes them.
func TestPage(t *testing.T) {
	const name = "../../docs/explanation/activations.md"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for table, rows := range map[string]string{"smooth": smoothTable(t), "outside": outsideTable(t), "relu": reluTable(t)} {
		begin, end := fmt.Sprintf("<!-- %s:begin: written by go test ./fhe/polyeval -run Page -update -->\n", table), fmt.Sprintf("<!-- %s:end -->", table)
		before, rest, found := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("no %q … %q", begin, end)
		}
		text = before + begin + rows + end + after
	}
	if text == string(data) {
		return
	}
	if !*update {
		t.Fatalf("the tables of %s are stale: run go test ./fhe/polyeval -run Page -update", name)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func power(x float64) string { return fmt.Sprintf("2^%.1f", math.Log2(x)) }

func smoothTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| function | interval | degree 7, 3 levels | 15, 4 levels | 31, 5 levels | 63, 6 levels | 127, 7 levels |\n|---|---|---|---|---|---|---|\n")
	for _, c := range table {
		fmt.Fprintf(&b, "| %s | [%.4g, %g] |", c.f.Name, c.lo, c.hi)
		for i, bits := range c.bits {
			if bits == 0 {
				b.WriteString(" – |")
				continue
			}
			p, err := polyeval.At(c.f, c.lo, c.hi, 8<<i-1)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %s |", power(p.MaxError()))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func outsideTable(t *testing.T) string {
	var b strings.Builder
	xs := []float64{8, 8.5, 9, 10, 12, 16}
	b.WriteString("| sigmoid on [-8, 8] |")
	for _, x := range xs {
		fmt.Fprintf(&b, " x = %g |", x)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(xs)) + "|\n")
	for _, degree := range []int{7, 15, 31} {
		p, err := polyeval.At(polyeval.Sigmoid, -8, 8, degree)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| degree %d |", degree)
		for _, x := range xs {
			fmt.Fprintf(&b, " %.3g |", p.Eval(x))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func reluTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| set | degrees | gap | sign outside of the gap | levels of `Step` | ReLU on [-1, 1] | levels of ReLU |\n|---|---|---|---|---|---|---|\n")
	for i, m := range []polyeval.Minimax{polyeval.Minimax6, polyeval.Minimax6Sharp, polyeval.Minimax8, polyeval.Minimax10} {
		sign, err := polyeval.Sign(m)
		if err != nil {
			t.Fatal(err)
		}
		relu, err := polyeval.NewReLU(m, 1)
		if err != nil {
			t.Fatal(err)
		}
		var degrees []string
		for _, p := range sign.Polynomials() {
			degrees = append(degrees, fmt.Sprint(p.Degree()))
		}
		fmt.Fprintf(&b, "| `%s` | %s | 2^%g | %s | %d | %s | %d |\n", []string{"Minimax6", "Minimax6Sharp", "Minimax8", "Minimax10"}[i], strings.Join(degrees, ", "),
			math.Log2(sign.Gap()), power(sign.MaxError()), sign.Depth(), power(relu.MaxError()), relu.Depth())
	}
	return b.String()
}
