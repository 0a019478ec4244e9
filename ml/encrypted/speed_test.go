package encrypted

import (
	"fmt"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// BenchmarkCompile compiles networks 64-h-10 of tanh.
func BenchmarkCompile(b *testing.B) {
	for _, h := range []int{8, 48} {
		m := sequential(b, scaled(h, 64, 0.2, 1), ml.Tanh(), scaled(10, h, 0.3, 2))
		for _, packing := range []Packing{Single, Batch} {
			b.Run(fmt.Sprintf("hidden=%d/packing=%v", h, packing), func(b *testing.B) {
				for b.Loop() {
					compile(b, m, Target{Packing: packing})
				}
			})
		}
	}
}
