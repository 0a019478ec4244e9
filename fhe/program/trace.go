package program

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/signet-ml/signet/fhe"
)

// TraceRecord is what a run did at one operation. Digests of ciphertexts are value digests; that of a hoist is
// HoistDigest of its input's.
type TraceRecord struct {
	Op     int
	Output fhe.Digest // of the operation's result
	Leaf   fhe.Digest
}

// TraceRecorder collects the trace of one run: a leaf for every operation, and their Merkle root. Its methods are safe
// for concurrent use by an engine; read it after the run.
type TraceRecorder struct {
	mu      sync.Mutex
	records []TraceRecord
	keys    map[uint64]fhe.Digest
}

// Records returns the records in the order of the program's operations.
func (t *TraceRecorder) Records() []TraceRecord {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records)
}

// Root returns the RFC 6962 tree head over the leaves.
func (t *TraceRecorder) Root() fhe.Digest {
	rec := t.Records()
	leaves := make([]fhe.Digest, len(rec))
	for i := range rec {
		leaves[i] = rec[i].Leaf
	}
	return fhe.MerkleRoot(leaves)
}

// Begin empties the recorder for a run of p with keys, which may be nil. It fails if a key cannot be loaded. Engines
// call it.
func (t *TraceRecorder) Begin(p *Program, keys *fhe.EvaluationKeys) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = make([]TraceRecord, len(p.ops))
	t.keys = make(map[uint64]fhe.Digest)
	for _, r := range p.Keys() {
		k, err := keys.Load(r.GaloisElement)
		if err != nil {
			return fmt.Errorf("program: trace: %w", err)
		}
		t.keys[r.GaloisElement] = k.Digest()
	}
	return nil
}

// Record stores the result digest of operation i. All its operands must have been recorded. For a Hoist and an Output
// the engine passes a zero digest: both follow from their operand.
func (t *TraceRecorder) Record(p *Program, i int, out fhe.Digest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &p.ops[i]
	var in []fhe.Digest
	for v := range o.Operands() {
		in = append(in, t.records[v].Output)
	}
	switch o.Code {
	case Hoist:
		out = HoistDigest(in[0], o.Level)
	case Output:
		out = in[0]
	}
	t.records[i] = TraceRecord{i, out, p.TraceLeaf(i, in, t.keys, out)}
}

// HoistDigest returns the digest of a hoist at a level of a value with the stated digest. It is not one of digits:
// they follow from the value.
func HoistDigest(input fhe.Digest, level int) fhe.Digest {
	return fhe.Tagged("signet/hoist/v1", input[:], []byte{byte(level)})
}

// TraceLeaf returns the leaf of operation i: the digest of the program's digest, the operation's index, opcode and
// parameters, its input digests, the digests of the keys (with their Galois elements) and constant rows that it uses,
// and its output digest. A Lintrans may use thousands of either: it states the digests of the two lists instead. keys
// holds the digests of the switching keys by Galois element.
func (p *Program) TraceLeaf(i int, in []fhe.Digest, keys map[uint64]fhe.Digest, out fhe.Digest) fhe.Digest {
	o := &p.ops[i]
	b := append([]byte(nil), p.digest[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(i))
	b = append(b, byte(o.Code))
	pd := p.params.Digest()
	b = append(b, pd[:]...)
	list := func(n int) { b = binary.LittleEndian.AppendUint32(b, uint32(n)) }
	list(len(in))
	for _, d := range in {
		b = append(b, d[:]...)
	}
	var elements []uint64
	if o.Code == Relin || o.Code == MulRelin {
		elements = []uint64{0}
	} else {
		for _, a := range p.automorphisms(i) {
			elements = append(elements, a.galois)
		}
		slices.Sort(elements)
		elements = slices.Compact(elements)
	}
	var keyList, rowList []byte
	for _, g := range elements {
		d := keys[g]
		keyList = binary.LittleEndian.AppendUint64(keyList, g)
		keyList = append(keyList, d[:]...)
	}
	if len(o.Rows) > 0 {
		d := p.consts[o.Const].Digest
		rowList = append(rowList, d[:]...)
		rows := slices.Clone(o.Rows)
		slices.Sort(rows)
		for _, r := range rows {
			rowList = binary.LittleEndian.AppendUint32(rowList, uint32(r))
		}
	}
	if o.Code == Lintrans {
		k, r := fhe.Tagged("signet/tracekeys/v1", keyList), fhe.Tagged("signet/tracerows/v1", rowList)
		keyList, rowList = k[:], r[:]
	}
	list(len(elements))
	b = append(b, keyList...)
	list(len(o.Rows))
	b = append(b, rowList...)
	b = append(b, out[:]...)
	return fhe.Tagged("signet/trace/v1", b)
}
