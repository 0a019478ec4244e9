package fhe

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/internal/wire"
)

// EvaluationKey is one switching key: for every digit of the decomposition a pair of polynomials modulo q_0 … q_level
// and all special primes. It lets a server relinearise (GaloisElement 0) or apply one automorphism, nothing more.
// Limbs are in the NTT domain, not in Montgomery form. A key that fhe/client generated carries the seed of its
// uniformly random half, and travels at half of its size.
type EvaluationKey struct {
	params Parameters
	galois uint64
	level  int
	limbs  [][2][][]uint64 // [digit][part][rows of Q, then P][N]
	seed   *Seed           // of part 1 of all digits, or nil

	once   sync.Once
	digest Digest
}

// NewEvaluationKey returns a key that takes ownership of limbs[digit][part][row], checked for shape and range. The
// Galois element is 0 for the relinearisation key.
func NewEvaluationKey(p Parameters, galois uint64, level int, limbs [][2][][]uint64) (*EvaluationKey, error) {
	k := &EvaluationKey{params: p, galois: galois, level: level, limbs: limbs}
	if err := k.checkHeader(); err != nil {
		return nil, err
	}
	if len(limbs) != k.Digits() {
		return nil, fmt.Errorf("fhe: evaluation key of %d digits, want %d", len(limbs), k.Digits())
	}
	for d, digit := range limbs {
		for b, part := range digit {
			if len(part) != k.Rows() {
				return nil, fmt.Errorf("fhe: evaluation key digit %d part %d: %d rows, want %d", d, b, len(part), k.Rows())
			}
			for i, limb := range part {
				if err := checkLimb(limb, p.N(), p.rowPrime(level, i)); err != nil {
					return nil, fmt.Errorf("fhe: evaluation key digit %d part %d row %d: %w", d, b, i, err)
				}
			}
		}
	}
	return k, nil
}

// seededEvaluationKey returns a key that takes ownership of b[digit][row], checked for shape and range, and of the
// expansion that is its other half, and carries the seed. fhe/client makes them, by way of package access.
func seededEvaluationKey(p Parameters, galois uint64, level int, b [][][]uint64, a *lattice.Expansion) (*EvaluationKey, error) {
	limbs := make([][2][][]uint64, len(b))
	for d := range b {
		limbs[d] = [2][][]uint64{b[d], a.Rows(d)}
	}
	k, err := NewEvaluationKey(p, galois, level, limbs)
	if err != nil {
		return nil, err
	}
	k.seed = seedOf(a)
	return k, nil
}

func (k *EvaluationKey) checkHeader() error {
	if k.params.PCount() == 0 {
		return fmt.Errorf("fhe: evaluation key under parameters without special primes")
	}
	if k.galois != 0 {
		if _, _, ok := k.params.Rotation(k.galois); !ok || k.galois == 1 {
			return fmt.Errorf("fhe: evaluation key for the element %d, which is no automorphism of degree 2N = %d", k.galois, 2*k.params.N())
		}
	}
	return k.params.CheckKey(k.level)
}

// GaloisElement returns the element of the automorphism, or 0 for the relinearisation key.
func (k *EvaluationKey) GaloisElement() uint64 { return k.galois }

// Level returns the highest level at which the key may be used.
func (k *EvaluationKey) Level() int { return k.level }

// Digits returns the number of digits: ⌈(level+1)/#P⌉.
func (k *EvaluationKey) Digits() int { return (k.level + k.params.PCount()) / k.params.PCount() }

// Rows returns the number of limbs of each polynomial: level+1 of Q, then all of P.
func (k *EvaluationKey) Rows() int { return k.level + 1 + k.params.PCount() }

// Seed returns the seed of part 1, if the key carries one.
func (k *EvaluationKey) Seed() (Seed, bool) {
	if k.seed == nil {
		return Seed{}, false
	}
	return *k.seed, true
}

