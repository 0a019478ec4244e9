package cpu

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/access"
	"github.com/signet-ml/signet/fhe/internal/lattice"
	"github.com/signet-ml/signet/fhe/program"
)

// loaded is what Load prepares: everything of a program that does not depend on the input.
type loaded struct {
	prog  *program.Program
	keys  *fhe.EvaluationKeys
	ring  *lattice.Params
	n     int
	steps []step
	last  []program.Value

	switching map[uint64]*switchingKey // by Galois element, 0 for relinearisation
	perms     map[uint64]lattice.Automorphism
	plain     map[plainKey]*plain
	scalars   map[int]*scalars
	weights   map[int][]int64 // by first operation of a step: rows of a matrix product, one after another

	digits []map[int]*digit // by level: decomposition tables, by first prime of the digit
	down   *down            // division by P
	resc   [][]uint64       // by level of the input: q_level^-1 modulo each lower prime
	pModQ  []uint64         // P mod q_i, Montgomery form
}

// switchingKey holds the rows of a key in Montgomery form: [digit][part][row of Q, then P]. Rows of Q above the highest
// level of use are left out.
type switchingKey struct {
	rows  [2][][][]uint64 // [part][row][digit]: the order in which KeyDot wants them
	level int
}

// row returns the digits' rows for a row of a QP polynomial at a level.
func (k *switchingKey) row(part, level, i, digits int) [][]uint64 {
	if i > level {
		i += k.level - level
	}
	return k.rows[part][i][:digits]
}

type plainKey struct {
	constant, row int
	mont          bool
}

// plainUse says which rows of a constant polynomial a program needs: those of q_0 … q_level, and of P.
type plainUse struct {
	level   int
	special bool
}

// plainsOf returns the constant polynomials that an operation uses.
func plainsOf(o *program.Op) []plainKey {
	switch o.Code {
	case program.AddPt, program.SubPt, program.MulPt, program.Lintrans:
	default:
		return nil
	}
	out := make([]plainKey, len(o.Rows))
	for i, row := range o.Rows {
		out[i] = plainKey{o.Const, row, o.Code == program.MulPt || o.Code == program.Lintrans}
	}
	return out
}

// plainUses returns every constant polynomial that p uses, at the highest level of its use.
func plainUses(p *program.Program) map[plainKey]plainUse {
	uses := map[plainKey]plainUse{}
	for _, o := range p.Ops() {
		for _, k := range plainsOf(&o) {
			u := uses[k]
			uses[k] = plainUse{max(u.level, o.Level), u.special || o.Code == program.Lintrans}
		}
	}
	return uses
}

// plain is a constant polynomial in the NTT domain.
type plain struct {
	q, p [][]uint64
}

// scalars are the residues of a constant a + b·X^(N/2) and, for MAC_CONST, of m, by prime.
type scalars struct {
	first, second, m []uint64
}

// digit converts one decomposition digit to the other primes.
type digit struct {
	lo, hi int // rows of Q
	conv   *lattice.Conversion
	q, p   []*lattice.ConversionTarget // q[i] is nil for the digit's own rows
}

// down divides by P.
type down struct {
	conv *lattice.Conversion
	q    []*lattice.ConversionTarget
	inv  []uint64 // P^-1 mod q_i, Montgomery form
}

