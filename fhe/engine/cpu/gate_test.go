package cpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// until yields until a condition holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); runtime.Gosched() {
		if time.Since(start) > time.Minute {
			t.Fatal(what)
		}
	}
}

func (g *gate) lengths() (waiting, back, running int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting), len(g.back), g.running
}

func enter(t *testing.T, g *gate) {
	t.Helper()
	if err := g.enter(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestGateKeepsTheOrder: runs beyond the number of processors wait, and start in the order in which they came, but for
// those that had a turn before.
func TestGateKeepsTheOrder(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var g gate
	enter(t, &g)
	enter(t, &g)
	var mu sync.Mutex
	var order []string
	var wg sync.WaitGroup
	note := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, name)
	}
	for i := range 5 {
		wg.Go(func() {
			if err := g.enter(context.Background()); err != nil {
				t.Error(err)
			}
			note(fmt.Sprint(i))
			if i == 0 {
				_ = g.outside(func() error { // its turn goes to run 1, which waits until run 0 wants one again
					until(t, "run 1 does not start", func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(order, "1") })
					return nil
				})
				note("0 again")
			}
			if i == 1 {
				until(t, "run 0 does not come back", func() bool { _, back, _ := g.lengths(); return back == 1 })
			}
			g.leave()
		})
		until(t, "a run does not wait", func() bool { n, _, _ := g.lengths(); return n == i+1 })
	}
	if waiting, _, running := g.lengths(); waiting != 5 || running != 2 {
		t.Fatalf("%d wait, %d run", waiting, running)
	}
	g.leave() // one turn for five runs
	wg.Wait()
	if got := strings.Join(order, ", "); got != "0, 1, 0 again, 2, 3, 4" {
		t.Errorf("order %s", got)
	}
	g.leave()
	if waiting, back, running := g.lengths(); waiting != 0 || back != 0 || running != 0 {
		t.Errorf("at the end %d wait, %d come back, %d run", waiting, back, running)
	}
}

func TestGateDividesProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(7))
	var g gate
	for i, want := range []int{math.MaxInt, 3, 2, 1, 1, 1, 1} {
		enter(t, &g)
		if got := g.share(); got != want {
			t.Errorf("%d runs: %d threads each, want %d", i+1, got, want)
		}
	}
	for range 6 {
		g.leave()
	}
	if got := g.share(); got != math.MaxInt {
		t.Errorf("the last run: %d threads", got)
	}
}

