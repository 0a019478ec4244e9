package verifier

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"math/bits"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"
)

type word = [32]byte

func keccak(b []byte) word {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return word(h.Sum(nil))
}

// text is W.
func text(s string) word { return keccak([]byte(s)) }

func number(n uint64) (w word) {
	binary.BigEndian.PutUint64(w[24:], n)
	return w
}

func bound(x int64) word { return number(uint64(x) + 1<<63) }

func point(p bn254.G1Affine) []byte {
	x, y := p.X.Bytes(), p.Y.Bytes()
	return append(x[:], y[:]...)
}

func point2(p bn254.G2Affine) []byte {
	var out []byte
	for _, x := range []word{p.X.A1.Bytes(), p.X.A0.Bytes(), p.Y.A1.Bytes(), p.Y.A0.Bytes()} {
		out = append(out, x[:]...)
	}
	return out
}

// concat writes words, elements and points one after the other.
func concat(args ...any) []byte {
	var out []byte
	for _, a := range args {
		switch a := a.(type) {
		case word:
			out = append(out, a[:]...)
		case fr.Element:
			b := a.Bytes()
			out = append(out, b[:]...)
		case []byte:
			out = append(out, a...)
		default:
			panic("no words")
		}
	}
	return out
}

// h is H.
func h(tag string, args ...any) word { return keccak(concat(append([]any{text(tag)}, args...)...)) }

// h248 is H without its last byte.
func h248(tag string, args ...any) fr.Element {
	d := h(tag, args...)
	var x fr.Element
	x.SetBytes(d[:31])
	return x
}

// A permutation is Poseidon2's of one width.
type permutation struct {
	constants, diagonal []fr.Element
}

const fullRounds, partialRounds = 8, 57

var permutations = sync.OnceValue(func() map[int]permutation {
	return map[int]permutation{8: newPermutation(8, 31), 16: newPermutation(16, 7)}
})

// newPermutation returns the permutation of width t whose diagonal is this candidate, from 1.
func newPermutation(t, candidate int) permutation {
	var stream []byte
	for _, f := range [][2]int{{1, 2}, {0, 4}, {254, 12}, {t, 12}, {fullRounds, 10}, {partialRounds, 10}, {1<<30 - 1, 30}} {
		for i := f[1] - 1; i >= 0; i-- {
			stream = append(stream, byte(f[0]>>i&1))
		}
	}
	step := func() byte {
		b := stream[len(stream)-80:]
		stream = append(stream, b[62]^b[51]^b[38]^b[23]^b[13]^b[0])
		return stream[len(stream)-1]
	}
	for range 160 {
		step()
	}
	next := func() *big.Int {
		x := new(big.Int)
		for n := 0; n < 254; {
			if first, second := step(), step(); first == 1 {
				x.Lsh(x, 1).Or(x, big.NewInt(int64(second)))
				n++
			}
		}
		return x
	}
	var p permutation
	for len(p.constants) < fullRounds*t+partialRounds {
		if x := next(); x.Cmp(fr.Modulus()) < 0 {
			p.constants = append(p.constants, *new(fr.Element).SetBigInt(x))
		}
	}
	one := fr.One()
	for range candidate {
		p.diagonal = nil
		for range t {
			d := new(fr.Element).SetBigInt(next())
			p.diagonal = append(p.diagonal, *d.Sub(d, &one))
		}
	}
	return p
}

// external is E.
func external(s []fr.Element) {
	rows := [4][4]uint64{{5, 7, 1, 3}, {4, 6, 1, 1}, {1, 3, 5, 7}, {1, 1, 4, 6}}
	out := make([]fr.Element, len(s))
	var sums [4]fr.Element
	for i := range s {
		for j := range 4 {
			c := fr.NewElement(rows[i%4][j])
			c.Mul(&c, &s[i/4*4+j])
			out[i].Add(&out[i], &c)
		}
		sums[i%4].Add(&sums[i%4], &out[i])
	}
	for i := range s {
		s[i].Add(&out[i], &sums[i%4])
	}
}

// internal is I.
func (p permutation) internal(s []fr.Element) {
	var sum fr.Element
	for i := range s {
		sum.Add(&sum, &s[i])
	}
	for i := range s {
		s[i].Mul(&s[i], &p.diagonal[i]).Add(&s[i], &sum)
	}
}

func (p permutation) permute(s []fr.Element) {
	constants := p.constants
	round := func(n int) { // adds constants and takes fifth powers of the first n
		for i := range n {
			s[i].Add(&s[i], &constants[i])
			x := s[i]
			s[i].Square(&s[i]).Square(&s[i]).Mul(&s[i], &x)
		}
		constants = constants[n:]
	}
	external(s)
	for range fullRounds / 2 {
		round(len(s))
		external(s)
	}
	for range partialRounds {
		round(1)
		p.internal(s)
	}
	for range fullRounds / 2 {
		round(len(s))
		external(s)
	}
}

// p2 is P2.
func p2(tag string, x ...fr.Element) fr.Element {
	t := 8
	if len(x) >= 8 {
		t = 16
	}
	s := make([]fr.Element, t)
	s[t-1] = h248("signet/zk/poseidon2/v1", text(tag), number(uint64(len(x))), number(uint64(t)))
	for first := true; first || len(x) > 0; first = false {
		n := min(t-1, len(x))
		for i := range n {
			s[i].Add(&s[i], &x[i])
		}
		x = x[n:]
		permutations()[t].permute(s)
	}
	return s[0]
}

func (p packing) width() int { return max(1, bits.Len64(uint64(p.Hi-p.Lo))) }

func (p packing) header() (x fr.Element) {
	lo := new(big.Int).Add(big.NewInt(p.Lo), new(big.Int).Lsh(big.NewInt(1), 62))
	lo.Lsh(lo, 40).Add(lo, big.NewInt(int64(p.width())<<32)).Add(lo, big.NewInt(int64(p.Count)))
	return *x.SetBigInt(lo)
}

// digest returns the digest of values under the salt zero.
func (p packing) digest(tag string, values []int64) fr.Element {
	x := []fr.Element{p.header(), {}}
	per := 252 / p.width()
	for at := 0; at < len(values); at += per {
		e := new(big.Int)
		for i, v := range values[at:min(at+per, len(values))] {
			y := new(big.Int).Sub(big.NewInt(v), big.NewInt(p.Lo))
			e.Add(e, y.Lsh(y, uint(i*p.width())))
		}
		x = append(x, *new(fr.Element).SetBigInt(e))
	}
	return p2(tag, x...)
}

// challenge returns h for a target.
func challenge(target byte, d bn254.G1Affine, context fr.Element) (x fr.Element) {
	b := concat(point(d), context)
	if target == solidity {
		sum := keccak(b)
		return *x.SetBytes(sum[:])
	}
	return *x.SetBytes(expand(b, "bsb22-commitment", 48))
}

// expand is expand_message_xmd of RFC 9380, section 5.3.1, with SHA-256.
func expand(msg []byte, dst string, n int) []byte {
	dst += string([]byte{byte(len(dst))})
	pad := append(make([]byte, 64), msg...)
	b0 := sha256.Sum256(append(append(pad, byte(n>>8), byte(n), 0), dst...))
	var out []byte
	var last [32]byte
	for i := byte(1); len(out) < n; i++ {
		for j := range last {
			last[j] ^= b0[j]
		}
		last = sha256.Sum256(append(append(last[:], i), dst...))
		out = append(out, last[:]...)
	}
	return out[:n]
}
