package evmtest

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// gnarkCall returns a call of gnark's verifyProof for the good statement of a fixture with public weights, which gets
// its public inputs from zk's definitions, and a proof.
func gnarkCall(t testing.TB, f *fixture, proof []byte) []byte {
	t.Helper()
	st := f.statements["good"]
	input, output, err := f.vk.Digests(st)
	if err != nil {
		t.Fatal(err)
	}
	subject := commit.NewTranscript("signet/zk/subject/v1").Uint(uint64(st.Kind)).Uint(uint64(st.Version)).
		Word(f.vk.Digest()).Word(zk.Word{}).Word(input).Word(output).Sum()
	h := commit.NewTranscript("signet/zk/context/v1")
	for _, w := range []zk.Word{st.Context.Network, st.Context.Market, st.Context.Task, st.Context.Specification, st.Context.Output, st.Context.Worker, subject} {
		h.Word(w)
	}
	var x, y fr.Element
	x.SetBytes(input[:])
	y.SetBytes(output[:])
	context, statement := h.Challenge(), commit.Hash(commit.TagStatement, x, y)
	a, b := context.Bytes(), statement.Bytes()
	call := append(selector("verifyProof(bytes,uint256[2])"), common.LeftPadBytes([]byte{0x60}, 32)...)
	call = append(append(append(call, a[:]...), b[:]...), at(f.calls["good"], wordLength, 1)...)
	return append(call, proof...)
}

// TestGnarkVerifier asks the inherited contract of gnark, which checks one equation after the other, about the proofs
// that Inference checks in one call. It reverts where Inference says false.
func TestGnarkVerifier(t *testing.T) {
	f, c := readFixture(t, "public"), newChain(t)
	contract, _ := f.deploy(c, "public", "good")
	good := f.calls["good"]
	ask := func(proof []byte) (inference, gnark bool) {
		t.Helper()
		out, err := c.call(contract, append(bytes.Clone(good[:4+32*wordProof]), proof...), enough)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.call(contract, gnarkCall(t, f, proof), enough)
		return bytes.Equal(out, yes), err == nil
	}
	proof := good[4+32*wordProof:]
	if inference, gnark := ask(proof); !inference || !gnark {
		t.Errorf("the good proof: Inference says %t, gnark %t", inference, gnark)
	}
	for i := range proof {
		bad := bytes.Clone(proof)
		bad[i] ^= 1 << (i % 8)
		if inference, gnark := ask(bad); inference || gnark {
			t.Errorf("byte %d changed: Inference says %t, gnark %t", i, inference, gnark)
		}
	}
}
