package fhe

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

// MaxDegree is the largest degree of a ciphertext: a product that has not been relinearised.
const MaxDegree = 2

// Ciphertext is an encrypted vector: degree+1 polynomials of level+1 limbs of N words. A limb is in the NTT domain,
// bit-reversed, not in Montgomery form, every word below its prime. A Ciphertext is not safe for concurrent writes.
type Ciphertext struct {
	params   Parameters
	limbs    [][][]uint64 // [poly][prime][N]
	scale    Scale
	logSlots int
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
	return &Ciphertext{p, limbs, scale, logSlots}, nil
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
	return &Ciphertext{p, limbs, scale, logSlots}, nil
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

// Limb returns limb i, modulo q_i, of a polynomial. The slice is the ciphertext's own.
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

// CiphertextHeaderBytes is the size of what precedes the limbs of a ciphertext inside a bundle: degree, level, slots
// and scale.
const CiphertextHeaderBytes = 23

// Bytes returns the size of the wire form of WriteTo. Inside a Bundle a ciphertext takes 37 bytes less.
func (c *Ciphertext) Bytes() int64 {
	return 4 + 1 + 32 + CiphertextHeaderBytes + int64(len(c.limbs))*int64(len(c.limbs[0]))*int64(c.params.N())*8
}

func (c *Ciphertext) write(w *wire.Writer) {
	hi, lo, exp := c.scale.Words()
	w.U8(uint8(c.Degree()))
	w.U8(uint8(c.Level()))
	w.U8(uint8(c.logSlots))
	w.U64(hi)
	w.U64(lo)
	w.U32(uint32(exp))
	for _, poly := range c.limbs {
		for _, limb := range poly {
			w.Words(limb)
		}
	}
}

func readCiphertext(r *wire.Reader, p Parameters) *Ciphertext {
	degree, level, logSlots := int(r.U8()), int(r.U8()), int(r.U8())
	scale := Scale{hi: r.U64(), lo: r.U64(), exp: int32(r.U32())}
	if r.Err() != nil {
		return nil
	}
	if err := checkShape(p, degree, level, logSlots, scale); err != nil {
		r.Fail("%v", err)
		return nil
	}
	limbs := make([][][]uint64, degree+1)
	for i := range limbs {
		limbs[i] = make([][]uint64, level+1)
		for j := range limbs[i] {
			limbs[i][j] = r.Words(p.N())
			if r.Err() != nil {
				return nil
			}
			if err := checkLimb(limbs[i][j], p.N(), p.Prime(j)); err != nil {
				r.Fail("polynomial %d, limb %d: %v", i, j, err)
				return nil
			}
		}
	}
	return &Ciphertext{p, limbs, scale, logSlots}
}

const (
	ciphertextMagic   = "SGCT"
	ciphertextVersion = 1
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

// ReadCiphertext reads the wire form of one ciphertext under p, at most limit bytes, to the end of r.
func ReadCiphertext(r io.Reader, p Parameters, limit int64) (*Ciphertext, error) {
	rd := wire.NewReader(r, "ciphertext", limit)
	rd.Version(ciphertextMagic, ciphertextVersion)
	if err := readParametersDigest(rd, p); err != nil {
		return nil, err
	}
	c := readCiphertext(rd, p)
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
