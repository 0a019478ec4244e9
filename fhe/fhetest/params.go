package fhetest

import (
	"fmt"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/internal/insecure"
)

// Toy is the shape of a toy parameter set: sizes of primes in bits. What it lacks is security.
type Toy struct {
	Name       string
	LogN       int
	LogQ, LogP []int
	LogScale   int
}

// Toys are the shapes that the conformance suite runs on. Their digits are of one prime, of two, and of three with a
// last digit of one or two; their primes from 28 bits to just above 2^61, which Lattigo's own parameters contain.
var Toys = []Toy{
	{"digits of one", 9, []int{55, 45, 39, 45, 40}, []int{60}, 40},
	{"digits of two", 10, []int{60, 50, 40, 45, 39}, []int{61, 60}, 40},
	{"digits of three", 8, []int{55, 45, 45, 49, 45, 45, 45, 45}, []int{61, 61, 60}, 45},
	{"small primes", 8, []int{33, 30, 28, 31, 29}, []int{33, 32}, 28},
	{"wide primes", 8, []int{61, 61, 60, 61}, []int{61}, 60},
	{"more P than Q", 8, []int{50, 40}, []int{55, 55, 55}, 40},
	{"no P", 8, []int{50, 40, 45}, nil, 40},
	{"large ring", 12, []int{50, 45, 49}, []int{55}, 45},
}

// InsecureToyParams returns the parameters of a toy, which anyone can break. It fails the test on an error.
func InsecureToyParams(tb testing.TB, toy Toy) fhe.Parameters {
	tb.Helper()
	p, err := insecureToy(toy)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// InsecureToyParamsNamed returns the toy of Toys with the stated name.
func InsecureToyParamsNamed(tb testing.TB, name string) fhe.Parameters {
	tb.Helper()
	for _, toy := range Toys {
		if toy.Name == name {
			return InsecureToyParams(tb, toy)
		}
	}
	tb.Fatalf("fhetest: no toy %q", name)
	return fhe.Parameters{}
}

func insecureToy(toy Toy) (fhe.Parameters, error) {
	p, err := insecure.Parameters(fhe.ParametersLiteral{
		LogN: toy.LogN, LogQ: toy.LogQ, LogP: toy.LogP, LogDefaultScale: toy.LogScale})
	if err != nil {
		return p, fmt.Errorf("fhetest: toy %q: %w", toy.Name, err)
	}
	return p, nil
}
