package gnarkx

import (
	"testing"
)

func TestProve(t *testing.T) {
	k := toyKeys()
	for _, target := range []Target{Native, Solidity} {
		t.Run(target.String(), func(t *testing.T) {
			v := good()
			proof := mustProve(t, k, target, v)
			if len(proof) != ProofSize {
				t.Errorf("%d bytes, want %d", len(proof), ProofSize)
			}
			if err := Verify(k.VerifyingKey(), target, proof, v.context, v.statement); err != nil {
				t.Error(err)
			}
			h, err := Challenge(k.VerifyingKey(), target, proof, v.context)
			if err != nil {
				t.Fatal(err)
			}
			if got := toyStatement(h, v.product); got != v.statement {
				t.Error("the challenge of the proof is not the one that finish got")
			}
		})
	}
}
