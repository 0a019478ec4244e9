package lattice

import (
	"fmt"
	"math/big"
)

// Primes returns count primes congruent to 1 modulo 2^logNthRoot near 2^bits, skipping those in taken and adding to
// it what it returns. With below they are all smaller than 2^bits, largest first; otherwise the nearest on either side
// come first. All lie within half a bit of 2^bits.
func Primes(bits, logNthRoot, count int, below bool, taken map[uint64]bool) ([]uint64, error) {
	if bits < logNthRoot || bits > 61 || logNthRoot < 1 || logNthRoot > 20 {
		return nil, fmt.Errorf("lattice: no primes of %d bits for a 2^%d-th root of unity", bits, logNthRoot)
	}
	step, centre := uint64(1)<<logNthRoot, uint64(1)<<bits
	lo, hi := centre-centre/4, centre+centre/3 // 2^(bits-0.41) and 2^(bits+0.41)
	out := make([]uint64, 0, count)
	add := func(q uint64) {
		if len(out) < count && !taken[q] && new(big.Int).SetUint64(q).ProbablyPrime(0) {
			taken[q] = true
			out = append(out, q)
		}
	}
	for up, down := centre+1, centre+1-step; len(out) < count; up, down = up+step, down-step {
		upLeft := !below && up <= hi
		downLeft := down >= lo && down < centre
		if !upLeft && !downLeft {
			return nil, fmt.Errorf("lattice: fewer than %d free primes of %d bits congruent to 1 mod 2^%d", count, bits, logNthRoot)
		}
		if upLeft {
			add(up)
		}
		if downLeft {
			add(down)
		}
	}
	return out, nil
}
