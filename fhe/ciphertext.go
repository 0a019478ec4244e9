package fhe

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// MaxDegree is the largest degree of a ciphertext: a product that has not been relinearised.
const MaxDegree = 2

// Ciphertext is an encrypted vector: degree+1 polynomials of level+1 limbs of N words. A limb is in the NTT domain,
// bit-reversed, not in Montgomery form, every word below its prime. A Ciphertext is not safe for concurrent writes.
//
// One that was made under a secret key carries the seed of its uniformly random half, and travels at half of its size.
// What is computed carries none.
type Ciphertext struct {
	params   Parameters
	limbs    [][][]uint64 // [poly][prime][N]
	scale    Scale
	logSlots int
	seed     *Seed // of polynomial 1, or nil
}

// NewCiphertext returns an all-zero ciphertext.
func NewCiphertext(p Parameters, degree, level, logSlots int, scale Scale) (*Ciphertext, error) {
	if err := checkShape(p, degree, level, logSlots, scale); err != nil {
		return nil, err
	}
	backing := make([]uint64, (degree+1)*(level+1)*p.N())
	limbs := make([][][]uint64, degree+1)
	for i := range limbs {
		limbs[i] = make([][]uint64, level+1)
		for j := range limbs[i] {
			limbs[i][j], backing = backing[:p.N():p.N()], backing[p.N():]
		}
	}
	return &Ciphertext{p, limbs, scale, logSlots, nil}, nil
}

// CiphertextFromLimbs returns a ciphertext that takes ownership of limbs[poly][prime][N]. It checks shape and range.
func CiphertextFromLimbs(p Parameters, limbs [][][]uint64, logSlots int, scale Scale) (*Ciphertext, error) {
	if len(limbs) == 0 {
		return nil, fmt.Errorf("fhe: ciphertext without polynomials")
	}
	if err := checkShape(p, len(limbs)-1, len(limbs[0])-1, logSlots, scale); err != nil {
		return nil, err
	}
	for i, poly := range limbs {
		if len(poly) != len(limbs[0]) {
			return nil, fmt.Errorf("fhe: ciphertext polynomials of %d and %d limbs", len(limbs[0]), len(poly))
		}
		for j, limb := range poly {
			if err := checkLimb(limb, p.N(), p.Prime(j)); err != nil {
				return nil, fmt.Errorf("fhe: ciphertext polynomial %d: %w", i, err)
			}
		}
	}
	return &Ciphertext{p, limbs, scale, logSlots, nil}, nil
}

// seededCiphertext returns a ciphertext of degree 1 that takes ownership of its limbs c0 of polynomial 0 and of the
// expansion that is polynomial 1, and carries the seed. fhe/client makes them, by way of package access.
func seededCiphertext(p Parameters, c0 [][]uint64, c1 *lattice.Expansion, logSlots int, scale Scale) (*Ciphertext, error) {
	c, err := CiphertextFromLimbs(p, [][][]uint64{c0, c1.Rows(0)}, logSlots, scale)
	if err != nil {
		return nil, err
	}
	c.seed = seedOf(c1)
	return c, nil
}

func checkShape(p Parameters, degree, level, logSlots int, scale Scale) error {
	switch {
	case p.IsZero():
		return fmt.Errorf("fhe: ciphertext without parameters")
	case degree < 0 || degree > MaxDegree:
		return fmt.Errorf("fhe: ciphertext of degree %d, at most %d", degree, MaxDegree)
	case level < 0 || level > p.MaxLevel():
		return fmt.Errorf("fhe: ciphertext at level %d, the parameters have levels 0 to %d", level, p.MaxLevel())
	case logSlots < 0 || logSlots > p.LogMaxSlots():
		return fmt.Errorf("fhe: ciphertext of 2^%d slots, the parameters have up to 2^%d", logSlots, p.LogMaxSlots())
	case !scale.Valid():
		return fmt.Errorf("fhe: ciphertext with an invalid scale")
	}
	return nil
}

func checkLimb(limb []uint64, n int, q uint64) error {
	if len(limb) != n {
		return fmt.Errorf("limb of %d words, want %d", len(limb), n)
	}
	for k, w := range limb {
		if w >= q {
			return fmt.Errorf("word %d is %d, not below the prime %d", k, w, q)
		}
	}
	return nil
}

// Parameters returns the parameters that the ciphertext belongs to.
func (c *Ciphertext) Parameters() Parameters { return c.params }

// Level returns the level: the number of limbs of each polynomial less one.
func (c *Ciphertext) Level() int { return len(c.limbs[0]) - 1 }

// Degree returns the number of polynomials less one.
func (c *Ciphertext) Degree() int { return len(c.limbs) - 1 }

// Scale returns the scale.
func (c *Ciphertext) Scale() Scale { return c.scale }

// LogSlots returns log2 of the number of slots.
func (c *Ciphertext) LogSlots() int { return c.logSlots }

// Seed returns the seed of polynomial 1, if the ciphertext carries one.
func (c *Ciphertext) Seed() (Seed, bool) {
	if c.seed == nil {
		return Seed{}, false
	}
	return *c.seed, true
}

// Limb returns limb i, modulo q_i, of a polynomial. The slice is the ciphertext's own. Polynomial 1 of a ciphertext
// that carries a seed must not be changed.
func (c *Ciphertext) Limb(poly, i int) []uint64 { return c.limbs[poly][i] }

