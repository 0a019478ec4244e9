package verifier

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A reader takes fields from bytes. It keeps the first complaint and returns zeros after it.
type reader struct {
	rest []byte
	bad  string
}

func (r *reader) fail(why string) {
	if r.bad == "" {
		r.bad = why
	}
}

func (r *reader) take(n int) []byte {
	if r.bad != "" || n > len(r.rest) {
		r.fail("it ends early")
		return make([]byte, min(n, 64)) // a caller that wants more is about to stop
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte  { return r.take(1)[0] }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *reader) want(what string, b ...byte) {
	if string(r.take(len(b))) != string(b) {
		r.fail(what + " is another")
	}
}

// part takes what follows its length in four bytes.
func (r *reader) part() []byte {
	n := r.u32()
	if uint64(n) > uint64(len(r.rest)) {
		r.fail("a part is longer than the rest")
		return nil
	}
	return r.take(int(n))
}

func (r *reader) end() string {
	if len(r.rest) > 0 {
		r.fail("bytes after its end")
	}
	return r.bad
}

func (r *reader) element() (x fr.Element) {
	if x.SetBytesCanonical(r.take(32)) != nil {
		r.fail("an element is not below p")
	}
	return x
}

// The two top bits of a point's first byte.
const (
	flags    = 0xc0
	smaller  = 0x80
	larger   = 0xc0
	infinite = 0x40
)

// infinity reports whether b is the point at infinity, and fails if it is one with other bits.
func (r *reader) infinity(b []byte) bool {
	if b[0]&flags != infinite {
		return false
	}
	for i, x := range b {
		if x != 0 && i > 0 || i == 0 && x != infinite {
			r.fail("a point at infinity with other bits")
		}
	}
	return true
}

func (r *reader) coordinate(b []byte) (x fp.Element) {
	if x.SetBytesCanonical(b) != nil {
		r.fail("a coordinate is not below q")
	}
	return x
}

// sign returns the flags of the first byte, and the bytes without them.
func (r *reader) sign(b []byte) (byte, []byte) {
	f := b[0] & flags
	if f != smaller && f != larger {
		r.fail("a point without flags")
	}
	out := append([]byte(nil), b...)
	out[0] &^= flags
	return f, out
}

// g1 takes a point of G1, which may be at infinity.
func (r *reader) g1() (p bn254.G1Affine) {
	b := r.take(32)
	if r.bad != "" || r.infinity(b) {
		return p
	}
	f, b := r.sign(b)
	p.X = r.coordinate(b)
	var three fp.Element
	three.SetUint64(3)
	p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &three)
	if p.Y.Sqrt(&p.Y) == nil {
		r.fail("a point of no curve")
		return bn254.G1Affine{}
	}
	if p.Y.LexicographicallyLargest() != (f == larger) { // larger than (q-1)/2
		p.Y.Neg(&p.Y)
	}
	return p
}

// g2 takes a point of G2, which may be at infinity.
func (r *reader) g2() (p bn254.G2Affine) {
	b := r.take(64)
	if r.bad != "" || r.infinity(b) {
		return p
	}
	f, b := r.sign(b)
	p.X.A1, p.X.A0 = r.coordinate(b[:32]), r.coordinate(b[32:])
	// 3/(9+u)
	var y, coefficient bn254.E2
	coefficient.A0.SetUint64(9)
	coefficient.A1.SetOne()
	coefficient.Inverse(&coefficient)
	var three fp.Element
	three.SetUint64(3)
	coefficient.MulByElement(&coefficient, &three)
	y.Square(&p.X).Mul(&y, &p.X).Add(&y, &coefficient)
	if y.Legendre() == -1 {
		r.fail("a point of no curve")
		return bn254.G2Affine{}
	}
	p.Y.Sqrt(&y)
	is := p.Y.A1.LexicographicallyLargest()
	if p.Y.A1.IsZero() {
		is = p.Y.A0.LexicographicallyLargest()
	}
	if is != (f == larger) {
		p.Y.Neg(&p.Y)
	}
	if !p.IsInSubGroup() {
		r.fail("a point outside of G2")
	}
	return p
}

// finite1 and finite2 are g1 and g2 where infinity is refused.
func (r *reader) finite1() bn254.G1Affine {
	p := r.g1()
	if p.IsInfinity() {
		r.fail("a point at infinity")
	}
	return p
}

func (r *reader) finite2() bn254.G2Affine {
	p := r.g2()
	if p.IsInfinity() {
		r.fail("a point at infinity")
	}
	return p
}