func TestGateIsCancelled(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var g gate
	enter(t, &g)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := g.enter(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
	until(t, "runs do not wait", func() bool { n, _, _ := g.lengths(); return n == 3 })
	cancel()
	wg.Wait()
	if waiting, _, running := g.lengths(); waiting != 0 || running != 1 {
		t.Errorf("%d wait, %d run", waiting, running)
	}
	g.leave()
	enter(t, &g)
}

// TestGateDoesWithoutTheLate: by times that are made up.
func TestGateDoesWithoutTheLate(t *testing.T) {
	var g gate
	start := now() + time.Hour // so that pauses do not end during the test
	at := start
	check := func(threads int, pause time.Duration) {
		t.Helper()
		g.late(threads, at)
		if got := time.Duration(g.until.Load()) - at; got != pause {
			t.Errorf("a pause of %v, want %v", got, pause)
		}
		if got := g.share(); got != max(1, threads-1) {
			t.Errorf("%d threads after %d", got, threads)
		}
		at += pause
	}
	check(8, firstPause)
	for p := 2 * firstPause; p <= longestPause; p *= 2 { // late again at once
		check(8, p)
	}
	check(2, longestPause)
	at += time.Second
	check(2, firstPause) // late after a long time
	check(1, 2*firstPause)

	g = gate{}
	g.late(8, start)
	g.late(8, start+1) // began before the first was found late
	g.late(4, start+2)
	if end := time.Duration(g.until.Load()); g.share() != 3 || end != start+firstPause {
		t.Errorf("%d threads until %v, want 3 until %v", g.share(), end-start, firstPause)
	}
	g = gate{}
	g.late(8, 0)
	if now() > firstPause && g.share() != math.MaxInt {
		t.Error("the pause does not end")
	}
}

// helping reports whether a helper calls it.
func helping() bool { return bytes.Contains(debug.Stack(), []byte("(*team).help(")) }

// TestTeamCallerSleepsAndHelps: a caller that waits for a helper falls asleep, is woken to take parts of the work that
// the helper starts, and again when the helper is done.
func TestTeamCallerSleepsAndHelps(t *testing.T) {
	withTeam(t, 2, func(t *testing.T, team *team) {
		for range 20 {
			asleep := func() bool {
				team.mu.Lock()
				defer team.mu.Unlock()
				return len(team.waiting) == 1 && team.waiting[0].asleep.Load()
			}
			var both sync.WaitGroup
			both.Add(2)
			parts := 0
			team.do(2, func(int) {
				both.Done()
				both.Wait() // one part each
				if !helping() {
					return
				}
				until(t, "the caller does not sleep", asleep)
				var meet sync.WaitGroup
				meet.Add(2)
				var ran atomic.Int32
				team.do(2, func(int) { meet.Done(); meet.Wait(); ran.Add(1) }) // two parts that need two threads
				until(t, "the caller does not sleep again", asleep)
				parts = int(ran.Load())
			})
			if parts != 2 {
				t.Fatalf("%d parts", parts)
			}
		}
	})
}

// TestTeamStartsNoHelperForOneThread: with a run on every processor, work stays with the thread that has it.
func TestTeamStartsNoHelperForOneThread(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var g gate
	enter(t, &g)
	enter(t, &g)
	team := newTeam(8, &g)
	defer team.stop()
	helped := atomic.Bool{}
	leaf := func(int) { helped.Store(helped.Load() || helping()); runtime.Gosched() }
	for range 20 {
		team.do(9, func(int) { team.do(3, leaf) })
	}
	if n := team.started.Load(); n != 0 || helped.Load() {
		t.Errorf("%d helpers started", n)
	}
	g.leave() // alone: all may help, and are needed
	var barrier sync.WaitGroup
	barrier.Add(8)
	team.do(8, func(int) { barrier.Done(); barrier.Wait() })
	enter(t, &g) // not alone any more: those who sleep are not woken
	helped.Store(false)
	for range 20 {
		team.do(9, leaf)
	}
	if n := team.started.Load(); n != 7 || helped.Load() {
		t.Errorf("%d helpers started; a helper took part: %v", n, helped.Load())
	}
}

// TestRunsTakeTurns: a run waits for its turn, gives it up while its values are looked at, and can be cancelled.
func TestRunsTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	l := complete(t, chain(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 4), 1)
	j := l.load(t, Config{Threads: 2})
	j.turn = new(gate)
	want := l.digest(t, j, 0)
	run := func(ctx context.Context, opts ...program.RunOption) error {
		out, err := j.Run(ctx, l.in[0], opts...)
		if err == nil && out.Digest() != want {
			err = errors.New("other bits")
		}
		return err
	}
	// A run inside a run, on one processor.
	inner := 0
	err := run(context.Background(), program.WithValues(func(program.Value, *fhe.Ciphertext) error {
		inner++
		return run(context.Background())
	}))
	if err != nil || inner == 0 {
		t.Errorf("%d runs inside a run: %v", inner, err)
	}
	enter(t, j.turn)
	for name, f := range map[string]func(context.Context) error{
		"run":   func(ctx context.Context) error { return run(ctx) },
		"batch": func(ctx context.Context) error { _, err := j.RunBatch(ctx, l.in); return err },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- f(ctx) }()
		until(t, "no run waits", func() bool { n, _, _ := j.turn.lengths(); return n == 1 })
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) ||
			!strings.Contains(err.Error(), name+" stopped before its turn") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	done := make(chan error)
	go func() { done <- run(context.Background()) }()
	until(t, "no run waits", func() bool { n, _, _ := j.turn.lengths(); return n == 1 })
	j.poisoned.Store(true)
	j.turn.leave()
	if err := <-done; !errors.Is(err, program.ErrPoisoned) {
		t.Errorf("a run that waited while another poisoned the job: error %v", err)
	}
	if _, _, running := j.turn.lengths(); running != 0 {
		t.Errorf("%d turns are not given back", running)
	}
}
