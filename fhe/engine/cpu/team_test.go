package cpu

import (
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

var one = big.NewInt(1)

var teamSizes = []int{1, 2, 3, 8}

func withTeam(t *testing.T, threads int, f func(t *testing.T, team *team)) {
	t.Run(fmt.Sprintf("threads=%d", threads), func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		team := newTeam(threads, nil)
		defer team.stop()
		f(t, team)
	})
}

// TestTeamDoesEveryPartOnce, for every small number of parts, many times over.
func TestTeamDoesEveryPartOnce(t *testing.T) {
	for _, threads := range teamSizes {
		withTeam(t, threads, func(t *testing.T, team *team) {
			for round := range 50 {
				for n := range 20 {
					counts := make([]atomic.Int32, n)
					team.do(n, func(i int) { counts[i].Add(1) })
					for i := range counts {
						if c := counts[i].Load(); c != 1 {
							t.Fatalf("round %d: part %d of %d ran %d times when do returned", round, i, n, c)
						}
					}
				}
			}
		})
	}
}

// TestTeamNests work three deep, more pieces at once than the team has slots for.
func TestTeamNests(t *testing.T) {
	for _, threads := range append(teamSizes, 40) {
		withTeam(t, threads, func(t *testing.T, team *team) {
			var sum atomic.Int64
			team.do(40, func(i int) {
				team.do(7, func(j int) {
					team.do(3, func(k int) { sum.Add(int64(i*21 + j*3 + k)) })
				})
			})
			if n := int64(40 * 21); sum.Load() != n*(n-1)/2 {
				t.Errorf("sum %d, want %d", sum.Load(), n*(n-1)/2)
			}
		})
	}
}

// TestTeamIsBounded: no more parts run at a time than there are threads, nested ones included, on that many goroutines.
func TestTeamIsBounded(t *testing.T) {
	for _, threads := range teamSizes {
		before := runtime.NumGoroutine()
		withTeam(t, threads, func(t *testing.T, team *team) {
			var running, most, goroutines atomic.Int64
			leaf := func(int) {
				now := running.Add(1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				for range 10 {
					runtime.Gosched()
				}
				goroutines.Store(max(goroutines.Load(), int64(runtime.NumGoroutine())))
				running.Add(-1)
			}
			for range 20 {
				team.do(6, func(int) { team.do(5, leaf) })
			}
			if m := most.Load(); m > int64(threads) {
				t.Errorf("%d parts ran at a time", m)
			}
			// t.Run has a goroutine of its own.
			if g := goroutines.Load(); g > int64(before+1+threads-1) {
				t.Errorf("%d goroutines, %d before", g, before)
			}
		})
	}
}

// TestTeamUsesItsHelpers: with parts that wait for one another, all threads must take part.
func TestTeamUsesItsHelpers(t *testing.T) {
	for _, threads := range teamSizes {
		withTeam(t, threads, func(t *testing.T, team *team) {
			for range 20 {
				var barrier sync.WaitGroup
				barrier.Add(threads)
				team.do(threads, func(int) { barrier.Done(); barrier.Wait() })
			}
		})
	}
}

// TestTeamPanics: the value reaches the caller of the outermost do, once the others have returned, and the team works
// on.
func TestTeamPanics(t *testing.T) {
	for _, threads := range teamSizes {
		withTeam(t, threads, func(t *testing.T, team *team) {
			boom := errors.New("boom")
			for at := range 30 {
				var running atomic.Int32
				value := func() (v any) {
					defer func() { v = recover() }()
					team.do(5, func(i int) {
						team.do(6, func(j int) {
							running.Add(1)
							defer running.Add(-1)
							if 6*i+j == at {
								panic(boom)
							}
						})
					})
					return nil
				}()
				if p, ok := value.(*panicked); ok {
					if len(p.stack) == 0 {
						t.Error("a panic without its stack")
					}
					value = p.value
				}
				if value != boom {
					t.Fatalf("part %d panics: recovered %v", at, value)
				}
				if n := running.Load(); n != 0 {
					t.Fatalf("part %d panics: %d parts still run", at, n)
				}
			}
			// All parts panic: one value arrives.
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				team.do(9, func(i int) { panic(i) })
			}()
			var sum atomic.Int64
			team.do(10, func(i int) { sum.Add(int64(i)) })
			if sum.Load() != 45 {
				t.Errorf("after panics: sum %d", sum.Load())
			}
		})
	}
}

// TestTeamStops whether its helpers sleep, look for work, or have never run.
func TestTeamStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for i := range 300 {
		team := newTeam(1+i%9, nil)
		for range i % 4 {
			team.do(5, func(int) { runtime.Gosched() })
		}
		for range i % 7 * 50 {
			runtime.Gosched()
		}
		team.stop()
	}
}

