package commit

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/frontend"
	circuit "github.com/consensys/gnark/std/permutation/poseidon2"
)

// The two Poseidon2 instances, of width 8 and 16, and their rounds: [GKS23] table 1 for 128 bits and x^5.
const (
	narrow, wide              = 8, 16
	fullRounds, partialRounds = 8, 57
)

var permutations = sync.OnceValue(func() map[int]*poseidon2.Permutation {
	return map[int]*poseidon2.Permutation{
		narrow: poseidon2.NewPermutation(narrow, fullRounds, partialRounds),
		wide:   poseidon2.NewPermutation(wide, fullRounds, partialRounds),
	}
})

// width returns the state's width for n elements: a statement fits one narrow block, long inputs take wide ones.
func width(n int) int {
	if n < narrow {
		return narrow
	}
	return wide
}

// iv returns the last element of the first state. It holds tag, length and width, so the digests of lists of different
// lengths have nothing in common and zero padding is safe.
func iv(tag Tag, n, t int) fr.Element {
	return NewTranscript("signet/zk/poseidon2/v1").Text(string(tag)).Uint(uint64(n)).Uint(uint64(t)).Challenge()
}

// Hash returns the Poseidon2 digest of elems under tag: a sponge of width 8 for up to 7 elements and 16 beyond, whose
// one element of capacity starts as a digest of tag, length and width. An empty list has a digest too. It is safe for
// concurrent use. See [GKS23].
func Hash(tag Tag, elems ...fr.Element) fr.Element {
	t := width(len(elems))
	var state [wide]fr.Element
	state[t-1] = iv(tag, len(elems), t)
	for {
		n := min(t-1, len(elems))
		for i := range n {
			state[i].Add(&state[i], &elems[i])
		}
		if err := permutations()[t].Permutation(state[:t]); err != nil {
			panic("commit: Poseidon2 refuses a state of its own width: " + err.Error())
		}
		if elems = elems[n:]; len(elems) == 0 {
			return state[0]
		}
	}
}

// HashVar returns the digest that Hash computes, in a circuit over the scalar field of BN254. It costs 363 constraints
// for up to 7 elements and 555 for each 15 beyond. It fails for other fields.
func HashVar(api frontend.API, tag Tag, elems ...frontend.Variable) (frontend.Variable, error) {
	t := width(len(elems))
	permutation, err := circuit.NewPoseidon2FromParameters(api, t, fullRounds, partialRounds)
	if err != nil {
		return nil, err
	}
	state := make([]frontend.Variable, t)
	for i := range state {
		state[i] = 0
	}
	state[t-1] = iv(tag, len(elems), t)
	for {
		n := min(t-1, len(elems))
		for i := range n {
			state[i] = api.Add(state[i], elems[i])
		}
		if err := permutation.Permutation(state); err != nil {
			return nil, err
		}
		if elems = elems[n:]; len(elems) == 0 {
			return state[0], nil
		}
	}
}
