package notebook_test

// %% [markdown]
// # How many primes?
//
// They thin out, slowly.

// %%
import (
	_ "embed"
	"fmt"
	"math/big"
	"os"

	"github.com/signet-ml/signet/examples/internal/notebook"
)

//go:embed example_test.go
var primesText string

// %%

// primes is the notebook.
func primes(r *notebook.Recorder) {
	// %%
	count := func(limit int64) (n int) {
		for i := range limit {
			if big.NewInt(i).ProbablyPrime(0) {
				n++
			}
		}
		return n
	}
	r.Println("counting")

	// %% [markdown]
	// Of the numbers below a limit, so many are prime:

	// %%
	var rows [][]string
	for _, limit := range []int64{10, 100, 1000} {
		rows = append(rows, []string{fmt.Sprint(limit), fmt.Sprint(count(limit))})
	}
	r.Table([]string{"below", "primes"}, rows...)
}

func Example() {
	nb, err := notebook.New("primes", notebook.Source{Text: primesText, Func: primes})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := nb.Record(os.Stdout, os.TempDir())
	primes(r)
	fmt.Println(nb.Files(), len(nb.Cells), "cells")
	// Output:
	// counting
	//
	//   below  primes
	//      10       4
	//     100      25
	//    1000     168
	//
	// [example_test.go] 5 cells
}