// Load checks constants and keys, refuses what exceeds the memory limit, and expands constants and keys.
func (e *Engine) Load(ctx context.Context, p *program.Program, c *program.Constants,
	keys *fhe.EvaluationKeys) (job program.Job, err error) {
	if p == nil {
		return nil, fmt.Errorf("cpu: load: nil program")
	}
	if err := p.CheckConstants(c); err != nil {
		return nil, fmt.Errorf("cpu: load: %w", err)
	}
	if err := p.CheckKeys(keys); err != nil {
		return nil, fmt.Errorf("cpu: load: %w", err)
	}
	if need := Memory(p); e.cfg.MemoryLimit > 0 && need > e.cfg.MemoryLimit {
		return nil, &program.MemoryError{Need: need, Limit: e.cfg.MemoryLimit}
	}
	defer func() {
		if v := recover(); v != nil {
			if pv, ok := v.(*panicked); ok {
				v = fmt.Sprintf("%v\n%s", pv.value, pv.stack)
			} else {
				v = fmt.Sprintf("%v\n%s", v, debug.Stack())
			}
			job, err = nil, &program.PanicError{Op: -1, Scope: "load", Value: v}
		}
	}()
	l := &loaded{prog: p, keys: keys, ring: access.Lattice(p.Parameters()), n: p.Parameters().N(), last: p.LastUses(),
		switching: map[uint64]*switchingKey{}, perms: map[uint64]lattice.Automorphism{}, plain: map[plainKey]*plain{},
		scalars: map[int]*scalars{}, weights: map[int][]int64{}}
	t := newTeam(e.cfg.Threads, nil)
	defer t.stop()
	l.tables()
	if err := l.loadKeys(ctx, t); err != nil {
		return nil, err
	}
	if err := l.loadConstants(ctx, t, c); err != nil {
		return nil, err
	}
	l.steps = schedule(p)
	l.loadWeights(c)
	return newJob(l, e.cfg.Threads), nil
}

func (l *loaded) tables() {
	r := l.ring
	for level := 0; level <= r.MaxLevel(); level++ {
		var inv []uint64
		for i := range level {
			inv = append(inv, lattice.InverseMod(r.RingQ(i), r.RingQ(level).Modulus))
		}
		l.resc = append(l.resc, inv)
	}
	k := r.PCount()
	if k == 0 {
		return
	}
	var ps []*lattice.SubRing
	for i := range k {
		ps = append(ps, r.RingP(i))
	}
	for i := 0; i <= r.MaxLevel(); i++ {
		s := r.RingQ(i)
		x := lattice.MForm(s, 1)
		for _, p := range ps {
			x = mulMod(s, x, lattice.MForm(s, p.Modulus%s.Modulus))
		}
		l.pModQ = append(l.pModQ, x)
	}
	conv := lattice.NewConversion(ps)
	d := &down{conv: conv}
	for i := 0; i <= r.MaxLevel(); i++ {
		s := r.RingQ(i)
		d.q = append(d.q, conv.Target(s))
		d.inv = append(d.inv, lattice.InverseMod(s, plainResidue(s, l.pModQ[i])))
	}
	levels := map[int]bool{}
	for _, o := range l.prog.Ops() {
		switch o.Code {
		case program.Relin, program.MulRelin, program.Rot, program.Conj, program.Hoist, program.Lintrans:
			levels[o.Level] = true
		}
	}
	l.down = d
	l.digits = make([]map[int]*digit, r.MaxLevel()+1)
	for level := range l.digits {
		if !levels[level] {
			continue
		}
		l.digits[level] = map[int]*digit{}
		for lo := 0; lo <= level; lo += k {
			g := &digit{lo: lo, hi: min(lo+k, level+1)}
			if g.hi-g.lo > 1 {
				var src []*lattice.SubRing
				for i := g.lo; i < g.hi; i++ {
					src = append(src, r.RingQ(i))
				}
				g.conv = lattice.NewConversion(src)
				for i := 0; i <= level; i++ {
					var t *lattice.ConversionTarget
					if i < g.lo || i >= g.hi {
						t = g.conv.Target(r.RingQ(i))
					}
					g.q = append(g.q, t)
				}
				for _, p := range ps {
					g.p = append(g.p, g.conv.Target(p))
				}
			}
			l.digits[level][lo] = g
		}
	}
}

// mulMod multiplies two residues in Montgomery form.
func mulMod(s *lattice.SubRing, x, y uint64) uint64 {
	in, out := []uint64{x, 0, 0, 0, 0, 0, 0, 0}, make([]uint64, 8)
	s.MulScalarMontgomery(in, y, out)
	return out[0]
}