// Limb returns one limb: part 0 is b = -a·s + e + P·w·s', part 1 is a. The slice is the key's own and must
// not be changed.
func (k *EvaluationKey) Limb(digit, part, i int) []uint64 { return k.limbs[digit][part][i] }

// Bytes returns the exact size of the wire form.
func (k *EvaluationKey) Bytes() int64 { return k.bytes(k.seed != nil) }

// EvaluationKeyBytes returns the exact size of the wire form of one key for the stated level, as fhe/client generates
// it: with a seed.
func EvaluationKeyBytes(p Parameters, level int) int64 {
	k := EvaluationKey{params: p, level: level}
	return k.bytes(true)
}

func (k *EvaluationKey) bytes(seeded bool) int64 {
	return 9 + seededBytes(2*k.Digits(), k.params.rowsBytes(k.level, k.params.PCount()), seeded)
}

// Digest returns the digest of the key's element, level and limbs. It is computed once.
func (k *EvaluationKey) Digest() Digest {
	k.once.Do(func() { k.digest = k.hash() })
	return k.digest
}

func (k *EvaluationKey) hash() Digest {
	pd := k.params.Digest()
	b := append([]byte(nil), pd[:]...)
	b = append(b, 'k', byte(k.level))
	for s := 0; s < 64; s += 8 {
		b = append(b, byte(k.galois>>s))
	}
	for _, digit := range k.limbs {
		for _, part := range digit {
			for _, limb := range part {
				d := LimbDigest(limb)
				b = append(b, d[:]...)
			}
		}
	}
	return Tagged("signet/key/v1", b)
}

func (k *EvaluationKey) write(w *wire.Writer) {
	w.U64(k.galois)
	w.U8(uint8(k.level))
	writeSeed(w, k.seed)
	for _, digit := range k.limbs {
		for part, rows := range digit {
			if part == 1 && k.seed != nil {
				break
			}
			for i, limb := range rows {
				w.Limb(limb, k.params.rowPrime(k.level, i))
			}
		}
	}
}

// readKeyHeader reads what precedes the limbs of a key: element, level and, since version 2, the seed.
func readKeyHeader(r *wire.Reader, version uint8, p Parameters) *EvaluationKey {
	k := &EvaluationKey{params: p, galois: r.U64(), level: int(r.U8())}
	if r.Err() != nil {
		return nil
	}
	if err := k.checkHeader(); err != nil {
		r.Fail("%v", err)
		return nil
	}
	if version > 1 {
		k.seed = readSeed(r)
	}
	return k
}

func readEvaluationKey(r *wire.Reader, version uint8, p Parameters) *EvaluationKey {
	k := readKeyHeader(r, version, p)
	if r.Err() != nil {
		return nil
	}
	k.limbs = make([][2][][]uint64, k.Digits())
	for d := range k.limbs {
		for part := range k.limbs[d] {
			if part == 1 && k.seed != nil {
				break
			}
			k.limbs[d][part] = make([][]uint64, k.Rows())
			for i := range k.limbs[d][part] {
				q := p.rowPrime(k.level, i)
				k.limbs[d][part][i] = r.Limb(p.N(), width(version, q), q, "key for element %d, digit %d, part %d, row %d", k.galois, d, part, i)
				if r.Err() != nil {
					return nil
				}
			}
		}
	}
	if k.seed != nil {
		a := p.p.rings.ExpandKey(lattice.Seed(*k.seed), k.level)
		for d := range k.limbs {
			k.limbs[d][1] = a.Rows(d)
		}
	}
	return k
}

// EvaluationKeys is the set of switching keys that a server holds for one secret key. It is safe for concurrent reads.
type EvaluationKeys struct {
	params Parameters
	key    KeyID
	keys   map[uint64]*EvaluationKey // by Galois element; 0 is the relinearisation key
	source *keySource                // where the keys are, instead, or nil
}

