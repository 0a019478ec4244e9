package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// Setup's checks: two public inputs, one commitment to the context and every secret input, no input without constraint.
//
// Soundness: S2.
func TestCompiles(t *testing.T) {
	digests := make(map[[32]byte]bool)
	either(t, func(t *testing.T, _ *rand.Rand, x *subject) {
		c := x.c
		s, err := gnarkx.Compile(c.Blank())
		if err != nil {
			t.Fatal(err)
		}
		if s.Constraints() != c.Constraints() || s.Secrets() != c.Inputs() {
			t.Errorf("%d constraints, %d inputs: counted %d, %d", s.Constraints(), s.Secrets(), c.Constraints(), c.Inputs())
		}
		if s.Committed() != c.Inputs()+1 { // 1: the mask
			t.Errorf("%d wires committed: want %d", s.Committed(), c.Inputs()+1)
		}
		again, err := gnarkx.Compile(build1(t, c.graph).Blank())
		if err != nil {
			t.Fatal(err)
		}
		if again.Digest() != s.Digest() {
			t.Error("the same graph compiles to another system")
		}
		if digests[s.Digest()] {
			t.Error("another graph compiles to the same system")
		}
		digests[s.Digest()] = true
	})
}
