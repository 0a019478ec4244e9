package cpu

import "sync"

// pool recycles rows of N words, and of N overflow counts, between operations and runs. They come back dirty.
type pool struct {
	n      int
	mu     sync.Mutex
	free   [][]uint64
	counts [][]uint8
}

func (p *pool) bytes() []uint8 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := len(p.counts); k > 0 {
		b := p.counts[k-1]
		p.counts = p.counts[:k-1]
		return b
	}
	return make([]uint8, p.n)
}

func (p *pool) putBytes(b ...[]uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range b {
		if c != nil {
			p.counts = append(p.counts, c)
		}
	}
}

func (p *pool) row() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k := len(p.free); k > 0 {
		r := p.free[k-1]
		p.free = p.free[:k-1]
		return r
	}
	return make([]uint64, p.n)
}

func (p *pool) rows(n int) [][]uint64 {
	out := make([][]uint64, n)
	p.mu.Lock()
	k := min(n, len(p.free))
	copy(out, p.free[len(p.free)-k:])
	p.free = p.free[:len(p.free)-k]
	p.mu.Unlock()
	if k < n {
		back := make([]uint64, (n-k)*p.n)
		for i := k; i < n; i++ {
			out[i], back = back[:p.n:p.n], back[p.n:]
		}
	}
	return out
}

func (p *pool) put(rows ...[]uint64) {
	p.mu.Lock()
	p.free = append(p.free, rows...)
	p.mu.Unlock()
}

// drain forgets every row.
func (p *pool) drain() {
	p.mu.Lock()
	p.free, p.counts = nil, nil
	p.mu.Unlock()
}