func TestTeamChunks(t *testing.T) {
	withTeam(t, 3, func(t *testing.T, team *team) {
		for _, n := range []int{0, 1, 7, 8, 9, 100} {
			for _, size := range []int{1, 8, 64} {
				counts := make([]atomic.Int32, n)
				team.chunks(n, size, func(lo, hi int) {
					if hi-lo > size || hi <= lo {
						t.Errorf("a piece [%d, %d) of at most %d", lo, hi, size)
					}
					for i := lo; i < hi; i++ {
						counts[i].Add(1)
					}
				})
				for i := range counts {
					if counts[i].Load() != 1 {
						t.Fatalf("%d in pieces of %d: element %d is in %d", n, size, i, counts[i].Load())
					}
				}
			}
		}
	})
}

func TestPool(t *testing.T) {
	p := &pool{n: 16}
	seen := map[*uint64]bool{}
	take := func(rows ...[]uint64) {
		t.Helper()
		for _, r := range rows {
			if len(r) != 16 || cap(r) < 16 || seen[&r[0]] {
				t.Fatalf("a row of %d words, taken already: %v", len(r), seen[&r[0]])
			}
			seen[&r[0]] = true
		}
	}
	put := func(rows ...[]uint64) {
		for _, r := range rows {
			delete(seen, &r[0])
		}
		p.put(rows...)
	}
	a := p.rows(5)
	take(a...)
	if got := a[0][:16:16]; cap(a[0]) != cap(got) {
		t.Error("a row reaches into the next")
	}
	b := p.row()
	take(b)
	put(a[:3]...)
	c := p.rows(4) // three from the pool, one new
	take(c...)
	if len(p.free) != 0 {
		t.Errorf("%d rows left", len(p.free))
	}
	put(c...)
	put(b)
	if len(p.free) != 5 || p.lost() {
		t.Errorf("%d rows in the pool, want 5", len(p.free))
	}
	take(p.row(), p.row())
	if len(p.free) != 3 {
		t.Errorf("%d rows in the pool, want 3", len(p.free))
	}
	x := p.bytes()
	p.putBytes(x, nil)
	if len(x) != 16 || len(p.counts) != 1 || &p.bytes()[0] != &x[0] {
		t.Error("overflow counts are not used again")
	}
	p.drain()
	if p.free != nil || p.counts != nil {
		t.Error("drained pool")
	}
	take(p.row())
}

// TestSchedule checks the properties that running a step in parallel rests on, on random programs and on networks.
func TestSchedule(t *testing.T) {
	var programs []*program.Program
	for _, toy := range fhetest.Toys[:7] {
		params := fhetest.InsecureToyParams(t, toy)
		for seed := range uint64(4) {
			p, _, err := fhetest.RandomProgram(fhetest.NewRand(seed), params, 120)
			if err != nil {
				t.Fatal(err)
			}
			programs = append(programs, p)
		}
	}
	for _, hidden := range []int{1, 15, 16, 17, 40} {
		p, _, err := network(t, fhetest.InsecureToyParamsNamed(t, "digits of two"), 5, hidden, 4, 2).Build()
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	for _, p := range programs {
		ops, next, products := p.Ops(), 0, 0
		for si, s := range schedule(p) {
			if s.first != next || s.count < 1 || len(s.groups) == 0 {
				t.Fatalf("step %d begins at %d, want %d; %d operations in %d groups", si, s.first, next, s.count, len(s.groups))
			}
			work := 0
			for _, g := range s.groups {
				if g.first != next || g.count < 1 || g.count > 1 && ops[g.first].Code != program.Lincomb {
					t.Fatalf("step %d: group at %d of %d, want at %d", si, g.first, g.count, next)
				}
				for i := g.first; i < g.first+g.count; i++ {
					for v := range ops[i].Operands() {
						if int(v) >= s.first {
							t.Fatalf("step %d from %d: operation %d reads %d", si, s.first, i, v)
						}
					}
					// A consumer of a hoist reads what was hoisted too.
					if c := ops[i].Code; c == program.RotHoisted || c == program.Lintrans || c == program.Rotsum {
						if v := ops[ops[i].Args[0]].Args[0]; int(v) >= s.first {
							t.Fatalf("step %d: operation %d reads %d below its hoist", si, i, v)
						}
					}
					if o, f := ops[i], ops[g.first]; o.Code != f.Code || o.Level != f.Level || o.Degree != f.Degree ||
						g.count > 1 && !slices.Equal(slices.Collect(o.Operands()), slices.Collect(f.Operands())) {
						t.Fatalf("step %d: operation %d is in one matrix product with %d", si, i, g.first)
					}
				}
				if c := ops[g.first].Code; c != program.Input && c != program.Output {
					work++
				}
				if g.count > 1 {
					products++
				}
				next += g.count
			}
			if work > maxStep {
				t.Errorf("step %d has %d pieces of work", si, work)
			}
			if next != s.first+s.count {
				t.Fatalf("step %d: groups end at %d, the step at %d", si, next, s.first+s.count)
			}
		}
		if next != len(ops) {
			t.Fatalf("steps end at %d of %d operations", next, len(ops))
		}
		if p.Counts()[program.Lincomb] >= 15 && len(p.Inputs()) == 1 && products != 1 {
			t.Errorf("%d linear combinations of the same operands are %d matrix products", p.Counts()[program.Lincomb], products)
		}
	}
}
