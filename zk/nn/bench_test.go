package nn

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkNew(b *testing.B) {
	for _, n := range named() {
		b.Run("network="+n.name, func(b *testing.B) {
			for b.Loop() {
				build1(b, n.graph)
			}
		})
	}
}

func BenchmarkAssign(b *testing.B) {
	for _, x := range named()[:4] {
		b.Run("network="+x.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			n := random(r, x.graph, false)
			c := build1(b, n.graph)
			a := n.assignment(b, c, n.trace(n.input(r)))
			for b.Loop() {
				if _, err := c.Assign(a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
