package nn

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/signet-ml/signet/zk/commit"
)

// narrowHash is the cost of a digest of up to 7 elements, without sums of many terms.
const narrowHash = 363

// digest returns the digest of numbers in a circuit. Sums, and wires that occur twice, get wires of their own, for a
// constraint each: the cost of a digest is that of distinct wires.
func (b *build) digest(tag commit.Tag, p commit.Packing, cost int, salt frontend.Variable, xs []number) (frontend.Variable, error) {
	seen := make(map[int]bool, len(xs))
	for i, x := range xs {
		if !x.single() || seen[x.terms[0].wire] {
			xs[i] = b.materialise(x)
		}
		seen[xs[i].terms[0].wire] = true
	}
	b.costs.add(CauseHash, cost)
	if b.api == nil {
		return nil, nil
	}
	return p.DigestVar(b.api, tag, salt, b.variables(xs))
}

// statement returns the second public input.
func (b *build) statement(elements ...frontend.Variable) (frontend.Variable, error) {
	b.costs.add(CauseStatement, narrowHash+1) // 1: the comparison with the public input
	if b.api == nil {
		return nil, nil
	}
	return commit.HashVar(b.api, commit.TagStatement, elements...)
}

// digestCost returns the constraints of a packing's digest of single wires. They are those of its permutations, and of
// the sums of many terms that gnark meets in them, so they are counted where they are made.
func digestCost(p commit.Packing) (int, error) {
	key := [2]int{p.Count, p.Width()}
	if n, ok := digestCosts.Load(key); ok {
		return n.(int), nil
	}
	c := &digestCircuit{packing: p, Values: make([]frontend.Variable, p.Count)}
	s, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c)
	if err != nil {
		return 0, err
	}
	digestCosts.Store(key, s.GetNbConstraints())
	return s.GetNbConstraints(), nil
}

// digestCosts holds what digestCost found, by the packing's count and width.
var digestCosts sync.Map

// digestCircuit is a packing's digest and nothing else.
type digestCircuit struct {
	Values  []frontend.Variable
	Salt    frontend.Variable
	packing commit.Packing
}

// Define implements frontend.Circuit.
func (c *digestCircuit) Define(api frontend.API) error {
	_, err := c.packing.DigestVar(api, commit.TagInput, c.Salt, c.Values)
	return err
}
