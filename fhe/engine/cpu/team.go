package cpu

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// team runs the parts of a piece of work on a bounded number of goroutines, which live as long as the team: a run forks
// and joins every few microseconds, and starting or waking a goroutine each time would cost more than the work. Idle
// helpers look for work for a short while before they sleep, and yield to other goroutines meanwhile.
//
// Work may nest: whoever starts work takes part in it, so it never waits for a free helper.
type team struct {
	active  [16]atomic.Pointer[work] // work that may still have parts to start
	asleep  atomic.Int32
	wake    chan struct{}
	stopped atomic.Bool
	helpers sync.WaitGroup
	count   int
}

// work is one call of do.
type work struct {
	n      int64
	f      func(i int)
	next   atomic.Int64 // first part that nobody has started
	done   atomic.Int64 // parts that have returned
	caught atomic.Pointer[panicked]
}

// panicked carries a panic from a helper to the goroutine that started the work.
type panicked struct {
	value any
	stack []byte
}

// idleTime is how long a helper looks for work before it sleeps.
const idleTime = 50 * time.Microsecond

// newTeam starts threads-1 helpers. The caller must stop the team.
func newTeam(threads int) *team {
	t := &team{wake: make(chan struct{}, threads), count: threads - 1}
	for range t.count {
		t.helpers.Add(1)
		go t.help()
	}
	return t
}

// stop ends the helpers and waits for them. No work may be in progress.
func (t *team) stop() {
	t.stopped.Store(true)
	for range t.count {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	t.helpers.Wait()
}

func (t *team) help() {
	defer t.helpers.Done()
	for !t.stopped.Load() {
		if t.takePart() {
			continue
		}
		start := time.Now()
		found := false
		for !found && !t.stopped.Load() && time.Since(start) < idleTime {
			for range 8 {
				if found = t.takePart(); found {
					break
				}
			}
			runtime.Gosched()
		}
		if found || t.stopped.Load() {
			continue
		}
		t.asleep.Add(1)
		// Work published before asleep was raised did not wake this helper: look once more.
		if !t.takePart() && !t.stopped.Load() {
			<-t.wake
		}
		t.asleep.Add(-1)
	}
}

// takePart runs parts of any active work until none is left, and reports whether it ran one.
func (t *team) takePart() bool {
	for i := range t.active {
		if w := t.active[i].Load(); w != nil && w.part() {
			for w.part() {
			}
			return true
		}
	}
	return false
}

// part runs one part, and reports whether there was one, also after a panic of it: parts that nobody takes are never
// done.
func (w *work) part() (ran bool) {
	i := w.next.Add(1) - 1
	if i >= w.n {
		return false
	}
	ran = true
	defer w.done.Add(1)
	defer func() {
		if v := recover(); v != nil {
			p, ok := v.(*panicked)
			if !ok {
				p = &panicked{v, debug.Stack()}
			}
			w.caught.CompareAndSwap(nil, p)
		}
	}()
	if w.caught.Load() == nil {
		w.f(int(i))
	}
	return ran
}

// do calls f(0) … f(n-1), in any order and in parallel, and returns when all have returned. After a panic of one, parts
// that have not started are left out, and the panic is raised again in the caller.
func (t *team) do(n int, f func(i int)) {
	if n == 1 || t.count == 0 {
		for i := range n {
			f(i)
		}
		return
	}
	w := &work{n: int64(n), f: f}
	slot := -1
	for i := range t.active {
		if t.active[i].Load() == nil && t.active[i].CompareAndSwap(nil, w) {
			slot = i
			break
		}
	}
	if slot >= 0 {
		for range min(int(t.asleep.Load()), n-1) {
			select {
			case t.wake <- struct{}{}:
			default:
			}
		}
	}
	for w.part() {
	}
	if slot >= 0 {
		t.active[slot].Store(nil)
	}
	for spin := 0; w.done.Load() < w.n; spin++ {
		if spin%64 == 63 {
			runtime.Gosched()
		}
	}
	if p := w.caught.Load(); p != nil {
		panic(p)
	}
}

// chunks calls f over [0, n) in pieces of at most size.
func (t *team) chunks(n, size int, f func(lo, hi int)) {
	t.do((n+size-1)/size, func(i int) { f(i*size, min((i+1)*size, n)) })
}
