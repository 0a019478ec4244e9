package cpu

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// team runs the parts of a piece of work on a bounded number of goroutines. Work may nest: an inner do uses the
// helpers that are idle and otherwise runs on its caller, so it never waits for a free one.
type team struct{ idle chan struct{} }

func newTeam(threads int) *team {
	t := &team{make(chan struct{}, threads-1)}
	for range threads - 1 {
		t.idle <- struct{}{}
	}
	return t
}

// panicked carries a panic from a helper to the goroutine that started the work.
type panicked struct {
	value any
	stack []byte
}

// do calls f(0) … f(n-1), in any order and in parallel, and returns when all have returned. A panic of one is raised
// again in the caller, after the others have returned.
func (t *team) do(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var caught atomic.Pointer[panicked]
	work := func() {
		defer func() {
			if v := recover(); v != nil {
				p, ok := v.(*panicked)
				if !ok {
					p = &panicked{v, debug.Stack()}
				}
				caught.CompareAndSwap(nil, p)
				next.Store(int64(n))
			}
		}()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			f(i)
		}
	}
helpers:
	for range n - 1 {
		select {
		case <-t.idle:
			wg.Add(1)
			go func() {
				defer wg.Done()
				defer func() { t.idle <- struct{}{} }()
				work()
			}()
		default:
			break helpers
		}
	}
	work()
	wg.Wait()
	if p := caught.Load(); p != nil {
		panic(p)
	}
}

// chunks calls f over [0, n) in pieces of at most size.
func (t *team) chunks(n, size int, f func(lo, hi int)) {
	t.do((n+size-1)/size, func(i int) { f(i*size, min((i+1)*size, n)) })
}
