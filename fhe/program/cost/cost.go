package cost

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signet-ml/signet/fhe/program"
)

// Cost is what a program takes on an engine. Times are those of the machine that the table was measured on.
type Cost struct {
	Engine  string
	Machine string // that the times are of, in words
	Threads int

	Run  time.Duration // of Job.Run, once rows are in the job's pool: the second run of a job and later ones
	Load time.Duration // of Engine.Load: expanding keys and constants

	Keys      int64 // bytes of switching keys as loaded
	Constants int64 // bytes of constants as loaded
	Values    int64 // bytes of the rows that one run holds at its peak, scratch included

	Scopes []Scope         // in order of their first operation
	Ops    []time.Duration // by operation; they add up to Run, but for its overhead and rounding
}

// Scope is the part of a Cost that belongs to the operations of one scope: to a layer.
type Scope struct {
	Name      string
	Ops       int // operations, inputs and outputs left out
	Rotations int // automorphisms, those inside LINTRANS and ROTSUM included
	Entering  int // highest level of a value that comes from outside the scope
	Leaving   int // level of the scope's last ciphertext
	Run       time.Duration
	Constants int64 // bytes as loaded of the constants that are used here first
}

// PeakBytes returns the most memory that a job holds: keys, constants, and the rows of one run. Inputs, outputs and the
// evaluation keys that Load was given belong to the caller.
func (c *Cost) PeakBytes() int64 { return c.Keys + c.Constants + c.Values }

// Estimate is what an engine knows about a program, operation by operation.
type Estimate struct {
	Ops       []Work  // by operation
	Run, Load Work    // of what belongs to no operation, and of loading
	Constants []int64 // by operation: bytes as loaded of the constants that it is the first to use
	Keys      int64   // bytes as loaded
	Values    int64   // bytes of the rows of one run at its peak
}

// New returns the cost of p from an engine's estimate for a team of threads, by a table of that engine.
func New(p *program.Program, e Estimate, t *Table, threads int) Cost {
	c := Cost{Engine: t.engine, Machine: t.machine, Threads: threads, Keys: e.Keys, Values: e.Values}
	logN, ops := p.Parameters().LogN(), p.Ops()
	c.Load = t.Time(e.Load, logN, threads)
	run := t.nanos(&e.Run, logN, threads)
	index := map[string]int{}
	times := []float64{}
	for i := range ops {
		o, v := &ops[i], program.Value(i)
		ns := t.nanos(&e.Ops[i], logN, threads)
		run += ns
		c.Ops = append(c.Ops, time.Duration(math.Round(ns)))
		c.Constants += e.Constants[i]
		name := p.Scope(v)
		at, ok := index[name]
		if !ok {
			at = len(c.Scopes)
			index[name] = at
			c.Scopes = append(c.Scopes, Scope{Name: name, Entering: -1})
			times = append(times, 0)
		}
		s := &c.Scopes[at]
		times[at] += ns
		s.Rotations += p.RotationsOf(v)
		s.Constants += e.Constants[i]
		for a := range o.Operands() {
			if p.Scope(a) != name {
				s.Entering = max(s.Entering, ops[a].Level)
			}
		}
		switch o.Code {
		case program.Input:
			s.Entering = max(s.Entering, o.Level)
		case program.Output:
			continue
		default:
			s.Ops++
		}
		if o.IsCiphertext() {
			s.Leaving = o.Level
		}
	}
	for i := range c.Scopes {
		c.Scopes[i].Run = time.Duration(math.Round(times[i]))
		c.Scopes[i].Entering = max(c.Scopes[i].Entering, c.Scopes[i].Leaving)
	}
	c.Run = time.Duration(math.Round(run))
	return c
}

// String prints the cost as a table, one line a scope that computes, and their sum.
func (c *Cost) String() string {
	rows := [][]string{{"layer", "time", "levels", "rotations", "operations", "constants"}}
	row := func(name string, t time.Duration, levels string, rotations, ops int, constants int64) {
		rows = append(rows, []string{name, Seconds(t), levels, fmt.Sprint(rotations), fmt.Sprint(ops), Bytes(constants)})
	}
	rotations, ops := 0, 0
	for _, s := range c.Scopes {
		rotations += s.Rotations
		if ops += s.Ops; s.Ops > 0 {
			row(s.Name, s.Run, fmt.Sprintf("%d → %d", s.Entering, s.Leaving), s.Rotations, s.Ops, s.Constants)
		}
	}
	row("all", c.Run, "", rotations, ops, c.Constants)
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, r := range rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%-*s", width[0], r[0])
		for i, cell := range r[1:] {
			fmt.Fprintf(&b, "  %*s", width[i+1], cell)
		}
	}
	return b.String()
}

// Seconds prints a duration with three digits: "1.23 ms".
func Seconds(d time.Duration) string {
	return digits(d.Seconds(), []unit{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}})
}

// Bytes prints a size with three digits in decimal units: "12.3 MB".
func Bytes(n int64) string {
	return digits(float64(n), []unit{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}})
}

type unit struct {
	size float64
	name string
}

// digits prints x in the largest unit that leaves it at least 1, or in the smallest.
func digits(x float64, units []unit) string {
	for i, u := range units {
		if y := x / u.size; y >= 1 || i == len(units)-1 {
			if y >= 999.5 || u.name == "B" {
				return fmt.Sprintf("%.0f %s", y, u.name)
			}
			return fmt.Sprintf("%.*f %s", max(0, 2-int(math.Log10(max(1, y)))), y, u.name)
		}
	}
	return ""
}
