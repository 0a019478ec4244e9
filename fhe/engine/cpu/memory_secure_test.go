//go:build secure

package cpu

import (
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// TestMemoryOfLargeJobs: the bound is as close for jobs of a gigabyte, of keys, of a thousand diagonals, and of values.
func TestMemoryOfLargeJobs(t *testing.T) {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 15, LogQ: []int{50, 45, 45, 45, 45, 45, 45, 45},
		LogP: []int{55}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	for name, emit := range map[string]func(b *program.Builder){
		"diagonals": func(b *program.Builder) {
			x := input(b, "x", 1, 2)[0]
			output(b, "y", b.Lintrans(b.Hoist(x, 2), polynomials(t, p, 1000), upTo(1000), upTo(1000), 64, 2))
		},
		"keys": func(b *program.Builder) {
			x := input(b, "x", 1, 7)[0]
			output(b, "y", b.Rotsum(b.Hoist(x, 7), rotations(p, 1, 24), 7))
		},
		"values": func(b *program.Builder) {
			xs := input(b, "x", 64, 7)
			for i, x := range xs {
				xs[i] = b.MulConst(x, one, one, fhe.PowerOfTwo(0))
			}
			sum := xs[0]
			for _, x := range xs[1:] {
				sum = b.Add(sum, x)
			}
			output(b, "y", b.MulRelin(sum, sum))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := program.NewBuilder(p)
			emit(b)
			checkMemory(t, complete(t, b, 1))
		})
	}
}
