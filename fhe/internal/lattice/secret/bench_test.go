package secret

import (
	"testing"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
)

// BenchmarkSwitchingKey compares with Lattigo's generator, each with a fresh stream per key.
func BenchmarkSwitchingKey(b *testing.B) {
	for _, c := range []struct {
		name string
		ps   *lattice.Params
	}{
		{"logn=13", rings(b, 13, []int{59, 29, 29}, []int{60}, lattice.Secret{})},
		{"logn=14", rings(b, 14, []int{55, 40, 40, 40, 40, 40, 40}, []int{61, 60}, lattice.Secret{})},
	} {
		k := Generate(c.ps)
		q, p := c.ps.MaxLevel(), c.ps.PCount()-1
		at := rlwe.EvaluationKeyParameters{LevelQ: &q, LevelP: &p}
		b.Run(c.name+"/by=signet", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := k.SwitchingKey(5, q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/by=lattigo", func(b *testing.B) {
			for b.Loop() {
				rlwe.NewKeyGenerator(c.ps.CKKS).GenGaloisKeyNew(5, k.m().sk, at)
			}
		})
	}
}
