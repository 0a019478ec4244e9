package fhe

import (
	"container/list"
	"fmt"
	"io"
	"sync"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

// keySource is a wire form of evaluation keys that stays where it is: an index of its keys, and those that were used
// last.
type keySource struct {
	r       io.ReaderAt
	version uint8
	size    int64
	index   map[uint64]keyPlace
	memory  int64 // bytes of keys that may be held

	mu     sync.Mutex
	held   map[uint64]*list.Element // of *EvaluationKey
	recent *list.List               // the last used first
	bytes  int64                    // of the keys in recent
}

// keyPlace is where a key lies.
type keyPlace struct {
	offset, size int64
	level        int
}

// OpenEvaluationKeys returns the set whose wire form of size bytes is r, without reading its keys: each is read, and
// checked, when it is used, and the last used ones are kept while they take no more than memory bytes together (at
// least one is). Headers, order and sizes are checked at once. An engine that loads a program from such a set never has
// all keys in memory twice, and may use a file of any size.
//
// r must not change and must allow concurrent reads, as os.File does. The set is safe for concurrent use and cannot be
// added to.
func OpenEvaluationKeys(r io.ReaderAt, size int64, p Parameters, memory int64) (*EvaluationKeys, error) {
	if size < 0 || memory < 0 {
		return nil, fmt.Errorf("fhe: open evaluation keys: %d bytes, %d of memory", size, memory)
	}
	rd := wire.NewReader(io.NewSectionReader(r, 0, size), "evaluation keys", size)
	version, id, n, err := readKeysHeader(rd, p)
	if err != nil {
		return nil, err
	}
	src := &keySource{r: r, version: version, size: size, index: make(map[uint64]keyPlace), memory: memory,
		held: make(map[uint64]*list.Element), recent: list.New()}
	offset := rd.N()
	var next uint64
	for range n {
		rd := wire.NewReader(io.NewSectionReader(r, offset, size-offset), "evaluation keys", size-offset)
		k := readKeyHeader(rd, version, p)
		switch {
		case rd.Err() != nil:
		case k.galois < next:
			rd.Fail("key for element %d is out of order", k.galois)
		}
		if rd.Err() != nil {
			return nil, rd.Err()
		}
		next = k.galois + 1
		place := keyPlace{offset, k.bytesIn(version), k.level}
		src.index[k.galois] = place
		if offset += place.size; offset > size {
			return nil, rd.Fail("key for element %d ends %d bytes after the end", k.galois, offset-size)
		}
	}
	if offset != size {
		return nil, rd.Fail("%d bytes after the last key", size-offset)
	}
	return &EvaluationKeys{params: p, key: id, source: src}, nil
}

// bytesIn returns the size of the key in a version of the wire form.
func (k *EvaluationKey) bytesIn(version uint8) int64 {
	if version == 1 {
		return 9 + k.memory()
	}
	return k.bytes(k.seed != nil)
}

// memory is the size of the key's limbs.
func (k *EvaluationKey) memory() int64 {
	return 2 * int64(k.Digits()) * int64(k.Rows()) * int64(k.params.N()) * 8
}

// load returns the key for an element of the index, from memory or from the source.
func (s *keySource) load(p Parameters, galois uint64) (*EvaluationKey, error) {
	place := s.index[galois]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.held[galois]; e != nil {
		s.recent.MoveToFront(e)
		return e.Value.(*EvaluationKey), nil
	}
	rd := wire.NewReader(io.NewSectionReader(s.r, place.offset, place.size), "evaluation keys", place.size)
	k := readEvaluationKey(rd, s.version, p)
	if rd.Err() == nil && (k.galois != galois || k.level != place.level) {
		rd.Fail("key for element %d has become another", galois)
	}
	rd.End()
	if rd.Err() != nil {
		return nil, rd.Err()
	}
	s.held[galois] = s.recent.PushFront(k)
	s.bytes += k.memory()
	for s.bytes > s.memory && s.recent.Len() > 1 {
		old := s.recent.Remove(s.recent.Back()).(*EvaluationKey)
		delete(s.held, old.galois)
		s.bytes -= old.memory()
	}
	return k, nil
}
