package cpu

import (
	"context"
	"fmt"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// Benchmarks run one operation as a program of its own: what it costs includes the copy of its result.
func benchmarkRun(b *testing.B, bld *program.Builder, unit string, perRun float64) {
	l := complete(b, bld, 1)
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			j := l.load(b, Config{Threads: threads})
			l.digest(b, j, 0) // fills the pool
			n := 0
			for b.Loop() {
				if _, err := j.Run(context.Background(), l.in[0]); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(perRun*float64(n)/b.Elapsed().Seconds(), unit)
			b.ReportMetric(float64(Memory(l.prog)), "job-bytes")
		})
	}
}

func preset(b *testing.B) fhe.Parameters {
	b.Helper()
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{56}})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkMulRelin(b *testing.B) {
	p := preset(b)
	for level := 1; level <= p.MaxLevel(); level += 2 {
		b.Run(fmt.Sprintf("logn=13/level=%d", level), func(b *testing.B) {
			bld := program.NewBuilder(p)
			x := input(bld, "x", 1, level)[0]
			output(bld, "y", bld.MulRelin(x, x))
			benchmarkRun(b, bld, "products/s", 1)
		})
	}
}

func BenchmarkRotsum(b *testing.B) {
	p := preset(b)
	for _, radix := range []int{4, 8} {
		b.Run(fmt.Sprintf("logn=13/level=%d/radix=%d", p.MaxLevel(), radix), func(b *testing.B) {
			bld := program.NewBuilder(p)
			x := input(bld, "x", 1, p.MaxLevel())[0]
			output(bld, "y", bld.Rotsum(bld.Hoist(x, p.MaxLevel()), rotations(p, 1, radix), p.MaxLevel()))
			benchmarkRun(b, bld, "rotations/s", float64(radix-1))
		})
	}
}

func BenchmarkLintrans(b *testing.B) {
	p := preset(b)
	for _, c := range []struct{ diagonals, n1 int }{{16, 4}, {64, 8}, {128, 16}} {
		b.Run(fmt.Sprintf("logn=13/level=%d/diagonals=%d/n1=%d", p.MaxLevel(), c.diagonals, c.n1), func(b *testing.B) {
			bld := program.NewBuilder(p)
			x := input(bld, "x", 1, p.MaxLevel())[0]
			h := bld.Hoist(x, p.MaxLevel())
			output(bld, "y", bld.Lintrans(h, polynomials(b, p, c.diagonals), upTo(c.diagonals), upTo(c.diagonals), c.n1,
				p.MaxLevel()))
			benchmarkRun(b, bld, "diagonals/s", float64(c.diagonals))
		})
	}
}

// BenchmarkLincomb is a dense layer of a batch: a matrix product over words.
func BenchmarkLincomb(b *testing.B) {
	p := preset(b)
	for _, c := range []struct{ inputs, outputs int }{{64, 16}, {256, 32}} {
		b.Run(fmt.Sprintf("logn=13/level=1/inputs=%d/outputs=%d", c.inputs, c.outputs), func(b *testing.B) {
			bld := program.NewBuilder(p)
			xs := input(bld, "x", c.inputs, 1)
			w := weights(b, c.outputs, c.inputs)
			for i := range c.outputs {
				output(bld, fmt.Sprint(i), bld.Lincomb([]program.Range{{First: xs[0], Count: c.inputs}}, w, i))
			}
			benchmarkRun(b, bld, "GMAC/s", float64(c.inputs)*float64(c.outputs)*float64(4*p.N())/1e9)
		})
	}
}
