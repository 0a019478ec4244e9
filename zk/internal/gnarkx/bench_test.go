package gnarkx

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

// wide has two constraints for each of its secret inputs: its square, and a step of the evaluation at the challenge.
type wide struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	X         []frontend.Variable
}

func (c *wide) Define(api frontend.API) error {
	api.Mul(c.Context, c.Context)
	h, err := api.(frontend.Committer).Commit(append([]frontend.Variable{c.Context}, c.X...)...)
	if err != nil {
		return err
	}
	var e frontend.Variable = 0
	for _, x := range c.X {
		e = api.Add(api.Mul(e, h), api.Mul(x, x))
	}
	api.AssertIsEqual(c.Statement, e)
	return nil
}

func (c *wide) assign() func(h fr.Element) (frontend.Circuit, error) {
	c.Context, c.Statement = 1, 0
	var x fr.Element
	values := make([]fr.Element, len(c.X))
	for i := range values {
		x.SetUint64(uint64(i) + 1).Inverse(&x) // full size
		values[i] = x
		c.X[i] = x
	}
	return func(h fr.Element) (frontend.Circuit, error) {
		var e, square fr.Element
		for i := range values {
			e.Mul(&e, &h).Add(&e, square.Square(&values[i]))
		}
		return &wide{Context: c.Context, Statement: e, X: c.X}, nil
	}
}

func benchmarkSizes(b *testing.B, run func(b *testing.B, s *System, n int)) {
	for _, secrets := range []int{3250, 22000} {
		s := mustCompile(b, &wide{X: make([]frontend.Variable, secrets)})
		b.Run(fmt.Sprintf("constraints=%d", s.Constraints()), func(b *testing.B) { run(b, s, secrets) })
	}
}

func BenchmarkSetup(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, s *System, _ int) {
		for b.Loop() {
			mustSetup(b, s)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*s.Constraints()), "µs/constraint")
	})
}

func BenchmarkProve(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, s *System, n int) {
		k := mustSetup(b, s)
		c := &wide{X: make([]frontend.Variable, n)}
		finish := c.assign()
		for b.Loop() {
			if _, err := Prove(b.Context(), k, Native, c, finish); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*s.Constraints()), "µs/constraint")
		b.ReportMetric(float64(k.ProvingKeyBytes()), "key-bytes")
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		mustCompile(b, &wide{X: make([]frontend.Variable, 22000)})
	}
}

func BenchmarkLoad(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, s *System, _ int) {
		dir, _ := cacheDir(b, s)
		if _, _, err := Setup(b.Context(), s, dir, nil); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, hit, err := Setup(b.Context(), s, dir, nil); err != nil || !hit {
				b.Fatalf("hit %v, %v", hit, err)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v := good()
	proof := mustProve(b, toyKeys(), Native, v)
	for b.Loop() {
		if err := Verify(toyKeys().vk, Native, proof, v.context, v.statement); err != nil {
			b.Fatal(err)
		}
	}
}
