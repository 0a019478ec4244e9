package pass

import (
	"fmt"
	"strings"

	"github.com/signet-ml/signet/fhe/program"
)

// Counts says what a program costs, machine aside.
type Counts struct {
	Operations     int
	KeySwitches    int // Rotations + Relins
	Rotations      int // automorphisms, those inside of LINTRANS and ROTSUM included
	Relins         int // RELIN and MUL_RELIN
	Decompositions int // of a polynomial into digits: what a HOIST shares
	Rescales       int
	Constants      int
	Levels         int   // from the highest value to the lowest
	Limbs          int64 // of all results
}

// Count returns the counts of a program.
func Count(p *program.Program) Counts {
	ops := p.Ops()
	c := Counts{Operations: len(ops), Rotations: p.Rotations(), Constants: len(p.Constants())}
	low, high := p.Parameters().MaxLevel(), 0
	for i := range ops {
		o := &ops[i]
		switch o.Code {
		case program.Relin, program.MulRelin:
			c.Relins++
			c.Decompositions++
		case program.Rot, program.Conj, program.Hoist:
			c.Decompositions++
		case program.Lintrans: // every giant step decomposes a sum
			last := 0
			for _, k := range o.Diagonals { // ascending
				if _, giant := program.BabyGiant(k, o.N1); giant != last {
					last = giant
					c.Decompositions++
				}
			}
		case program.Rescale:
			c.Rescales++
		}
		if o.IsCiphertext() {
			low, high = min(low, o.Level), max(high, o.Level)
			c.Limbs += int64(o.Degree+1) * int64(o.Level+1)
		}
	}
	c.KeySwitches = c.Rotations + c.Relins
	c.Levels = max(high-low, 0)
	return c
}

// Step is what one run of one pass did.
type Step struct {
	Pass    Pass
	Round   int // from 1
	Removed int // operations that are gone
	Added   int // operations that are new
	Changed int // operations of another opcode, level or operand
	Before  Counts
	After   Counts
}

// Report says what Optimize did. It is immutable and safe for concurrent use.
type Report struct {
	Before, After Counts
	Steps         []Step // those that did something
	// NewBits says that a pass changed the bits of outputs.
	NewBits bool
	to      []program.Value
}

func newReport(p *program.Program) *Report {
	c := Count(p)
	r := &Report{Before: c, After: c, to: make([]program.Value, c.Operations)}
	for v := range r.to {
		r.to[v] = program.Value(v)
	}
	return r
}

func (r *Report) add(s Step, e *edit) {
	r.Steps = append(r.Steps, s)
	r.After = s.After
	r.NewBits = r.NewBits || s.Pass.NewBits()
	for v, w := range r.to {
		if w == gone {
			continue
		}
		if r.to[v] = e.at[w]; r.to[v] == gone {
			r.to[v] = e.use[w]
		}
	}
}

// Map returns the value of the result that has the message of a value of the program as it was, or false if there is
// none: nothing needs it any more. It has the same words and scale, perhaps in fewer limbs, unless NewBits: then level,
// degree and scale may be others too. Several values may share one.
func (r *Report) Map(v program.Value) (program.Value, bool) {
	if v < 0 || int(v) >= len(r.to) || r.to[v] == gone {
		return 0, false
	}
	return r.to[v], true
}

// String returns a table: a line for each step and one for each count that changed.
func (r *Report) String() string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "round %d, %-13s %5d removed %5d added %5d changed, key switches %d → %d\n",
			s.Round, s.Pass.String()+":", s.Removed, s.Added, s.Changed, s.Before.KeySwitches, s.After.KeySwitches)
	}
	for _, c := range []struct {
		name          string
		before, after int64
	}{
		{"operations", int64(r.Before.Operations), int64(r.After.Operations)},
		{"key switches", int64(r.Before.KeySwitches), int64(r.After.KeySwitches)},
		{"rotations", int64(r.Before.Rotations), int64(r.After.Rotations)},
		{"relinearisations", int64(r.Before.Relins), int64(r.After.Relins)},
		{"decompositions", int64(r.Before.Decompositions), int64(r.After.Decompositions)},
		{"rescales", int64(r.Before.Rescales), int64(r.After.Rescales)},
		{"constants", int64(r.Before.Constants), int64(r.After.Constants)},
		{"levels", int64(r.Before.Levels), int64(r.After.Levels)},
		{"limbs", r.Before.Limbs, r.After.Limbs},
	} {
		if c.before != c.after {
			fmt.Fprintf(&b, "%s %d → %d\n", c.name, c.before, c.after)
		}
	}
	switch {
	case len(r.Steps) == 0:
		b.WriteString("nothing to do\n")
	case r.NewBits:
		b.WriteString("bits change\n")
	default:
		b.WriteString("bits stay\n")
	}
	return b.String()
}
