package lintrans

import (
	"math"

	"github.com/signet-ml/signet/fhe/program"
)

// Products with encrypted matrices: the diagonals are ciphertexts of the same key as the vector, at the same level.
// Baby steps are rotations of one hoist; the products of a giant step are added at degree 2 and relinearised once. The
// result is of degree 1, not rescaled and, if there are Sums, partial. Scale: x.Scale · w.Scale.

// encrypter emits products of rotations of ciphertexts and encrypted diagonals.
type encrypter struct {
	b       *program.Builder
	x       []program.Value
	hoists  map[int]program.Value
	rotated map[[2]int]program.Value // by ciphertext and step
}

func newEncrypter(b *program.Builder, x []program.Value) *encrypter {
	return &encrypter{b, x, make(map[int]program.Value), make(map[[2]int]program.Value)}
}

func (e *encrypter) rotate(in, step int) program.Value {
	if step == 0 {
		return e.x[in]
	}
	r, ok := e.rotated[[2]int{in, step}]
	if !ok {
		level := e.b.Level(e.x[in])
		h, ok := e.hoists[in]
		if !ok {
			h = e.b.Hoist(e.x[in], level)
			e.hoists[in] = h
		}
		r = e.b.RotHoisted(h, e.b.Parameters().GaloisElement(step), level)
		e.rotated[[2]int{in, step}] = r
	}
	return r
}

// product returns Σ_d w_d · rot(x_in, d).
func (e *encrypter) product(in int, diagonals []int, n1 int, w []program.Value) program.Value {
	sums := make(map[int]program.Value)
	var giants []int // in the order of the diagonals
	for j, d := range diagonals {
		baby, giant := program.BabyGiant(d, n1)
		v := e.b.Mul(e.rotate(in, baby), w[j])
		if s, ok := sums[giant]; ok {
			v = e.b.Add(s, v)
		} else {
			giants = append(giants, giant)
		}
		sums[giant] = v
	}
	var out program.Value
	for i, g := range giants {
		v := e.b.Relin(sums[g])
		if g != 0 {
			v = e.b.Rot(v, e.b.Parameters().GaloisElement(g))
		}
		if i > 0 {
			v = e.b.Add(out, v)
		}
		out = v
	}
	return out
}

// EmitEncrypted appends the product of the value in x and encrypted diagonals: w holds one ciphertext for every
// diagonal of every block, in the order of DiagonalValues.
func (p *Product) EmitEncrypted(b *program.Builder, x []program.Value, w [][]program.Value) []program.Value {
	e := newEncrypter(b, x)
	out := make([]program.Value, p.Out)
	started := make([]bool, p.Out)
	for i := range p.Blocks {
		k := &p.Blocks[i]
		v := e.product(k.In, k.Diagonals, k.N1, w[i])
		if started[k.Out] {
			v = b.Add(out[k.Out], v)
		}
		out[k.Out], started[k.Out] = v, true
	}
	return out
}

// ForEncrypted returns the product with the baby steps that are cheapest for encrypted diagonals at a level, with k
// special primes.
func (p *Product) ForEncrypted(level, k int, cost Cost) *Product {
	q := *p
	q.Blocks = append([]Block(nil), p.Blocks...)
	for i := range q.Blocks {
		b := &q.Blocks[i]
		b.N1 = encryptedN1(b.Diagonals, p.Slots, level, k, cost)
	}
	return &q
}

// EmitEncrypted appends the product of a value, packed as the shape says, and K encrypted diagonals, in the order of
// Diagonals.
func (s Shape) EmitEncrypted(b *program.Builder, x program.Value, w []program.Value) program.Value {
	return newEncrypter(b, []program.Value{x}).product(0, s.indices(), s.N1, w)
}

// ForEncrypted returns the shape with the baby steps that are cheapest for encrypted diagonals.
func (s Shape) ForEncrypted(level, k int, cost Cost) Shape {
	s.N1 = encryptedN1(s.indices(), s.Slots, level, k, cost)
	return s
}

func (s Shape) indices() []int {
	out := make([]int, s.K)
	for k := range out {
		out[k] = k
	}
	return out
}

func encryptedN1(diagonals []int, slots, level, k int, cost Cost) int {
	best, bestCost := 1, math.Inf(1)
	switched := cost.Hoist(level, k) + cost.ModDown(level, k, 2) + cost.Rotation(level, k)
	for n1 := 1; n1 <= slots; n1 *= 2 {
		babies, giants := steps(diagonals, n1, slots)
		c := float64(babies)*(cost.ModDown(level, k, 2)+cost.Rotation(level, k)) + float64(giants)*2*switched
		if babies > 0 {
			c += cost.Hoist(level, k)
		}
		if c < bestCost {
			best, bestCost = n1, c
		}
	}
	return best
}
