package program

import (
	"cmp"
	"slices"

	"github.com/signet-ml/signet/fhe"
)

// KeyRequirement says that a program uses a switching key, and at which level at most: a key for that level serves.
type KeyRequirement struct {
	GaloisElement uint64 // 0 for the relinearisation key
	Level         int
	Scope         string // where it is used at that level
}

// Keys returns every switching key that the program needs, each once, at the highest level of its use, in ascending
// order of Galois elements; the relinearisation key, element 0, comes first.
func (p *Program) Keys() []KeyRequirement {
	need := make(map[uint64]KeyRequirement)
	use := func(g uint64, level, i int) {
		if r, ok := need[g]; !ok || r.Level < level {
			need[g] = KeyRequirement{g, level, p.Scope(Value(i))}
		}
	}
	for i := range p.ops {
		switch o := &p.ops[i]; o.Code {
		case Relin, MulRelin:
			use(0, o.Level, i)
		default:
			for _, a := range p.automorphisms(i) {
				use(a.galois, a.level, i)
			}
		}
	}
	out := make([]KeyRequirement, 0, len(need))
	for _, r := range need {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b KeyRequirement) int { return cmp.Compare(a.GaloisElement, b.GaloisElement) })
	return out
}

// CheckKeys returns a *fhe.MissingKeyError for the first key that keys lacks or holds at too low a level, and a
// *fhe.MismatchError if the keys belong to other parameters. keys may be nil for a program that needs none.
func (p *Program) CheckKeys(keys *fhe.EvaluationKeys) error {
	if keys != nil && !keys.Parameters().Equal(p.params) {
		return &fhe.MismatchError{What: "parameters of the evaluation keys", Want: p.params.Digest().Short(), Have: keys.Parameters().Digest().Short()}
	}
	for _, r := range p.Keys() {
		e := &fhe.MissingKeyError{Relinearization: r.GaloisElement == 0, GaloisElement: r.GaloisElement, Level: r.Level, Have: -1, Scope: r.Scope}
		if r.GaloisElement != 0 {
			e.Rotation, e.Conjugate, _ = p.params.Rotation(r.GaloisElement)
		}
		if keys == nil {
			return e
		}
		if e.Have = keys.Level(r.GaloisElement); e.Have < r.Level {
			return e
		}
	}
	return nil
}

// KeysBytes returns the exact size on the wire of the keys that the program needs.
func (p *Program) KeysBytes() int64 {
	n := fhe.EvaluationKeysHeaderBytes
	for _, r := range p.Keys() {
		n += fhe.EvaluationKeyBytes(p.params, r.Level)
	}
	return n
}
