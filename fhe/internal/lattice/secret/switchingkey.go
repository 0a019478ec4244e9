package secret

import (
	"fmt"
	"math/big"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// SwitchingKey returns the two halves of a fresh switching key modulo q_0 … q_level and all special primes: the
// relinearisation key for Galois element 0, else the Galois key. The rows [digit][Q, then P][N] are b = -a·s_out + e +
// P·w·s_in, and a is expanded from a fresh seed. For relinearisation s_in = s² and s_out = s; for the element g, s_in =
// s and s_out = s(X^(1/g)), so that the automorphism comes after the key switch. P·w is P modulo the primes of the
// row's own digit and 0 modulo all others. The error e of a digit is one integer polynomial, the same in every row.
//
// The level is always stated, and a key holds nothing above it. Errors come from a stream that is seeded for this key.
func (key *Key) SwitchingKey(galois uint64, level int) (b [][][]uint64, a *lattice.Expansion, err error) {
	k := key.m()
	if err := k.checkSwitchingKey(galois, level); err != nil {
		return nil, nil, err
	}
	ps := k.ps
	a = ps.ExpandKey(lattice.NewSeed(), level)
	b = make([][][]uint64, ps.Digits(level))
	gauss, e := newGaussian(ps), make([][]int8, len(b))
	for d := range b {
		b[d] = make([][]uint64, ps.Rows(level))
		e[d] = make([]int8, ps.N())
		gauss.draw(e[d])
	}
	p := big.NewInt(1)
	for i := range ps.PCount() {
		p.Mul(p, new(big.Int).SetUint64(ps.RingP(i).Modulus))
	}
	var permute lattice.Automorphism
	if galois != 0 {
		permute = lattice.NewAutomorphism(ps.N(), inverse(galois))
	}
	permuted, payload := make([]uint64, ps.N()), make([]uint64, ps.N())
	defer clear(permuted)
	defer clear(payload)
	for i := range ps.Rows(level) {
		s, in := ps.Row(level, i), k.rowAt(level, i)
		out := in
		if galois != 0 {
			permute.Apply(in, permuted)
			out = permuted
		}
		if i <= level {
			// in is in Montgomery form, so one product with P mod q takes it out of it, and a second one squares it.
			s.MulScalarMontgomery(in, lattice.ResidueBig(p, s.Modulus), payload)
			if galois == 0 {
				s.MulCoeffsMontgomery(payload, in, payload)
			}
		}
		for d := range b {
			row := make([]uint64, ps.N())
			residues(s, e[d], row)
			s.NTT(row, row)
			s.MulCoeffsMontgomeryThenSub(a.Rows(d)[i], out, row)
			if i <= level && i/ps.PCount() == d {
				s.Add(row, payload, row)
			}
			b[d][i] = row
		}
	}
	for d := range e {
		clear(e[d])
	}
	return b, a, nil
}

func (k *material) checkSwitchingKey(galois uint64, level int) error {
	twoN := uint64(2 * k.ps.N())
	switch {
	case k.ps.PCount() == 0:
		return fmt.Errorf("secret: switching key under parameters without special primes")
	case level < 0 || level > k.ps.MaxLevel():
		return fmt.Errorf("secret: switching key at level %d, the parameters have levels 0 to %d", level, k.ps.MaxLevel())
	case galois != 0 && (galois&1 == 0 || galois >= twoN || galois == 1):
		return fmt.Errorf("secret: Galois key for the element %d, want an odd one from 3 to %d", galois, twoN-1)
	}
	return nil
}