// plainResidue takes x out of Montgomery form.
func plainResidue(s *lattice.SubRing, x uint64) uint64 { return mulMod(s, x, 1) }

func (l *loaded) loadKeys(ctx context.Context, t *team) error {
	for _, need := range l.prog.Keys() {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := l.keys.Load(need.GaloisElement)
		if err != nil {
			return fmt.Errorf("cpu: load: %w", err)
		}
		pc := l.ring.PCount()
		sk := &switchingKey{level: need.Level}
		digits := (need.Level + pc) / pc
		rows := need.Level + 1 + pc
		back := make([]uint64, 2*rows*digits*l.n)
		for part := range sk.rows {
			sk.rows[part] = make([][][]uint64, rows)
			for i := range rows {
				for range digits {
					sk.rows[part][i] = append(sk.rows[part][i], back[:l.n:l.n])
					back = back[l.n:]
				}
			}
		}
		t.do(2*rows, func(task int) {
			part, i := task/rows, task%rows
			src := i
			if i > need.Level {
				src += k.Level() - need.Level
			}
			s := l.ring.Row(need.Level, i)
			for d := range digits {
				s.MForm(k.Limb(d, part, src), sk.rows[part][i][d])
			}
		})
		l.switching[need.GaloisElement] = sk
		if g := need.GaloisElement; g != 0 {
			l.perms[g] = lattice.NewAutomorphism(l.n, g)
		}
	}
	return nil
}

func (l *loaded) loadConstants(ctx context.Context, t *team, c *program.Constants) error {
	infos := l.prog.Constants()
	for i, o := range l.prog.Ops() {
		switch o.Code {
		case program.AddConst, program.MulConst, program.MacConst:
			l.scalars[i] = l.newScalars(&o)
		}
	}
	uses := plainUses(l.prog)
	keys := make([]plainKey, 0, len(uses))
	for k, u := range uses {
		keys = append(keys, k)
		pl := &plain{q: make([][]uint64, u.level+1)}
		if u.special {
			pl.p = make([][]uint64, l.ring.PCount())
		}
		l.plain[k] = pl
	}
	t.do(len(keys), func(task int) {
		if ctx.Err() != nil {
			return
		}
		k := keys[task]
		coeffs := c.Coefficients(infos[k.constant].Digest)[k.row]
		expand := func(s *lattice.SubRing) []uint64 {
			row := make([]uint64, l.n)
			lattice.Expand(s, coeffs, row)
			s.NTT(row, row)
			if k.mont {
				s.MForm(row, row)
			}
			return row
		}
		pl := l.plain[k]
		for i := range pl.q {
			pl.q[i] = expand(l.ring.RingQ(i))
		}
		for i := range pl.p {
			pl.p[i] = expand(l.ring.RingP(i))
		}
	})
	return ctx.Err()
}

func (l *loaded) newScalars(o *program.Op) *scalars {
	sc := &scalars{}
	for i := 0; i <= o.Level; i++ {
		s := l.ring.RingQ(i)
		a, b := lattice.ConstResidues(s, o.A, o.B)
		if o.Code != program.AddConst {
			a, b = lattice.MForm(s, a), lattice.MForm(s, b)
		}
		sc.first, sc.second = append(sc.first, a), append(sc.second, b)
		if o.Code == program.MacConst {
			sc.m = append(sc.m, lattice.MForm(s, lattice.ResidueBig(o.M, s.Modulus)))
		}
	}
	return sc
}

// loadWeights lays the weight rows of every matrix product out one after another.
func (l *loaded) loadWeights(c *program.Constants) {
	ops, infos := l.prog.Ops(), l.prog.Constants()
	for _, s := range l.steps {
		for _, g := range s.groups {
			o := &ops[g.first]
			if o.Code != program.Lincomb {
				continue
			}
			var w []int64
			for i := g.first; i < g.first+g.count; i++ {
				w = append(w, c.Coefficients(infos[ops[i].Const].Digest)[ops[i].Rows[0]]...)
			}
			l.weights[g.first] = w
		}
	}
}
