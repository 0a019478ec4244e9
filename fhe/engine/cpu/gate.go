package cpu

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// processors is the gate of this process: engines and jobs share the processors, whatever threads each may use.
var processors gate

// gate lets as many runs work at a time as there are processors; the others wait in the order of their arrival. More
// runs would only push one another's rows out of the caches, hold memory, and make the first end last. Runs that work
// divide the processors among themselves: with as many runs as processors, each is on the thread that called it.
type gate struct {
	mu      sync.Mutex
	waiting []chan struct{} // closed when its run may go on
	back    []chan struct{} // of runs that step in again, which go first
	running int             // runs that work
	each    atomic.Int32    // threads that each of them may use; 0 is any number

	fewer atomic.Int32  // threads that each may use until a time, because one was late
	until atomic.Int64  // that time, as now returns it
	pause time.Duration // that ends then
}

// How long runs do without a thread that was late. It doubles each time that the thread is late again soon after.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = 320 * time.Millisecond
)

// epoch is when times of now begin.
var epoch = time.Now()

func now() time.Duration { return time.Since(epoch) }

// share returns how many threads each run may use now.
func (g *gate) share() int {
	n := int(g.each.Load())
	if n == 0 {
		n = math.MaxInt
	}
	if u := g.until.Load(); u > 0 && n > 1 && now() < time.Duration(u) {
		n = min(n, int(g.fewer.Load()))
	}
	return n
}

// late says that work of so many threads waited for one that was not running at the stated time: another process has
// its processor. Runs then do without that thread for a while: fewer threads that never wait get more done.
func (g *gate) late(threads int, at time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fewer := int32(max(1, threads-1))
	end := time.Duration(g.until.Load())
	if at < end { // work that began before
		g.fewer.Store(min(g.fewer.Load(), fewer))
		return
	}
	if end > 0 && at-end < max(firstPause, g.pause/2) {
		g.pause = min(2*g.pause, longestPause)
	} else {
		g.pause = firstPause
	}
	g.fewer.Store(fewer)
	g.until.Store(int64(at + g.pause))
}

// enter waits for the turn of a run.
func (g *gate) enter(ctx context.Context) error {
	ready := g.queue(&g.waiting)
	select {
	case <-ready:
		return nil
	default:
	}
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, ready); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else { // its turn came just now
		g.running--
		g.admit()
	}
	return ctx.Err()
}

// leave ends the turn of a run.
func (g *gate) leave() {
	g.mu.Lock()
	g.running--
	g.admit()
	g.mu.Unlock()
}

// outside calls f while the run gives its turn away: f may wait for another run. It is the first to get a turn back.
func (g *gate) outside(f func() error) error {
	g.leave()
	defer func() { <-g.queue(&g.back) }()
	return f()
}

func (g *gate) queue(line *[]chan struct{}) chan struct{} {
	ready := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	*line = append(*line, ready)
	g.admit()
	return ready
}

// admit lets runs in while there are processors for them.
func (g *gate) admit() {
	procs := runtime.GOMAXPROCS(0)
	for _, line := range []*[]chan struct{}{&g.back, &g.waiting} {
		for len(*line) > 0 && g.running < procs {
			close((*line)[0])
			*line = slices.Delete(*line, 0, 1)
			g.running++
		}
	}
	each := 0 // a run alone may use more threads than there are processors, if it was told to
	if g.running > 1 {
		each = max(1, procs/g.running)
	}
	g.each.Store(int32(each))
}
