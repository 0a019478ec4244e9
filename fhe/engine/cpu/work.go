package cpu

import (
	"math"

	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

// tally counts the work of one operation, phase by phase as its code runs them: see exec.go, keyswitch.go and
// lintrans.go, which this file mirrors function by function.
type tally struct {
	work    cost.Work
	k       int     // special primes
	logN    int     // of the ring degree
	threads int     // of the team
	cold    float64 // share of keys and diagonals that no cache holds from one run to the next
	shared  bool    // other operations run at the same time: what one leaves idle another takes
}

// amount is work of one kind in a phase.
type amount struct {
	kind cost.Kind
	rows float64
}

// phase counts work that is cut into parts which run in parallel.
func (t *tally) phase(parts int, amounts ...amount) {
	share := 1 / float64(t.threads)
	if !t.shared {
		share = math.Ceil(float64(parts)/float64(t.threads)) / float64(parts)
	}
	for _, a := range amounts {
		t.work[a.kind] += a.rows * share
	}
	if parts > 1 && t.threads > 1 {
		if t.shared {
			t.work[cost.Fork] += share
		} else {
			t.work[cost.Fork]++
		}
	}
}

func (t *tally) digits(level int) int { return (level + t.k) / t.k }

func (t *tally) hoist(level int) {
	k, q := t.k, level+1
	beta, rows := t.digits(level), q+k
	t.phase(q, amount{cost.Transform, float64(q)})
	if k > 1 {
		// Digits of one row need no conversion.
		if wide := q - q%k; wide > 0 || q%k > 1 {
			if q%k > 1 {
				wide = q
			}
			t.phase(wide*(1<<t.logN)/1024, amount{cost.Convert, float64(wide)})
		}
	}
	// Every digit's rows are converted to the primes that are not its own.
	converted := float64(q * (rows - k))
	if r := q % k; r > 0 {
		converted = float64((q-r)*(rows-k) + r*(rows-r))
	}
	t.phase(beta*rows, amount{cost.Convert, converted}, amount{cost.Transform, float64(beta*rows - q)},
		amount{cost.Pass, float64(q)})
}

// keyProducts returns the work of products of digits and key rows, n rows of a result.
func (t *tally) keyProducts(n, digits int) []amount {
	kind := cost.Key
	if digits > 3 {
		kind = cost.Accumulate
	}
	return []amount{{kind, float64(n * digits)}, {cost.Stream, t.cold * float64(n*digits)}, {cost.Multiply, float64(n)}}
}

func (t *tally) keyDot(level int) {
	n := 2 * (level + 1 + t.k)
	t.phase(n, t.keyProducts(n, t.digits(level))...)
}

// modDown counts the division of polys polynomials by P; finish is the work on each of its rows.
func (t *tally) modDown(level, polys int, finish float64) {
	k, q := t.k, level+1
	t.phase(polys*k, amount{cost.Transform, float64(polys * k)})
	t.phase(polys, amount{cost.Convert, float64(polys * k)})
	n := float64(polys * q)
	t.phase(polys*q, amount{cost.Convert, n * float64(k)}, amount{cost.Transform, n}, amount{cost.Multiply, n},
		amount{cost.Pass, n * finish})
}

func (t *tally) relin(level int) {
	t.hoist(level)
	t.keyDot(level)
	t.modDown(level, 2, 1)
}

func (t *tally) rotateHoisted(level int) {
	t.keyDot(level)
	t.modDown(level, 2, 1.5)
}

// cuts mirrors the way in which the fused loops cut their rows.
func (t *tally) cuts(rows int) int {
	n := 1 << t.logN
	cuts := 1
	for cuts < n/min(512, n) && 2*rows*cuts < 4*t.threads {
		cuts *= 2
	}
	return cuts
}

// cached is how many bytes of a job the last level of cache holds. A run reads keys and diagonals once, in the same
// order: nothing of a job twice as large is left when the next run begins. Measured with sums of rotations: 33 MB of
// keys come from the cache, 117 MB from memory.
const cached = 32 << 20

// nearSums is the number of giant steps whose sums, blocks of 8 KiB, fit the first level of cache together with what is
// multiplied.
const nearSums = 4

func (t *tally) lintrans(o *program.Op, hoistLevel int) {
	level := o.Level
	q, rows := level+1, level+1+t.k
	beta := t.digits(hoistLevel)
	babies, giants := map[int]bool{}, map[int]bool{}
	turned, plain := 0, 0 // diagonals of a rotated value, and of the value itself
	for _, d := range o.Diagonals {
		b, g := program.BabyGiant(d, o.N1)
		babies[b], giants[g] = true, true
		if b == 0 {
			plain++
		} else {
			turned++
		}
	}
	t.phase(q, amount{cost.Multiply, float64(q)})
	t.phase(q, amount{cost.Multiply, float64(q)})
	rotations := len(babies)
	if babies[0] {
		rotations--
	}
	diagonal := cost.Diagonal
	if len(giants) > nearSums {
		diagonal = cost.DiagonalFar
	}
	n := 2 * rows
	all := t.keyProducts(rotations*n, beta)
	all = append(all, amount{cost.Pass, float64(rotations * q)}, amount{diagonal, float64(turned * n)},
		amount{cost.Stream, t.cold * float64(turned*n+plain*2*q)},
		amount{cost.Accumulate, float64(plain * 2 * q)},
		amount{cost.Multiply, float64(len(giants) * n)}, amount{cost.Pass, float64(len(giants) * 2 * n)})
	t.phase(n*t.cuts(rows), all...)
	for g := range giants {
		if g == 0 {
			continue
		}
		t.modDown(level, 1, 1)
		t.hoist(level)
		t.keyDot(level)
		t.phase(n, amount{cost.Pass, float64(rows + n)})
	}
	t.modDown(level, 2, 1)
}

func (t *tally) rotsum(o *program.Op) {
	level := o.Level
	q, rows := level+1, level+1+t.k
	n := 2 * rows
	t.phase(q, amount{cost.Multiply, float64(q)})
	rotations := len(o.Galois)
	for _, g := range o.Galois {
		if g == 1 {
			rotations--
			t.phase(q, amount{cost.Multiply, float64(q)})
		}
	}
	all := append(t.keyProducts(rotations*n, t.digits(level)), amount{cost.Pass, float64(n + rotations*(q+n))})
	t.phase(n*t.cuts(rows), all...)
	t.modDown(level, 2, 1)
}

// lincomb counts a group of count linear combinations. Whether sums fit a word depends on the weights, of which a
// program states the scale: they are taken to be below 1.
func (t *tally) lincomb(o *program.Op, count int, prime func(int) uint64, scale float64) {
	operands := 0
	for _, r := range o.Ranges {
		operands += r.Count
	}
	n := 1 << t.logN
	blocks := n / min(n, 256)
	var all []amount
	for i := 0; i <= o.Level; i++ {
		product := math.Log2(float64(prime(i))) + scale
		if product >= 62 {
			all = append(all, amount{cost.Accumulate, float64(operands * count)}, amount{cost.Multiply, float64(count)})
			continue
		}
		sums := math.Ceil(float64(operands) / math.Exp2(min(63-product, 12)))
		all = append(all, amount{cost.Combine, float64(operands * (count / 4))},
			amount{cost.CombineOne, float64(operands * (count % 4))},
			amount{cost.Multiply, sums * float64(count)})
	}
	for i := range all {
		all[i].rows *= float64(o.Degree + 1)
	}
	t.phase((o.Degree+1)*(o.Level+1)*blocks, all...)
}

func (t *tally) rescale(o *program.Op) {
	parts, rows := float64(o.Degree+1), float64((o.Degree+1)*(o.Level+1))
	t.phase(o.Degree+1, amount{cost.Transform, parts}, amount{cost.Pass, parts})
	t.phase((o.Degree+1)*(o.Level+1), amount{cost.Transform, rows}, amount{cost.Multiply, rows}, amount{cost.Pass, rows})
}

// operation counts one operation, or a group of count linear combinations.
func (t *tally) operation(p *program.Program, o *program.Op, count int) {
	t.work[cost.Operation]++
	rows := (o.Degree + 1) * (o.Level + 1)
	rowwise := func(kind cost.Kind, times float64) { t.phase(rows, amount{kind, times * float64(rows)}) }
	switch o.Code {
	case program.Input, program.SetScale, program.Drop:
	case program.Output:
		t.phase(1, amount{cost.Store, float64(rows)})
	case program.Zero:
		t.phase(1, amount{cost.Pass, float64(rows)})
	case program.Add, program.Sub, program.Neg, program.AddPt, program.SubPt, program.AddConst:
		rowwise(cost.Pass, 1)
	case program.MulPt, program.MulConst:
		rowwise(cost.Multiply, 1)
	case program.MacConst:
		rowwise(cost.Multiply, 2)
	case program.Lincomb:
		t.lincomb(o, count, p.Parameters().Prime, p.Constants()[o.Const].Scale.Log2())
	case program.Mul:
		t.phase(o.Level+1, amount{cost.Multiply, 4 * float64(o.Level+1)})
	case program.Relin:
		t.relin(o.Level)
	case program.MulRelin:
		t.phase(o.Level+1, amount{cost.Multiply, 4 * float64(o.Level+1)})
		t.relin(o.Level)
	case program.Rescale:
		t.rescale(o)
	case program.Rot, program.Conj:
		t.hoist(o.Level)
		t.rotateHoisted(o.Level)
	case program.Hoist:
		t.hoist(o.Level)
	case program.RotHoisted:
		t.rotateHoisted(o.Level)
	case program.Lintrans:
		t.lintrans(o, p.Ops()[o.Args[0]].Level)
	case program.Rotsum:
		t.rotsum(o)
	}
}

// workOf counts the work of every operation of a program for a team. That of a matrix product is divided among its
// LINCOMB operations.
func workOf(p *program.Program, threads int) []cost.Work {
	ops := p.Ops()
	out := make([]cost.Work, len(ops))
	params := p.Parameters()
	cold := min(max(0, float64(Memory(p))/cached-1), 1)
	for _, s := range schedule(p) {
		busy := 0
		for _, g := range s.groups {
			if c := ops[g.first].Code; c != program.Input && c != program.SetScale && c != program.Drop {
				busy++
			}
		}
		for _, g := range s.groups {
			t := &tally{k: params.PCount(), logN: params.LogN(), threads: threads, cold: cold, shared: busy > 1}
			t.operation(p, &ops[g.first], g.count)
			for k := range t.work {
				t.work[k] /= float64(g.count)
			}
			for i := range g.count {
				out[g.first+i] = t.work
			}
		}
		if len(s.groups) > 1 && threads > 1 {
			out[s.first][cost.Fork]++
		}
	}
	return out
}
