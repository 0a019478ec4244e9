package pass

import (
	"errors"
	"fmt"

	"github.com/signet-ml/signet/fhe/program"
)

// Pass is one rewriting of a program.
type Pass uint8

// The passes, in the order in which Optimize runs them. All but LazyRescale, LazyRelin and LowSwitches keep
// every bit of every output.
const (
	// DeadCode drops operations that reach no output. Ports stay.
	DeadCode Pass = iota
	// Fold replaces an operation whose words are those of an earlier value: NEG of NEG, DROP of DROP, SETSCALE of
	// SETSCALE, MUL_CONST by 1, ADD_CONST of 0, sums with a ZERO.
	Fold
	// Equal computes equal operations once: same opcode, operands, level, scale, rows and Galois elements, with the
	// operands of ADD, MUL and MUL_RELIN in either order.
	Equal
	// LazyRescale rescales a sum instead of its terms. It changes bits: one rounding takes the place of several.
	LazyRescale
	// LazyRelin relinearises a sum of products instead of the products. It changes bits: one key switch takes the
	// place of several.
	LazyRelin
	// Drops computes at a lower level what is only needed there: a DROP moves before what works limb by limb.
	Drops
	// Hoists shares one decomposition among the rotations and the conjugation of one value.
	Hoists
	// LowSwitches is Drops for what switches keys. It changes bits: at a lower level a key switch has fewer digits.
	LowSwitches
	passes
)

var passNames = [passes]string{"dead code", "fold", "equal", "lazy rescale", "lazy relin", "drops", "hoists", "low switches"}

func (p Pass) String() string {
	if p < passes {
		return passNames[p]
	}
	return fmt.Sprintf("pass(%d)", uint8(p))
}

// NewBits reports whether the pass changes the bits of outputs.
func (p Pass) NewBits() bool { return p == LazyRescale || p == LazyRelin || p == LowSwitches }

var apply = [passes]func(e *edit){
	DeadCode: deadCode, Fold: fold, Equal: equal, LazyRescale: lazyRescale, LazyRelin: lazyRelin, Drops: drops,
	Hoists: hoists, LowSwitches: lowSwitches}

// ErrNewBits says that a pass was asked for that changes bits, without AllowNewBits.
var ErrNewBits = errors.New("pass: it changes bits, which is not allowed")

type options struct {
	newBits bool
	only    []Pass
	chosen  bool
}

// Option changes what Optimize does.
type Option func(*options)

// AllowNewBits runs the passes that change bits too. Outputs then differ from those of the program as it was, by less
// than their error, and the error does not grow: one rounding or key switch takes the place of several, or has fewer
// digits. Whoever compares digests has to compare with the optimised program.
func AllowNewBits() Option { return func(o *options) { o.newBits = true } }

// Only runs the stated passes and no other, in the order of Pass.
func Only(list ...Pass) Option {
	return func(o *options) { o.only, o.chosen = append(o.only, list...), true }
}

func (o *options) list() ([]Pass, error) {
	asked := [passes]bool{}
	for _, p := range o.only {
		if p >= passes {
			return nil, fmt.Errorf("pass: there is no %v", p)
		}
		if p.NewBits() && !o.newBits {
			return nil, fmt.Errorf("%w: %v", ErrNewBits, p)
		}
		asked[p] = true
	}
	var out []Pass
	for p := range passes {
		if asked[p] || !o.chosen && (o.newBits || !p.NewBits()) {
			out = append(out, p)
		}
	}
	return out, nil
}

// maxRounds bounds how often the passes are repeated. Of 900 runs on random programs with waste six had something to do
// in a third round, and none in a fourth.
const maxRounds = 16

// Optimize returns a program that computes the same outputs with less work, and a report of what was done. If there is
// nothing to do it returns p itself. The passes are repeated until they find nothing (or 16 times), so Optimize of the
// result returns the result.
//
// Ports, parameters and the bits of outputs stay (see AllowNewBits); constants keep their digests, and those that no
// operation names any more are left out. Key switches never become more, and the keys of p serve the result. Operations
// keep the labels of their scopes; a new one has that of the operation that it serves.
//
// It works on the operations alone: same program and options, same result. Time is about linear in the size of the
// program. It is safe for concurrent use. Errors: an unknown pass, ErrNewBits, or no program.
func Optimize(p *program.Program, opts ...Option) (*program.Program, *Report, error) {
	if p == nil {
		return nil, nil, errors.New("pass: no program")
	}
	var o options
	for _, f := range opts {
		f(&o)
	}
	list, err := o.list()
	if err != nil {
		return nil, nil, err
	}
	r := newReport(p)
	for round := 1; round <= maxRounds; round++ {
		before := p
		for _, s := range list {
			if p, err = r.run(p, s, round); err != nil {
				return nil, nil, err
			}
		}
		if p == before {
			break
		}
	}
	return p, r, nil
}

// run applies one pass and notes what it did. It returns p itself if that is nothing.
func (r *Report) run(p *program.Program, s Pass, round int) (*program.Program, error) {
	e := newEdit(p)
	apply[s](e)
	step := e.step()
	if step.Removed+step.Added+step.Changed == 0 {
		return p, nil
	}
	q, err := p.Rewrite(e.out)
	if errors.Is(err, program.ErrLimit) {
		return p, nil // an added operation was one too many: the program is good as it is
	}
	if err != nil {
		return nil, fmt.Errorf("pass: %v: %w", s, err)
	}
	step.Pass, step.Round, step.Before, step.After = s, round, r.After, Count(q)
	r.add(step, e)
	return q, nil
}
