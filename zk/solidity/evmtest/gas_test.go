package evmtest

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// budget is what a verification may cost as a transaction of its own, in gas.
var budget = map[string]uint64{"public": 350_000, "private": 550_000}

// TestGas measures whole transactions and compares them with testdata/gas.txt, whose numbers the documentation quotes.
func TestGas(t *testing.T) {
	var b strings.Builder
	for _, variant := range []string{"public", "private"} {
		f, c := readFixture(t, variant), newChain(t)
		contract, deployment := f.deploy(c, variant, "good")
		good := f.calls["good"]
		bad := bytes.Clone(good)
		at(bad, wordOutput, 1)[31] ^= 1
		offCurve := bytes.Clone(good) // the dearest proof: the pairing call fails and is tried once more
		copy(at(offCurve, wordB, 1), at(offCurve, wordB+1, 1))
		gas := c.send(&contract, good, 1<<21).GasUsed
		if gas > budget[variant] {
			t.Errorf("weights=%s: %d gas, more than %d", variant, gas, budget[variant])
		}
		fmt.Fprintf(&b, "%s verification %d\n", variant, gas)
		fmt.Fprintf(&b, "%s verification-of-a-wrong-output %d\n", variant, c.send(&contract, bad, 1<<21).GasUsed)
		fmt.Fprintf(&b, "%s verification-of-b-off-the-curve %d\n", variant, c.send(&contract, offCurve, 1<<21).GasUsed)
		if variant == "public" {
			call := gnarkCall(t, f, good[4+32*wordProof:])
			fmt.Fprintf(&b, "%s gnark's-verifyProof-alone %d\n", variant, c.send(&contract, call, 1<<21).GasUsed)
		}
		m := newMarket(newChain(t), f, variant)
		fmt.Fprintf(&b, "%s answer-to-testdata/Market.sol %d\n", variant, m.answer(7, m.output, m.proof).GasUsed)
		fmt.Fprintf(&b, "%s deployment %d\n", variant, deployment)
		fmt.Fprintf(&b, "%s calldata-bytes %d\n", variant, len(good))
		fmt.Fprintf(&b, "%s code-bytes %d\n", variant, readArtifact(t, variant).Runtime)
	}
	t.Logf("\n%s", b.String())
	const path = "testdata/gas.txt"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, b.String(), string(want))
}

// compare compares tables line by line; numbers may differ by 1 %, what compilers and forks change unnoticed.
func compare(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) != len(w) {
		t.Fatalf("%d fields, the golden file has %d", len(g), len(w))
	}
	for i := range g {
		var x, y float64
		if _, err := fmt.Sscanf(g[i]+" "+w[i], "%g %g", &x, &y); err != nil {
			if g[i] != w[i] {
				t.Errorf("%s in place of %s", g[i], w[i])
			}
			continue
		}
		if math.Abs(x-y) > y/100 {
			t.Errorf("%s %s: %g, the golden file says %g", g[i-2], g[i-1], x, y)
		}
	}
}
