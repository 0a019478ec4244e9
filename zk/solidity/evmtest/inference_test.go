package evmtest

import (
	"bytes"
	"fmt"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// enough is more gas than any call needs.
const enough = 5_000_000

// Where things lie in the calldata, in words after the selector.
const (
	wordInput  = 6
	wordOutput = 7
	wordLength = 9
	wordProof  = 10
	// In the proof:
	wordA          = wordProof
	wordB          = wordProof + 2
	wordC          = wordProof + 6
	wordCommitment = wordProof + 8
	wordKnowledge  = wordProof + 10
	wordK          = wordProof + 12
	wordE1         = wordProof + 14
	wordE2         = wordProof + 15
	wordQ1         = wordProof + 16
	wordQ2         = wordProof + 18
)

// at returns n words of the calldata, to be changed.
func at(call []byte, word, n int) []byte { return call[4+32*word : 4+32*(word+n)] }

// add adds x to a word. It reports whether the sum fits.
func add(word []byte, x *big.Int) bool {
	sum := new(big.Int).Add(new(big.Int).SetBytes(word), x)
	if sum.BitLen() > 256 {
		return false
	}
	sum.FillBytes(word)
	return true
}

// swap exchanges two places of n words.
func swap(call []byte, a, b, n int) {
	tmp := bytes.Clone(at(call, a, n))
	copy(at(call, a, n), at(call, b, n))
	copy(at(call, b, n), tmp)
}

// put writes a point of G1.
func put(call []byte, word int, p bn254.G1Affine) {
	x, y := p.X.Bytes(), p.Y.Bytes()
	copy(at(call, word, 1), x[:])
	copy(at(call, word+1, 1), y[:])
}

// get reads a point of G1.
func get(call []byte, word int) (p bn254.G1Affine) {
	p.X.SetBytes(at(call, word, 1))
	p.Y.SetBytes(at(call, word+1, 1))
	return p
}

// putG2 writes a point of G2 in the precompile's order.
func putG2(call []byte, word int, p bn254.G2Affine) {
	for i, x := range []fp.Element{p.X.A1, p.X.A0, p.Y.A1, p.Y.A0} {
		b := x.Bytes()
		copy(at(call, word+i, 1), b[:])
	}
}

func TestGoodProofs(t *testing.T) {
	for _, variant := range []string{"public", "private"} {
		f, c := readFixture(t, variant), newChain(t)
		contract, _ := f.deploy(c, variant, "good")
		for _, name := range []string{"good", "unbound", "market"} {
			t.Run(fmt.Sprintf("weights=%s/proof=%s", variant, name), func(t *testing.T) {
				got, err := c.call(contract, f.calls[name], enough)
				if err != nil || !bytes.Equal(got, yes) {
					t.Errorf("the contract returns %x, %v", got, err)
				}
			})
		}
	}
}

// TestOtherModel deploys a contract for another model under the same key: what one takes, the other refuses.
//
// Soundness: S20, P23.
func TestOtherModel(t *testing.T) {
	f, c := readFixture(t, "private"), newChain(t)
	for _, deployed := range []string{"good", "other"} {
		contract, _ := f.deploy(c, "private", deployed)
		digest, err := f.vk.ModelDigest(f.statements[deployed].Model)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.call(contract, selector("modelDigest()"), enough); err != nil || !bytes.Equal(got, digest[:]) {
			t.Errorf("contract of %s: digest %x, %v; want %v", deployed, got, err, digest)
		}
		for _, proof := range []string{"good", "other"} {
			want := no
			if proof == deployed {
				want = yes
			}
			if got, err := c.call(contract, f.calls[proof], enough); err != nil || !bytes.Equal(got, want) {
				t.Errorf("contract of %s, proof of %s: %x, %v", deployed, proof, got, err)
			}
		}
	}
}

// TestConstructor deploys models that are no points of the curve.
func TestConstructor(t *testing.T) {
	f, c := readFixture(t, "private"), newChain(t)
	code := codeOf(t, "private")
	good := f.statements["good"].Model.Points[0]
	x, y := good.X.Bytes(), good.Y.Bytes()
	overX := new(big.Int).Add(new(big.Int).SetBytes(x[:]), fp.Modulus()).FillBytes(make([]byte, 32))
	for name, arguments := range map[string][]byte{
		"off the curve": append(x[:len(x):len(x)], x[:]...),
		"infinity":      make([]byte, 64),
		"x + P":         append(overX, y[:]...),
		"too short":     x[:],
	} {
		if r := c.try(nil, append(bytes.Clone(code), arguments...), 1<<23); r.Status != 0 {
			t.Errorf("%s: deployed", name)
		}
	}
}

// TestBadProofs changes a good call in one place at a time. The contract has to answer false, and not by reverting.
//
// Soundness: S1, S20, S24, P15, P21, P23.
func TestBadProofs(t *testing.T) {
	_, _, g1, g2 := bn254.Generators()
	var u bn254.E2
	u.SetString("5", "7")
	offSubgroup := bn254.MapToCurve2(&u) // on the twist, before the cofactor is cleared
	if offSubgroup.IsInSubGroup() || !offSubgroup.IsOnCurve() {
		t.Fatal("the point was to be on the twist and outside the subgroup")
	}
	native, err := os.ReadFile("../testdata/public/native.bin")
	if err != nil {
		t.Fatal(err)
	}

	type change struct {
		name string
		do   func(call []byte) bool // false: the case does not exist
	}
	for _, variant := range []string{"public", "private"} {
		f, c := readFixture(t, variant), newChain(t)
		contract, _ := f.deploy(c, variant, "good")
		good := f.calls["good"]
		words := (len(good)-4)/32 - wordProof

		var changes []change
		one := func(name string, do func(call []byte)) {
			changes = append(changes, change{name, func(call []byte) bool { do(call); return true }})
		}
		for i, name := range []string{"network", "market", "task", "spec", "outputDigest", "worker"} {
			one("other "+name, func(call []byte) { at(call, i, 1)[31] ^= 1 })
			one("no "+name, func(call []byte) { clear(at(call, i, 1)) })
		}
		one("context of the other proof", func(call []byte) { copy(at(call, 0, 6), at(f.calls["unbound"], 0, 6)) })
		one("proof of the other statement", func(call []byte) {
			copy(at(call, wordProof, words), at(f.calls["unbound"], wordProof, words))
		})
		one("other input", func(call []byte) { at(call, wordInput, 1)[31] ^= 1 })
		one("other output", func(call []byte) { at(call, wordOutput, 1)[31] ^= 1 })
		one("input and output swapped", func(call []byte) { swap(call, wordInput, wordOutput, 1) })
		for _, w := range []int{wordInput, wordOutput} {
			changes = append(changes, change{fmt.Sprintf("word %d plus r", w), func(call []byte) bool { return add(at(call, w, 1), fr.Modulus()) }})
		}
		for i := range words {
			one(fmt.Sprintf("lowest bit of proof word %d", i), func(call []byte) { at(call, wordProof+i, 1)[31] ^= 1 })
			one(fmt.Sprintf("highest bit of proof word %d", i), func(call []byte) { at(call, wordProof+i, 1)[0] ^= 0x80 })
			one(fmt.Sprintf("proof word %d zero", i), func(call []byte) { clear(at(call, wordProof+i, 1)) })
			changes = append(changes, change{fmt.Sprintf("proof word %d plus P", i), func(call []byte) bool {
				return add(at(call, wordProof+i, 1), fp.Modulus())
			}})
			changes = append(changes, change{fmt.Sprintf("proof word %d plus r", i), func(call []byte) bool {
				return add(at(call, wordProof+i, 1), fr.Modulus())
			}})
		}
		one("proof zero", func(call []byte) { clear(at(call, wordProof, words)) })
		points := []int{wordA, wordC, wordCommitment, wordKnowledge}
		if variant == "private" {
			points = append(points, wordK, wordQ1, wordQ2)
		}
		for i, w := range points {
			one(fmt.Sprintf("point at %d negated", w), func(call []byte) { p := get(call, w); p.Neg(&p); put(call, w, p) })
			one(fmt.Sprintf("point at %d doubled", w), func(call []byte) { p := get(call, w); p.Double(&p); put(call, w, p) })
			one(fmt.Sprintf("point at %d the generator", w), func(call []byte) { put(call, w, g1) })
			one(fmt.Sprintf("point at %d infinity", w), func(call []byte) { put(call, w, bn254.G1Affine{}) })
			for _, v := range points[:i] {
				one(fmt.Sprintf("points at %d and %d swapped", v, w), func(call []byte) { swap(call, v, w, 2) })
			}
		}
		one("A and B negated, C as it is, commitment negated", func(call []byte) {
			for _, w := range []int{wordA, wordCommitment} {
				p := get(call, w)
				put(call, w, *p.Neg(&p))
			}
		})
		one("commitment and its proof of knowledge doubled", func(call []byte) {
			for _, w := range []int{wordCommitment, wordKnowledge} {
				p := get(call, w)
				put(call, w, *p.Double(&p))
			}
		})
		one("B infinity", func(call []byte) { clear(at(call, wordB, 4)) })
		one("B the generator", func(call []byte) { putG2(call, wordB, g2) })
		one("B outside the subgroup", func(call []byte) { putG2(call, wordB, offSubgroup) })
		one("B's halves swapped", func(call []byte) { swap(call, wordB, wordB+1, 1); swap(call, wordB+2, wordB+3, 1) })
		if variant == "public" {
			one("proof for the native target", func(call []byte) { copy(at(call, wordProof, words), native) })
		} else {
			one("e1 and e2 swapped", func(call []byte) { swap(call, wordE1, wordE2, 1) })
			one("opening of the other statement", func(call []byte) { copy(at(call, wordK, 8), at(f.calls["unbound"], wordK, 8)) })
			one("proof of another model", func(call []byte) { copy(call, f.calls["other"]) })
			one("opening of another model", func(call []byte) { copy(at(call, wordK, 8), at(f.calls["other"], wordK, 8)) })
			one("e1 + 1, S unchanged by K", func(call []byte) { // cancels in S, not in the statement
				add(at(call, wordE1, 1), big.NewInt(1))
				p := get(call, wordK)
				put(call, wordK, *p.Add(&p, &g1))
			})
		}
		for _, ch := range changes {
			t.Run(fmt.Sprintf("weights=%s/%s", variant, ch.name), func(t *testing.T) {
				call := bytes.Clone(good)
				if !ch.do(call) {
					t.Skip("the sum has more than 256 bits")
				}
				if bytes.Equal(call, good) {
					t.Fatal("nothing changed")
				}
				got, err := c.call(contract, call, enough)
				if err != nil || !bytes.Equal(got, no) {
					t.Errorf("the contract returns %x, %v", got, err)
				}
			})
		}
		for _, n := range []int{0, 1, words - 1, words + 1, 2 * words} {
			t.Run(fmt.Sprintf("weights=%s/proof of %d words", variant, n), func(t *testing.T) {
				call := append(bytes.Clone(good), make([]byte, 32*words)...)[:4+32*(wordProof+n)]
				new(big.Int).SetInt64(int64(32 * n)).FillBytes(at(call, wordLength, 1))
				got, err := c.call(contract, call, enough)
				if err != nil || !bytes.Equal(got, no) {
					t.Errorf("the contract returns %x, %v", got, err)
				}
			})
		}
		for _, n := range []int{4, 36, len(good) - 1} {
			t.Run(fmt.Sprintf("weights=%s/calldata of %d bytes", variant, n), func(t *testing.T) {
				if got, err := c.call(contract, good[:n], enough); err == nil {
					t.Errorf("malformed calldata: the contract returns %x", got)
				}
			})
		}
	}
}

// TestLittleGas calls with too little gas: the contract may revert, but never calls a good proof bad.
func TestLittleGas(t *testing.T) {
	for _, variant := range []string{"public", "private"} {
		f, c := readFixture(t, variant), newChain(t)
		contract, _ := f.deploy(c, variant, "good")
		var reverted, verified int
		for gas := uint64(25_000); gas < 600_000; gas += 500 {
			switch got, err := c.call(contract, f.calls["good"], gas); {
			case err != nil:
				reverted++
			case bytes.Equal(got, yes):
				verified++
			default:
				t.Fatalf("weights=%s: a good proof with %d gas: %x", variant, gas, got)
			}
		}
		if reverted == 0 || verified == 0 {
			t.Errorf("weights=%s: %d calls reverted, %d verified", variant, reverted, verified)
		}
	}
}
