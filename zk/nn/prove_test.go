//go:build prover_checks

package nn

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// Real proofs, with the statement as a verifier computes it.
func TestProve(t *testing.T) {
	graphs := small()
	graphs["mlp 784-128-10"] = mlp(1, 784, 128, 10)
	graphs["lenet"] = lenet()
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			n := random(r, g, false)
			c := build1(t, n.graph)
			s, err := gnarkx.Compile(c.Blank())
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			k, _, err := gnarkx.Setup(t.Context(), s, "", nil)
			if err != nil {
				t.Fatal(err)
			}
			setup := time.Since(begin)
			a := n.assignment(t, c, n.trace(n.input(r)))
			begin = time.Now()
			pass1, err := c.Assign(a)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := gnarkx.Prove(t.Context(), k, gnarkx.Native, pass1, func(h fr.Element) (frontend.Circuit, error) {
				a.Statement = n.statement(t, c, a, h)
				return c.Assign(a)
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d constraints: setup %v, proof %v", c.Constraints(), setup, time.Since(begin))
			if err := gnarkx.Verify(k.VerifyingKey(), gnarkx.Native, proof, a.Context, a.Statement); err != nil {
				t.Error(err)
			}
			for _, x := range [][2]fr.Element{{element(1), a.Statement}, {a.Context, element(1)}, {a.Statement, a.Context}} {
				if gnarkx.Verify(k.VerifyingKey(), gnarkx.Native, proof, x[0], x[1]) == nil {
					t.Error("accepted with another public input")
				}
			}
		})
	}
}
