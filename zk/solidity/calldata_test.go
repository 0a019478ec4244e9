package solidity

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/signet-ml/signet/zk"
)

func TestCalldata(t *testing.T) {
	for _, variant := range variants {
		t.Run("weights="+variant, func(t *testing.T) {
			f := readFixture(t, variant)
			st, pf := f.statements["good"], f.proofs["good"]
			call, err := Calldata(f.vk, st, pf)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := Proof(f.vk, st, pf)
			if err != nil {
				t.Fatal(err)
			}
			if variant == "private" {
				registered := *st
				registered.RangeProved = true
				if again, err := Calldata(f.vk, &registered, pf); err != nil || !bytes.Equal(again, call) {
					t.Errorf("the same for a registered model: %x, %v", again, err)
				}
			}
			size := 384
			if variant == "private" {
				size = 640
			}
			if len(proof) != size || len(call) != 4+10*32+size || !bytes.HasSuffix(call, proof) {
				t.Fatalf("a proof of %d bytes in a call of %d", len(proof), len(call))
			}
			word := func(i int) zk.Word { return zk.Word(call[4+32*i:]) }
			c := st.Context
			for i, want := range []zk.Word{c.Network, c.Market, c.Task, c.Specification, c.Output, c.Worker, st.Input.Digest,
				number(byte(st.Output.Values[0]))} {
				if word(i) != want {
					t.Errorf("word %d is %v, want %v", i, word(i), want)
				}
			}
			for i, want := range map[int]int64{8: 9 * 32, 9: int64(size)} {
				w := word(i)
				if new(big.Int).SetBytes(w[:]).Cmp(big.NewInt(want)) != 0 {
					t.Errorf("word %d is %v, want %d", i, w, want)
				}
			}
			if variant == "public" {
				return
			}
			// Behind the Groth16 proof, in this order: K, e1, e2, Q1, Q2.
			o := pf.Opening()
			rest := skipPoint(t, proof[384:], o.K)
			e1, e2 := o.E1.Bytes(), o.E2.Bytes()
			if !bytes.HasPrefix(rest, append(e1[:], e2[:]...)) {
				t.Errorf("e1 and e2 are %x", rest[:64])
			}
			rest = skipPoint(t, rest[64:], o.Q1)
			if rest = skipPoint(t, rest, o.Q2); len(rest) != 0 {
				t.Errorf("%d bytes follow", len(rest))
			}
		})
	}
}

// skipPoint returns what follows the point.
func skipPoint(t *testing.T, b []byte, p bn254.G1Affine) []byte {
	t.Helper()
	x, y := p.X.Bytes(), p.Y.Bytes()
	if !bytes.HasPrefix(b, append(x[:], y[:]...)) {
		t.Errorf("a point is %x, want %x", b[:64], append(x[:], y[:]...))
	}
	return b[64:]
}

// TestCalldataRefuses: no calldata for what the contract would refuse.
func TestCalldataRefuses(t *testing.T) {
	public, private := readFixture(t, "public"), readFixture(t, "private")
	good, proof := private.statements["good"], private.proofs["good"]
	change := func(do func(*zk.Statement)) *zk.Statement {
		st := *good
		do(&st)
		return &st
	}
	for _, tt := range []struct {
		name string
		vk   *zk.VerifyingKey
		st   *zk.Statement
		pf   *zk.Proof
		want error
	}{
		{"another key", public.vk, good, proof, zk.ErrStatement},
		{"no statement", private.vk, nil, proof, zk.ErrStatement},
		{"no proof", private.vk, good, nil, zk.ErrProof},
		{"proof of another statement", private.vk, good, private.proofs["unbound"], zk.ErrProof},
		{"proof of another model", private.vk, good, private.proofs["other"], zk.ErrProof},
		{"proof of another key", private.vk, good, public.proofs["good"], zk.ErrProof},
		{"other task", private.vk, change(func(st *zk.Statement) { st.Context.Task[31] ^= 1 }), proof, zk.ErrProof},
		{"other input", private.vk, change(func(st *zk.Statement) { st.Input.Digest[31] ^= 1 }), proof, zk.ErrProof},
		{"other output", private.vk, change(func(st *zk.Statement) { st.Output.Values = []int64{1 - st.Output.Values[0]} }), proof, zk.ErrProof},
		{"other model", private.vk, change(func(st *zk.Statement) { st.Model = private.statements["other"].Model }), proof, zk.ErrProof},
		{"an encoding", private.vk, change(func(st *zk.Statement) {
			st.Input.Encoding = &zk.Encoding{Offsets: []float64{0}, Units: []float64{1}}
		}), proof, ErrEncoding},
		{"no model", private.vk, change(func(st *zk.Statement) { st.Model = nil }), proof, zk.ErrStatement},
	} {
		t.Run("case="+tt.name, func(t *testing.T) {
			if b, err := Calldata(tt.vk, tt.st, tt.pf); b != nil || !errors.Is(err, tt.want) {
				t.Errorf("Calldata: %x, %v", b, err)
			}
			if b, err := Proof(tt.vk, tt.st, tt.pf); b != nil || !errors.Is(err, tt.want) {
				t.Errorf("Proof: %x, %v", b, err)
			}
		})
	}
}