// Limits of the wire form.
const (
	keysMagic   = "SGEK"
	keysVersion = 2
	maxKeys     = 1 << 16
)

// NewEvaluationKeys returns an empty set for the secret key with the stated id.
func NewEvaluationKeys(p Parameters, key KeyID) *EvaluationKeys {
	return &EvaluationKeys{params: p, key: key, keys: make(map[uint64]*EvaluationKey)}
}

// Add adds a key. It fails on other parameters, on a second key for the same element, and on a set that was opened.
func (s *EvaluationKeys) Add(k *EvaluationKey) error {
	if s.source != nil {
		return fmt.Errorf("fhe: evaluation keys: the set was opened where it is stored and cannot be added to")
	}
	if !k.params.Equal(s.params) {
		return &MismatchError{What: "parameters", Want: s.params.Digest().Short(), Have: k.params.Digest().Short()}
	}
	if s.keys[k.galois] != nil {
		return fmt.Errorf("fhe: evaluation keys: element %d twice", k.galois)
	}
	s.keys[k.galois] = k
	return nil
}

// Parameters returns the parameters of the keys.
func (s *EvaluationKeys) Parameters() Parameters { return s.params }

// Key returns the id of the secret key.
func (s *EvaluationKeys) Key() KeyID { return s.key }

// Get is Load without the reason: it returns nil where Load fails.
func (s *EvaluationKeys) Get(galois uint64) *EvaluationKey {
	k, _ := s.Load(galois)
	return k
}

// Load returns the key for a Galois element, 0 for the relinearisation key. It fails with a *MissingKeyError if there
// is none, and with a *FormatError if the set was opened and the key cannot be read.
func (s *EvaluationKeys) Load(galois uint64) (*EvaluationKey, error) {
	if s.Level(galois) < 0 {
		e := &MissingKeyError{Relinearization: galois == 0, GaloisElement: galois, Have: -1}
		e.Rotation, e.Conjugate, _ = s.params.Rotation(galois)
		return nil, e
	}
	if s.source != nil {
		return s.source.load(s.params, galois)
	}
	return s.keys[galois], nil
}

// Level returns the level of the key for a Galois element, or -1 if there is none. It reads no key.
func (s *EvaluationKeys) Level(galois uint64) int {
	if s.source != nil {
		if place, ok := s.source.index[galois]; ok {
			return place.level
		}
		return -1
	}
	if k := s.keys[galois]; k != nil {
		return k.level
	}
	return -1
}

// Elements returns the Galois elements in ascending order; 0 is the relinearisation key.
func (s *EvaluationKeys) Elements() []uint64 {
	if s.source != nil {
		return slices.Sorted(maps.Keys(s.source.index))
	}
	return slices.Sorted(maps.Keys(s.keys))
}

// Digest returns the digest of the set: of the parameters, the key id and every key's digest by ascending element. It
// is zero if the set was opened and a key cannot be read.
func (s *EvaluationKeys) Digest() Digest {
	pd := s.params.Digest()
	b := append(append([]byte(nil), pd[:]...), s.key[:]...)
	for _, g := range s.Elements() {
		k, err := s.Load(g)
		if err != nil {
			return Digest{}
		}
		d := k.Digest()
		b = append(b, d[:]...)
	}
	return Tagged("signet/keys/v1", b)
}

// Bytes returns the exact size of the wire form.
func (s *EvaluationKeys) Bytes() int64 {
	n := EvaluationKeysHeaderBytes
	if s.source != nil {
		if s.source.version == keysVersion {
			return s.source.size
		}
		for _, place := range s.source.index {
			k := EvaluationKey{params: s.params, level: place.level}
			n += k.bytes(false)
		}
		return n
	}
	for _, k := range s.keys {
		n += k.Bytes()
	}
	return n
}

// EvaluationKeysHeaderBytes is the size of magic, version, parameters digest, key id and count.
const EvaluationKeysHeaderBytes = int64(4 + 1 + 32 + 16 + 4)

