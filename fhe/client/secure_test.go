//go:build secure

package client

import (
	"math"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// TestSecureKeys audits every limb of every kind of key on parameters of the size that is used, at the highest level,
// one in between and 0, and compares the noise of fresh encryptions with the model.
func TestSecureKeys(t *testing.T) {
	times := func(bits, n int) []int { return slices.Repeat([]int{bits}, n) }
	for name, lit := range map[string]fhe.ParametersLiteral{
		"N13-L3":       {LogN: 13, LogQ: append([]int{50}, times(36, 3)...), LogP: []int{56}},
		"N13-L4":       {LogN: 13, LogQ: append([]int{45}, times(31, 4)...), LogP: []int{45}},
		"N14-L6":       {LogN: 14, LogQ: append([]int{55}, times(40, 6)...), LogP: times(61, 2)},
		"N14-L8":       {LogN: 14, LogQ: append([]int{50}, times(35, 8)...), LogP: times(50, 2)},
		"N14-gaussian": {LogN: 14, LogQ: append([]int{50}, times(35, 8)...), LogP: times(50, 2), Secret: fhe.SecretDistribution{Gaussian: true}},
		"N14-sparse":   {LogN: 14, LogQ: append([]int{50}, times(35, 5)...), LogP: times(50, 2), Secret: fhe.SecretDistribution{Hamming: 192}, SparseSecret: true},
		"N15-L13":      {LogN: 15, LogQ: append([]int{60}, times(45, 13)...), LogP: times(61, 3)},
		"N15-L15":      {LogN: 15, LogQ: append([]int{60}, times(40, 15)...), LogP: times(61, 3)},
		"N16-L20":      {LogN: 16, LogQ: append([]int{60}, times(45, 20)...), LogP: times(61, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			p := params(t, lit)
			g := generator(t, p)
			sk := g.GenSecretKey()
			for _, level := range []int{p.MaxLevel(), p.MaxLevel() / 2, 0} {
				for _, e := range []uint64{0, p.GaloisElement(1), p.GaloisElement(-7), p.GaloisElementForConjugation()} {
					// WithAudit checks every limb; one key at a time is in memory.
					keys := generate(t, g, sk, []program.KeyRequirement{{GaloisElement: e, Level: level}}, WithAudit())
					if k := keys.Get(e); k == nil || k.Level() != level || k.Rows() != level+1+p.PCount() {
						t.Errorf("element %d at level %d: %v", e, level, k)
					}
				}
			}
			port := vector(p, p.MaxLevel(), p.LogMaxSlots(), p.MaxSlots())
			x := values(p.MaxSlots(), 1)
			pk := publicKey(t, p, sk)
			for key, c := range map[string]struct {
				e    *Encryptor
				want float64
			}{"secret": {NewEncryptor(sk), fresh(port.LogSlots, port.Scale)}, "public": {NewPublicKeyEncryptor(pk), predicted(t, p, port)}} {
				in, err := c.e.Encrypt(port, x)
				if err != nil {
					t.Fatal(err)
				}
				std, _ := deviation(t, decrypt(t, sk, port, in), x)
				if math.Abs(math.Log2(std/c.want)) > 0.2 {
					t.Errorf("%s key: standard deviation 2^%.2f, the model expects 2^%.2f", key, math.Log2(std), math.Log2(c.want))
				}
				t.Logf("%s key: 2^%.2f", key, math.Log2(std))
			}
		})
	}
}
