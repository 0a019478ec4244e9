package pass_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/pass"
)

// BenchmarkRun compares a program as emitted with the optimised one on the CPU engine: eight rotations of one value,
// and the products of each with it, every one emitted twice. The runs of a pair follow each other, so that the ratio
// does not depend on what else the machine does.
func BenchmarkRun(b *testing.B) {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{50, 36, 36, 36}, LogP: []int{56}})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		make func(bld *program.Builder, x program.Value) program.Value
		opts []pass.Option
	}{
		{"rotations", rotations, nil},
		{"products", products, nil},
		{"products/newbits", products, []pass.Option{pass.AllowNewBits()}},
	} {
		b.Run(fmt.Sprintf("%s/logn=%d/level=%d", c.name, params.LogN(), params.MaxLevel()), func(b *testing.B) {
			bld := program.NewBuilder(params)
			output(bld, "y", c.make(bld, input(bld, 1)[0]))
			p, consts := build(b, bld)
			q, r := optimize(b, p, c.opts...)
			keys := randomKeys(b, p)
			var jobs [2]program.Job
			var in [2]*fhe.Bundle
			for i, p := range []*program.Program{p, q} {
				jobs[i] = load(b, p, consts, keys)
				defer jobs[i].Close()
				if in[i], err = fhetest.RandomBundle(fhetest.NewRand(1), p, key); err != nil {
					b.Fatal(err)
				}
			}
			var took [2]time.Duration
			for b.Loop() {
				for i, job := range jobs {
					start := time.Now()
					if _, err := job.Run(context.Background(), in[i]); err != nil {
						b.Fatal(err)
					}
					took[i] += time.Since(start)
				}
			}
			b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "times-faster")
			b.ReportMetric(float64(r.Before.KeySwitches), "switches-before")
			b.ReportMetric(float64(r.After.KeySwitches), "switches-after")
		})
	}
}

// rotations is the sum of eight rotations of x.
func rotations(b *program.Builder, x program.Value) program.Value {
	sum := x
	for k := 1; k <= 8; k++ {
		sum = b.Add(sum, b.Rot(x, b.Parameters().GaloisElement(k)))
	}
	return sum
}

// products is the sum of the products of x with eight rotations of it, every one twice.
func products(b *program.Builder, x program.Value) program.Value {
	var terms []program.Value
	for range 2 {
		for k := 1; k <= 8; k++ {
			terms = append(terms, b.Rescale(b.MulRelin(x, b.Rot(x, b.Parameters().GaloisElement(k)))))
		}
	}
	sum := b.Add(terms[0], terms[8])
	for k := 1; k < 8; k++ {
		sum = b.Add(sum, b.Add(terms[k], terms[8+k]))
	}
	return sum
}

// BenchmarkOptimize measures the passes themselves, on a random program.
func BenchmarkOptimize(b *testing.B) {
	params := fhetest.InsecureToyParamsNamed(b, "digits of one")
	p, _, err := fhetest.RandomProgram(fhetest.NewRand(1), params, 3000)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		optimize(b, p)
	}
	b.ReportMetric(float64(len(p.Ops()))*float64(b.N)/b.Elapsed().Seconds(), "operations/s")
}