// WriteTo writes the wire form: keys in ascending order of their elements.
func (s *EvaluationKeys) WriteTo(w io.Writer) (int64, error) {
	elements := s.Elements()
	kw, err := NewEvaluationKeysWriter(w, s.params, s.key, len(elements))
	if err != nil {
		return 0, err
	}
	for _, g := range elements {
		k, err := s.Load(g)
		if err != nil {
			return kw.w.N(), err
		}
		if err := kw.Write(k); err != nil {
			break
		}
	}
	return kw.w.N(), kw.Close()
}

// EvaluationKeysWriter writes the wire form of a set one key at a time, so that the whole set is never in memory.
type EvaluationKeysWriter struct {
	w      *wire.Writer
	params Parameters
	left   int
	next   uint64 // smallest element allowed next
}

// NewEvaluationKeysWriter writes the header of a set of count keys.
func NewEvaluationKeysWriter(w io.Writer, p Parameters, key KeyID, count int) (*EvaluationKeysWriter, error) {
	if count < 0 || count > maxKeys {
		return nil, fmt.Errorf("fhe: evaluation keys: %d keys, at most %d", count, maxKeys)
	}
	ww := wire.NewWriter(w)
	d := p.Digest()
	ww.Version(keysMagic, keysVersion)
	ww.Raw(d[:])
	ww.Raw(key[:])
	ww.U32(uint32(count))
	return &EvaluationKeysWriter{w: ww, params: p, left: count}, ww.Err()
}

// Write appends a key. Keys come in ascending order of their Galois elements, the relinearisation key first.
func (w *EvaluationKeysWriter) Write(k *EvaluationKey) error {
	if w.left == 0 || k.galois < w.next || !k.params.Equal(w.params) {
		return fmt.Errorf("fhe: evaluation keys: key for element %d is out of order, one too many or of other parameters", k.galois)
	}
	w.left, w.next = w.left-1, k.galois+1
	k.write(w.w)
	return w.w.Err()
}

// Close reports the first error, or that keys are missing. It does not close the underlying writer.
func (w *EvaluationKeysWriter) Close() error {
	if err := w.w.Err(); err != nil {
		return err
	}
	if w.left != 0 {
		return fmt.Errorf("fhe: evaluation keys: %d keys announced but not written", w.left)
	}
	return nil
}

// readKeysHeader reads what precedes the keys of a set.
func readKeysHeader(rd *wire.Reader, p Parameters) (version uint8, id KeyID, n int, err error) {
	version = rd.Version(keysMagic, 1, keysVersion)
	if err := readParametersDigest(rd, p); err != nil {
		return 0, id, 0, err
	}
	rd.Full(id[:])
	n = int(rd.U32())
	if rd.Err() == nil && n > maxKeys {
		rd.Fail("%d keys, at most %d", n, maxKeys)
	}
	return version, id, n, rd.Err()
}

// ReadEvaluationKeys reads the wire form under p, at most limit bytes, to the end of r. Keys above the level that the
// security gate allows are refused. Seeded keys take twice as much memory as others of their size. Version 1 of the
// form is read as well.
func ReadEvaluationKeys(r io.Reader, p Parameters, limit int64) (*EvaluationKeys, error) {
	rd := wire.NewReader(r, "evaluation keys", limit)
	version, id, n, err := readKeysHeader(rd, p)
	if err != nil {
		return nil, err
	}
	s := NewEvaluationKeys(p, id)
	var next uint64
	for i := 0; i < n && rd.Err() == nil; i++ {
		k := readEvaluationKey(rd, version, p)
		if rd.Err() != nil {
			break
		}
		if k.galois < next {
			rd.Fail("key for element %d is out of order", k.galois)
			break
		}
		next = k.galois + 1
		s.keys[k.galois] = k
	}
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	return s, nil
}
