package cpu

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/program"
)

// memoryCases are programs whose memory is dominated by different things.
func memoryCases(t *testing.T) map[string]*loadable {
	large := fhetest.InsecureToyParamsNamed(t, "large ring")
	pairs := fhetest.InsecureToyParams(t, fhetest.Toy{Name: "pairs", LogN: 12, LogQ: []int{50, 40, 40, 40, 40},
		LogP: []int{55, 54}, LogScale: 40})
	cases := map[string]*loadable{}
	for name, p := range map[string]fhe.Parameters{"digits of one": large, "digits of two": pairs} {
		cases[name+", network"] = complete(t, network(t, p, 24, 12, 32, 8), 1)
		cases[name+", keys and diagonals"] = complete(t, network(t, p, 1, 1, 64, 8), 1)
		cases[name+", one product"] = complete(t, chain(t, p, 1), 1)

		b := program.NewBuilder(p)
		xs := input(b, "x", 16, p.MaxLevel())
		for i, x := range xs {
			xs[i] = b.MulConst(x, one, one, fhe.PowerOfTwo(0))
		}
		sum := xs[0]
		for _, x := range xs[1:] {
			sum = b.Add(sum, x)
		}
		output(b, "y", sum)
		cases[name+", values"] = complete(t, b, 1)

		b = program.NewBuilder(p)
		x := input(b, "x", 1, p.MaxLevel())[0]
		c := polynomials(t, p, 24)
		sum = b.MulPt(x, c, 0)
		for i := range 23 {
			sum = b.Add(sum, b.MulPt(x, c, i+1))
		}
		output(b, "y", sum)
		cases[name+", plaintexts"] = complete(t, b, 1)

		b = program.NewBuilder(p)
		x = input(b, "x", 1, p.MaxLevel())[0]
		h := b.Hoist(x, p.MaxLevel())
		sum = b.RotHoisted(h, p.GaloisElement(1), p.MaxLevel())
		for k := range 7 {
			sum = b.Add(sum, b.RotHoisted(h, p.GaloisElement(k+2), p.MaxLevel()))
		}
		output(b, "y", sum)
		cases[name+", hoisted rotations"] = complete(t, b, 1)
	}
	return cases
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // the second empties pools of the standard library
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryIsABound measures what a job keeps after a run, when its pool holds every row that the run ever took.
func TestMemoryIsABound(t *testing.T) {
	for name, l := range memoryCases(t) {
		t.Run(name, func(t *testing.T) { checkMemory(t, l) })
	}
}

func checkMemory(t *testing.T, l *loadable) {
	want := Memory(l.prog)
	for _, threads := range []int{1, 2} {
		before := heap()
		j, err := open(t, Config{Threads: threads}).Load(context.Background(), l.prog, l.consts, l.keys)
		if err != nil {
			t.Fatal(err)
		}
		loaded := heap() - before
		if _, err := j.Run(context.Background(), l.in[0]); err != nil {
			t.Fatal(err)
		}
		got := heap() - before
		t.Logf("%d threads: %d bytes after load, %d after a run, bound %d: %.2f of it", threads, loaded, got, want,
			float64(got)/float64(want))
		// Tables of pointers and conversions, and one row for each thread, are not counted.
		if slack := int64(64<<10 + threads*8*l.prog.Parameters().N()); got > want+slack {
			t.Errorf("%d threads: the job took %d bytes, Memory says %d", threads, got, want)
		}
		if 10*want > 13*got {
			t.Errorf("%d threads: the job took %d bytes, Memory says %d: more than 30 %% above", threads, got, want)
		}
		j.Close()
		if left := heap() - before; left > want/4+64<<10 {
			t.Errorf("%d threads: %d bytes are left after Close", threads, left)
		}
		runtime.KeepAlive(j)
	}
}

// TestMemoryLimit: what exceeds the limit is refused before anything is expanded, what meets it is loaded.
func TestMemoryLimit(t *testing.T) {
	l := complete(t, network(t, fhetest.InsecureToyParamsNamed(t, "large ring"), 4, 2, 64, 8), 1)
	need := Memory(l.prog)
	ctx := context.Background()
	for _, limit := range []int64{1, need / 2, need - 1} {
		e := open(t, Config{MemoryLimit: limit})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		j, err := e.Load(ctx, l.prog, l.consts, l.keys)
		runtime.ReadMemStats(&after)
		var me *program.MemoryError
		if !errors.As(err, &me) || me.Need != need || me.Limit != limit || j != nil {
			t.Errorf("limit %d: job %v, error %v; want a *program.MemoryError of %d bytes", limit, j, err, need)
		}
		if used := int64(after.TotalAlloc - before.TotalAlloc); used > need/20 {
			t.Errorf("limit %d: refused after allocating %d of %d bytes", limit, used, need)
		}
	}
	for _, limit := range []int64{need, need + 1, 0} {
		l.digest(t, l.load(t, Config{MemoryLimit: limit}), 0)
	}
}

// TestMemoryGrows: more keys, higher levels, more diagonals and more live values take more.
func TestMemoryGrows(t *testing.T) {
	p := fhetest.InsecureToyParamsNamed(t, "digits of two")
	memory := func(b *program.Builder) int64 {
		prog, _, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return Memory(prog)
	}
	base := memory(network(t, p, 4, 4, 8, 4))
	for name, b := range map[string]*program.Builder{
		"wider": network(t, p, 4, 8, 8, 4), "more diagonals": network(t, p, 4, 4, 16, 4), "more baby steps": network(t, p,
			4, 4, 16, 8),
	} {
		if got := memory(b); got <= base {
			t.Errorf("%s: %d bytes, no more than %d", name, got, base)
		}
	}
	b := program.NewBuilder(p)
	output(b, "y", input(b, "x", 1, 0)[0])
	if got := memory(b); got != 0 {
		t.Errorf("a program that copies its input takes %d bytes", got)
	}
}
