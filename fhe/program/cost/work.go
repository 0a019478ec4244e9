package cost

import "fmt"

// Kind is a kind of work. Work of most kinds is counted in rows of N words and costs time by the word; that of the
// kinds from LoadWeights on is counted in events.
type Kind uint8

// The kinds of work.
const (
	Transform       Kind = iota // number-theoretic transform of a row, forward or inverse
	Convert                     // base conversion: one source row into one target row
	Key                         // digit of up to three times a row of a switching key
	Accumulate                  // product added to 128-bit sums: a digit of four and more times a row of a switching key
	Diagonal                    // the same through an automorphism: a diagonal of LINTRANS times a baby step
	DiagonalFar                 // the same where the sums of all giant steps are more than the first level of cache holds
	Stream                      // row of a key or diagonal that comes from memory, since the job is larger than the caches
	Multiply                    // pass over a row with a modular product for each word
	Pass                        // pass over a row without: add, copy, permute
	Combine                     // LINCOMB: an operand's row times weights of four results
	CombineOne                  // LINCOMB: an operand's row times the weight of one result, where no four are left
	Store                       // row of an output, copied out and checked
	LoadKey                     // row of a switching key, when it is loaded
	LoadPermutation             // permutation of a Galois key, when it is loaded
	LoadConstant                // row of a constant polynomial, when it is loaded
	LoadWeights                 // weight of a LINCOMB, when it is loaded
	Operation                   // an operation's own overhead
	Fork                        // start of parallel work and the wait for its end; none on one thread
	Run                         // overhead of a run
	Load                        // overhead of loading
	kinds
)

var kindNames = [kinds]string{"transform", "convert", "key", "accumulate", "diagonal", "diagonal-far", "stream",
	"multiply", "pass", "combine", "combine-one",
	"store", "load-key", "load-permutation", "load-constant", "load-weights", "operation", "fork", "run", "load"}

// Kinds returns every kind.
func Kinds() []Kind {
	out := make([]Kind, kinds)
	for i := range out {
		out[i] = Kind(i)
	}
	return out
}

// PerWord reports whether time is stated by the word; otherwise it is by the event.
func (k Kind) PerWord() bool { return k < LoadWeights }

func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Work counts work by kind: rows or events that one thread of a team does while the others do the rest. On one thread
// that is all the work; on t threads a part of it that is cut into n pieces counts ⌈n/t⌉/n times.
type Work [kinds]float64

// Add adds w.
func (a *Work) Add(w Work) {
	for k := range a {
		a[k] += w[k]
	}
}