// A groth16Key is the key of a circuit.
type groth16Key struct {
	alpha       bn254.G1Affine
	beta, gamma bn254.G2Affine
	delta       bn254.G2Affine
	k           [4]bn254.G1Affine
	pedersenG   bn254.G2Affine
	pedersenS   bn254.G2Affine
}

func readGroth16Key(b []byte) (k groth16Key, bad string) {
	r := &reader{rest: b}
	k.alpha = r.finite1()
	r.finite1() // [β]₁
	k.beta, k.gamma = r.finite2(), r.finite2()
	r.finite1() // [δ]₁
	k.delta = r.finite2()
	r.want("the number of public wires", 0, 0, 0, 4)
	for i := range k.k {
		k.k[i] = r.finite1()
	}
	r.want("what is committed to", 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1)
	k.pedersenG, k.pedersenS = r.finite2(), r.finite2()
	return k, r.end()
}

// A stringKey is the public part of a reference string.
type stringKey struct {
	form byte
	s, t bn254.G2Affine
}

func readStringKey(b []byte) (k stringKey, bad string) {
	r := &reader{rest: b}
	r.want("the version", 1)
	k.form = r.byte()
	if k.form != rows && k.form != compact {
		r.fail("no such form")
	}
	k.s = r.finite2()
	if k.form == compact {
		k.t = r.finite2()
	}
	return k, r.end()
}

// A key is a verifying key.
type key struct {
	digest       word
	target, form byte
	circuit      word
	spec         specification
	groth16      groth16Key
	str          stringKey
}

func readKey(b []byte) (k key, bad string) {
	k.digest = sha256.Sum256(b)
	r := &reader{rest: b}
	r.want("the magic", 'S', 'G', 'V', 'K')
	r.want("the version", 1)
	k.target, k.form = r.byte(), r.byte()
	k.circuit = word(r.take(32))
	spec, provenance, groth16, str := r.part(), r.part(), r.part(), r.part()
	if bad := r.end(); bad != "" {
		return k, bad
	}
	if k.target != native && k.target != solidity {
		return k, "no such target"
	}
	if k.spec, bad = readSpecification(spec, k.form); bad != "" {
		return k, "specification: " + bad
	}
	if len(provenance) > 256 {
		return k, "provenance: too long"
	}
	for _, c := range provenance {
		if c < ' ' || c > '~' {
			return k, "provenance: no text"
		}
	}
	if k.groth16, bad = readGroth16Key(groth16); bad != "" {
		return k, "Groth16 key: " + bad
	}
	if k.form == 0 {
		if len(str) > 0 {
			return k, "a reference string for constant weights"
		}
		return k, ""
	}
	if k.str, bad = readStringKey(str); bad != "" {
		return k, "reference string: " + bad
	}
	if k.str.form != k.form {
		return k, "a reference string of another form"
	}
	return k, ""
}

// A proof is a proof of a prediction or, without k and e2, a registration.
type proof struct {
	target, form byte
	key          word
	groth16      []byte
	k            bn254.G1Affine
	e1, e2       fr.Element
	q1, q2       bn254.G1Affine
}

func readProof(b []byte, registration bool) (p proof, bad string) {
	r := &reader{rest: b}
	r.want("the version", 1)
	r.want("the proof system", 1)
	p.target, p.form, p.key = r.byte(), r.byte(), word(r.take(32))
	if p.target != native && p.target != solidity {
		r.fail("no such target")
	}
	if p.form > compact || registration && p.form == 0 {
		r.fail("no such form")
	}
	if len(r.rest) < groth16Size {
		return p, "it ends early"
	}
	p.groth16 = r.take(groth16Size)
	if p.form != 0 {
		if !registration {
			p.k = r.g1()
		}
		p.e1 = r.element()
		if !registration {
			p.e2 = r.element()
		}
		if p.form == compact {
			p.q1 = r.g1()
		}
		p.q2 = r.g1()
	}
	return p, r.end()
}

const groth16Size = 196

// A groth16Proof is the part of a proof about the circuit.
type groth16Proof struct {
	a   bn254.G1Affine
	b   bn254.G2Affine
	c   bn254.G1Affine
	d   bn254.G1Affine
	pok bn254.G1Affine
}

func readGroth16Proof(b []byte) (p groth16Proof, bad string) {
	r := &reader{rest: b}
	p.a, p.b, p.c = r.finite1(), r.finite2(), r.finite1()
	r.want("the number of commitments", 0, 0, 0, 1)
	p.d, p.pok = r.finite1(), r.finite1()
	return p, r.end()
}
