package cpu

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
)

// Estimate returns what p costs on this engine with a team of threads, at least 1, by a table that was measured on it:
// times of the machine that the table names, and bytes as Memory counts them. It takes microseconds by the operation
// and needs neither keys nor constants.
func Estimate(p *program.Program, t *cost.Table, threads int) (cost.Cost, error) {
	if p == nil || t == nil || threads < 1 {
		return cost.Cost{}, fmt.Errorf("cpu: estimate: need a program, a table and at least one thread, have %d", threads)
	}
	if t.Engine() != name {
		return cost.Cost{}, fmt.Errorf("cpu: estimate: the cost table is for engine %q", t.Engine())
	}
	return cost.New(p, Work(p, threads), t, threads), nil
}

// Work counts what a team of threads does for p, for a table to be fitted to or to be applied to.
func Work(p *program.Program, threads int) cost.Estimate {
	e := cost.Estimate{Ops: workOf(p, threads), Constants: constantBytes(p), Keys: keyBytes(p),
		Values: peakRows(p) * rowBytes(p)}
	e.Run[cost.Run] = 1
	plains, weights := int64(0), 0
	for _, u := range plainUses(p) {
		plains += plainRows(p, u)
	}
	for _, o := range p.Ops() {
		if o.Code == program.Lincomb {
			weights += p.Constants()[o.Const].Width
		}
	}
	// Load cuts keys and constants into far more parts than there are threads; the rest is done by one.
	e.Load[cost.Load] = 1
	e.Load[cost.LoadKey] = float64(keyRows(p)) / float64(threads)
	e.Load[cost.LoadConstant] = float64(plains) / float64(threads)
	e.Load[cost.LoadPermutation] = float64(permutations(p))
	e.Load[cost.LoadWeights] = float64(weights)
	return e
}
