package cpu

import (
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// team runs the parts of a piece of work on a bounded number of goroutines, which live as long as the team: a run forks
// and joins every few microseconds, and starting or waking a goroutine each time would cost more than the work. Helpers
// start when there is work for them. A thread that has nothing to do looks for work for a short while, yields to other
// goroutines meanwhile, and then sleeps: another process can use its processor then, and the system moves a thread
// that waits for a busy processor to an idle one.
//
// Work may nest: a thread that starts work takes part in it, so it never waits for a free helper. While it waits for
// the last parts of its work it takes parts of younger work, never of older: those last parts themselves wait for
// younger work alone, so that no circle closes.
type team struct {
	threads int
	turn    *gate // says how many of the threads may work now; nil: all
	active  [16]atomic.Pointer[work]
	seq     atomic.Int64 // of the youngest work
	stopped atomic.Bool
	started atomic.Int32 // helpers

	mu      sync.Mutex
	helpers []*sleeper // as many as may start
	waiting []*sleeper // callers that sleep until their work is done
	waiters atomic.Int32
	ends    sync.WaitGroup
}

// work is one call of do.
type work struct {
	seq    int64
	n      int64
	f      func(i int)
	next   atomic.Int64 // first part that nobody has started
	done   atomic.Int64 // parts that have returned
	caller atomic.Pointer[sleeper]
	caught atomic.Pointer[panicked]
}

// panicked carries a panic from a helper to the goroutine that started the work.
type panicked struct {
	value any
	stack []byte
}

// idleTime is how long a thread looks for work before it sleeps.
const idleTime = 50 * time.Microsecond

// lateness is how long a caller sleeps, beyond the time of two parts, before it takes a helper to be held up by another
// process: less than the time for which a system lets a process run.
const lateness = time.Millisecond

// sleeper is a goroutine that others can wake.
type sleeper struct {
	asleep atomic.Bool
	wake   chan struct{} // holds a token for each time that asleep was lowered by another goroutine
}

func newSleeper() *sleeper { return &sleeper{wake: make(chan struct{}, 1)} }

// rouse wakes a sleeper, and reports whether it slept.
func (s *sleeper) rouse() bool {
	if !s.asleep.Load() || !s.asleep.CompareAndSwap(true, false) {
		return false
	}
	s.wake <- struct{}{}
	return true
}

// sleep returns when another goroutine calls rouse, or at once if there is a reason not to sleep. A goroutine that
// makes such a reason calls rouse afterwards, so none is missed.
func (s *sleeper) sleep(reason func() bool) {
	s.asleep.Store(true)
	if reason() && s.asleep.CompareAndSwap(true, false) {
		return
	}
	<-s.wake
}

// newTeam returns a team of the caller and threads-1 helpers. No more of them work than turn allows. The caller must
// stop the team.
func newTeam(threads int, turn *gate) *team {
	t := &team{threads: threads, turn: turn, helpers: make([]*sleeper, threads-1)}
	for i := range t.helpers {
		t.helpers[i] = newSleeper()
	}
	return t
}

// width returns how many threads may work now.
func (t *team) width() int {
	if t.turn == nil {
		return t.threads
	}
	return min(t.threads, t.turn.share())
}

// launch starts helpers until there are n.
func (t *team) launch(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := int(t.started.Load()); i < n; i++ {
		t.ends.Add(1)
		t.started.Add(1)
		go t.help(i)
	}
}

// stop ends the helpers and waits for them. No work may be in progress.
func (t *team) stop() {
	t.stopped.Store(true)
	for _, h := range t.helpers[:t.started.Load()] {
		h.rouse()
	}
	t.ends.Wait()
}

func (t *team) help(i int) {
	defer t.ends.Done()
	h := t.helpers[i]
	for !t.stopped.Load() {
		if i+1 < t.width() && t.look(0, t.stopped.Load) {
			continue
		}
		h.sleep(func() bool { return t.stopped.Load() || i+1 < t.width() && t.open(0) })
	}
}

// look takes part in work younger than seq and reports whether it did, or whether end did not let it try for long.
func (t *team) look(seq int64, end func() bool) bool {
	for start := time.Now(); time.Since(start) < idleTime; runtime.Gosched() {
		for range 8 {
			if end() || t.takePart(seq) {
				return true
			}
		}
	}
	return false
}

// open reports whether there are parts of work younger than seq that nobody has started.
func (t *team) open(seq int64) bool {
	for i := range t.active {
		if w := t.active[i].Load(); w != nil && w.seq > seq && w.next.Load() < w.n {
			return true
		}
	}
	return false
}

// takePart runs parts of a piece of work younger than seq until none is left, and reports whether it ran one.
func (t *team) takePart(seq int64) bool {
	for i := range t.active {
		if w := t.active[i].Load(); w != nil && w.seq > seq && w.part() {
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
	defer w.finish()
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

// finish counts a part as done. The last one wakes who waits for it.
func (w *work) finish() {
	if w.done.Add(1) == w.n {
		if s := w.caller.Load(); s != nil {
			s.rouse()
		}
	}
}

func (w *work) finished() bool { return w.done.Load() >= w.n }

// do calls f(0) … f(n-1), in any order and in parallel, and returns when all have returned. After a panic of one, parts
// that have not started are left out, and the panic is raised again in the caller.
func (t *team) do(n int, f func(i int)) {
	width := 1
	if n > 1 && t.threads > 1 {
		width = t.width()
	}
	if width == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	w := &work{n: int64(n), f: f, seq: t.seq.Add(1)}
	slot := t.publish(w, width)
	longest := time.Duration(0) // part of this thread
	for end := now(); w.part(); {
		begin := end
		end = now()
		longest = max(longest, end-begin)
	}
	if slot >= 0 {
		t.active[slot].Store(nil)
	}
	if waited := t.wait(w); longest > 0 && waited > lateness+2*longest && t.turn != nil {
		t.turn.late(width, now())
	}
	if p := w.caught.Load(); p != nil {
		panic(p)
	}
}

// publish offers work to the team and wakes as many threads as it has parts for, callers that sleep first. It returns
// the slot of the work, or -1 if there is none: then no other thread will take part.
func (t *team) publish(w *work, width int) int {
	slot := -1
	for i := range t.active {
		if t.active[i].Load() == nil && t.active[i].CompareAndSwap(nil, w) {
			slot = i
			break
		}
	}
	if slot < 0 {
		return slot
	}
	more := int(w.n) - 1
	if t.waiters.Load() > 0 {
		t.mu.Lock()
		for _, s := range t.waiting {
			if more > 0 && s.rouse() {
				more--
			}
		}
		t.mu.Unlock()
	}
	if int(t.started.Load()) < width-1 {
		t.launch(width - 1)
	}
	for _, h := range t.helpers[:width-1] {
		if more > 0 && h.rouse() {
			more--
		}
	}
	return slot
}

// wait returns when all parts of w have returned, and how long it slept.
func (t *team) wait(w *work) (slept time.Duration) {
	for !w.finished() {
		if t.look(w.seq, w.finished) {
			continue
		}
		start := now()
		s := newSleeper()
		t.mu.Lock()
		t.waiting = append(t.waiting, s)
		t.waiters.Add(1)
		t.mu.Unlock()
		w.caller.Store(s)
		s.sleep(func() bool { return w.finished() || t.open(w.seq) })
		t.mu.Lock()
		t.waiting = slices.DeleteFunc(t.waiting, func(o *sleeper) bool { return o == s })
		t.waiters.Add(-1)
		t.mu.Unlock()
		slept += now() - start
	}
	return slept
}

// chunks calls f over [0, n) in pieces of at most size.
func (t *team) chunks(n, size int, f func(lo, hi int)) {
	t.do((n+size-1)/size, func(i int) { f(i*size, min((i+1)*size, n)) })
}