// Digest returns the value digest: that of a header (parameters, kind, level, degree, scale, slots) and of every limb.
// Engines that compute the same bits give the same digest.
func (c *Ciphertext) Digest() Digest {
	hi, lo, exp := c.scale.Words()
	pd := c.params.Digest()
	b := append([]byte(nil), pd[:]...)
	b = append(b, 'c', byte(c.Level()), byte(c.Degree()), byte(c.logSlots))
	b = binary.LittleEndian.AppendUint64(b, hi)
	b = binary.LittleEndian.AppendUint64(b, lo)
	b = binary.LittleEndian.AppendUint32(b, uint32(exp))
	for _, poly := range c.limbs {
		for _, limb := range poly {
			d := LimbDigest(limb)
			b = append(b, d[:]...)
		}
	}
	return Tagged("signet/value/v1", b)
}

// Sizes of the wire form.
const (
	ciphertextFileBytes   = 4 + 1 + 32 // magic, version and parameters digest, which a bundle states once
	ciphertextHeaderBytes = 23         // degree, level, slots and scale
)

// Bytes returns the exact size of the wire form of WriteTo. Inside a Bundle a ciphertext takes 37 bytes less.
func (c *Ciphertext) Bytes() int64 {
	return CiphertextBytes(c.params, c.Degree(), c.Level(), c.seed != nil)
}

// CiphertextBytes returns what Bytes returns for ciphertexts of a degree and level. Those that an Encryptor makes under
// a secret key are seeded; those made under a public key and those that an engine returns are not.
func CiphertextBytes(p Parameters, degree, level int, seeded bool) int64 {
	return ciphertextFileBytes + ciphertextBodyBytes(p, degree, level, seeded)
}

func ciphertextBodyBytes(p Parameters, degree, level int, seeded bool) int64 {
	return ciphertextHeaderBytes + seededBytes(degree+1, p.rowsBytes(level, 0), seeded)
}

func (c *Ciphertext) write(w *wire.Writer) {
	hi, lo, exp := c.scale.Words()
	w.U8(uint8(c.Degree()))
	w.U8(uint8(c.Level()))
	w.U8(uint8(c.logSlots))
	w.U64(hi)
	w.U64(lo)
	w.U32(uint32(exp))
	writeSeed(w, c.seed)
	for i, poly := range c.limbs {
		if i == 1 && c.seed != nil {
			break
		}
		for j, limb := range poly {
			w.Limb(limb, c.params.Prime(j))
		}
	}
}

func readCiphertext(r *wire.Reader, version uint8, p Parameters) *Ciphertext {
	degree, level, logSlots := int(r.U8()), int(r.U8()), int(r.U8())
	scale := Scale{hi: r.U64(), lo: r.U64(), exp: int32(r.U32())}
	if r.Err() != nil {
		return nil
	}
	if err := checkShape(p, degree, level, logSlots, scale); err != nil {
		r.Fail("%v", err)
		return nil
	}
	c := &Ciphertext{p, make([][][]uint64, degree+1), scale, logSlots, nil}
	if version > 1 {
		c.seed = readSeed(r)
	}
	if c.seed != nil && degree != 1 {
		r.Fail("a seed for a ciphertext of degree %d", degree)
		return nil
	}
	for i := range c.limbs {
		if i == 1 && c.seed != nil {
			c.limbs[1] = p.p.rings.ExpandCiphertext(lattice.Seed(*c.seed), level).Rows(0)
			break
		}
		c.limbs[i] = make([][]uint64, level+1)
		for j := range c.limbs[i] {
			q := p.Prime(j)
			c.limbs[i][j] = r.Limb(p.N(), width(version, q), q, "polynomial %d, limb %d", i, j)
			if r.Err() != nil {
				return nil
			}
		}
	}
	return c
}

const (
	ciphertextMagic   = "SGCT"
	ciphertextVersion = 2
)

// WriteTo writes the wire form of one ciphertext. Several, with the names of their ports, travel as a Bundle.
func (c *Ciphertext) WriteTo(w io.Writer) (int64, error) {
	ww := wire.NewWriter(w)
	d := c.params.Digest()
	ww.Version(ciphertextMagic, ciphertextVersion)
	ww.Raw(d[:])
	c.write(ww)
	return ww.N(), ww.Err()
}

// ReadCiphertext reads the wire form of one ciphertext under p, at most limit bytes, to the end of r. A seeded one
// takes twice as much memory as another one of its size. Version 1 of the form is read as well.
func ReadCiphertext(r io.Reader, p Parameters, limit int64) (*Ciphertext, error) {
	rd := wire.NewReader(r, "ciphertext", limit)
	version := rd.Version(ciphertextMagic, 1, ciphertextVersion)
	if err := readParametersDigest(rd, p); err != nil {
		return nil, err
	}
	c := readCiphertext(rd, version, p)
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	return c, nil
}

func readDigest(r *wire.Reader) (d Digest) { r.Full(d[:]); return d }

func readParametersDigest(r *wire.Reader, p Parameters) error {
	d := readDigest(r)
	if r.Err() != nil {
		return r.Err()
	}
	if d != p.Digest() {
		return &MismatchError{What: "parameters", Want: p.Digest().Short(), Have: d.Short()}
	}
	return nil
}
