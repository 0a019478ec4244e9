package stock

import "github.com/tuneinsight/lattigo/v5/core/rlwe"

// factors is a set of Galois elements as a product: base · {1, d_1} · {1, d_2} · …, every element exactly once. The
// base holds 1 unless the set does not.
type factors struct {
	base    []uint64
	doubles []uint64
}

// factor finds as many doublings as it can. Every d_i is an element of the set, so its key is at hand.
func factor(set []uint64, mask uint64) factors {
	budget := 4096 // pairings tried: sets are small, and most factor at once
	best := factors{base: set}
	var try func(set []uint64, doubles []uint64) bool
	try = func(set, doubles []uint64) bool {
		if len(doubles) > len(best.doubles) {
			best = factors{set, append([]uint64(nil), doubles...)}
		}
		if len(set) == 1 {
			return set[0] == 1
		}
		if len(set)%2 == 1 || budget == 0 {
			return false
		}
		for _, g := range set {
			if g == 1 {
				continue
			}
			budget--
			if half := pair(set, g, mask); half != nil && try(half, append(doubles, g)) {
				return true
			}
			if budget <= 0 {
				budget = 0
				return false
			}
		}
		return false
	}
	for _, g := range set {
		if g == 1 {
			try(set, nil)
		}
	}
	return best
}

// pair returns H with 1 in H and set = H ∪ gH, disjoint, or nil if it finds none.
func pair(set []uint64, g, mask uint64) []uint64 {
	left := make(map[uint64]bool, len(set))
	for _, x := range set {
		left[x] = true
	}
	inv := inverse(g, mask)
	var half []uint64
	take := func(x uint64) bool { // pairs x with g·x
		y := x * g & mask
		if !left[x] || !left[y] || x == y {
			return false
		}
		delete(left, x)
		delete(left, y)
		half = append(half, x)
		return true
	}
	if !take(1) {
		return nil
	}
	// Chains x, gx, g²x, … are paired from their starts; what is a cycle is paired from any point.
	for _, x := range set {
		if !left[x] {
			continue
		}
		for start := x; ; {
			y := x * inv & mask
			if !left[y] || y == start {
				break
			}
			x = y
		}
		for left[x] {
			if !take(x) {
				return nil
			}
			x = x * g & mask * g & mask
		}
	}
	if len(left) > 0 {
		return nil
	}
	return half
}

// inverse returns the inverse of the odd number g modulo mask+1, a power of two.
func inverse(g, mask uint64) uint64 {
	x := g
	for range 5 { // doubles the correct bits, starting from three
		x *= 2 - g*x
	}
	return x & mask
}

// doublings computes Σ φ_g(x) over the set by rotations and additions.
func (e *Evaluator) doublings(x *rlwe.Ciphertext, f factors, out *rlwe.Ciphertext) error {
	level := out.Level()
	r := e.params.RingQ().AtLevel(level)
	x = e.cut(x, level)
	tmp := e.alloc(1, level)
	add := func(y *rlwe.Ciphertext) {
		for k := range out.Value {
			r.Add(out.Value[k], y.Value[k], out.Value[k])
		}
	}
	for _, g := range f.base {
		if g == 1 {
			add(x)
			continue
		}
		if err := e.eval.Automorphism(x, g, tmp); err != nil {
			return err
		}
		add(tmp)
	}
	for _, g := range f.doubles {
		if err := e.eval.Automorphism(out, g, tmp); err != nil {
			return err
		}
		add(tmp)
	}
	return nil
}
