package lintrans

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// randomLayout returns a layout of up to period slots of n elements: in any order, some slots free, and, unless every
// element must be there, some elements nowhere or several times.
func randomLayout(intN func(int) int, period, n int, every bool) Layout {
	l := make(Layout, period)
	if every {
		l = make(Layout, max(period, pow2(n)))
	}
	for s := range l {
		l[s] = -1
		if intN(3) > 0 {
			l[s] = int32(intN(n))
		}
	}
	if every {
		free := make([]int, len(l))
		for s := range free {
			free[s] = s
		}
		for e := range n {
			i := intN(len(free))
			l[free[i]] = int32(e)
			free = slices.Delete(free, i, i+1)
		}
	}
	return l
}

// TestRunsRoundTrip expands runs into slots again, and has a program check them.
func TestRunsRoundTrip(t *testing.T) {
	params := fhetest.InsecureToyParamsNamed(t, "digits of one")
	rapid.Check(t, func(rt *rapid.T) {
		intN := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "") }
		n := 1 + intN(40)
		l := randomLayout(intN, 1<<intN(8), n, false)
		if intN(2) == 0 { // long runs
			at, step, slot := intN(n), intN(3)-1, 1+intN(3)
			for s := range l {
				if l[s] = -1; s%slot == 0 && at+s/slot*step >= 0 && at+s/slot*step < n {
					l[s] = int32(at + s/slot*step)
				}
			}
		}
		slots := 1 << intN(9)
		if err := l.check(n); err != nil {
			rt.Fatal(err)
		}
		runs := l.Runs(slots)
		got := make([]int32, l.Count(slots)*slots)
		for s := range got {
			got[s] = -1
		}
		for _, r := range runs {
			for i := range r.Length {
				at := r.Ciphertext*slots + r.Slot + i*r.SlotStep
				if got[at] != -1 {
					rt.Fatalf("slot %d is in two runs", at)
				}
				got[at] = int32(r.Index + i*r.IndexStep)
			}
		}
		for s := range l {
			if s >= len(got) && l[s] >= 0 {
				rt.Fatalf("%v in %d slots: slot %d lies in no ciphertext", l, slots, s)
			}
		}
		for s, e := range got {
			if e != l[s%len(l)] {
				rt.Fatalf("%v in %d slots: slot %d holds %d", l, slots, s, e)
			}
		}
		if len(runs) == 0 || slices.ContainsFunc(slices.Collect(slices.Chunk(got, slots)), empty) {
			return // a port has no ciphertexts without elements
		}
		b := program.NewBuilder(params)
		b.Input(program.Port{Name: "x", Count: l.Count(slots), Degree: 1, LogSlots: (&rig{slots: slots}).logSlots(), Scale: fhe.PowerOfTwo(20), Bound: 1,
			Layout: program.Layout{Shape: []int{n}, Runs: runs}})
		if b.Err() != nil {
			rt.Fatal(b.Err())
		}
	})
}

func empty(l []int32) bool { return !slices.ContainsFunc(l, func(e int32) bool { return e >= 0 }) }

// TestStridedLayoutsHaveFewRuns: one run for every row of an image, so that ports stay small.
func TestStridedLayoutsHaveFewRuns(t *testing.T) {
	for _, tc := range []struct {
		rows, cols, pitch, gap, slots, want int
	}{
		{28, 28, 32, 1, 1024, 28},
		{28, 28, 32, 1, 4096, 4 * 28},
		{28, 28, 28, 1, 1024, 1}, // no gap between rows: one run
		{7, 7, 32, 4, 1024, 4 * 7},
		{5, 28, 64, 2, 128, 5}, // several ciphertexts
		{1, 1, 1, 1, 256, 1},   // one element everywhere: step 0
	} {
		l := make(Layout, pow2(tc.rows*tc.pitch))
		for s := range l {
			l[s] = -1
		}
		for y := range tc.rows {
			for x := range tc.cols {
				l[y*tc.pitch+x*tc.gap] = int32(y*tc.cols + x)
			}
		}
		if got := len(l.Runs(tc.slots)); got != tc.want {
			t.Errorf("%+v: %d runs", tc, got)
		}
	}
}

func TestLayoutsAreChecked(t *testing.T) {
	for _, l := range []Layout{nil, {}, {0, 1, 2}, {0, 5}, {0, -2}} {
		if l.check(5) == nil {
			t.Errorf("%v passes as a layout of 5 elements", l)
		}
	}
	if err := (Layout{4, -1, 4, 0}).check(5); err != nil {
		t.Error(err)
	}
}
