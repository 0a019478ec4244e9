package zk

import (
	"fmt"
	"math"
	"slices"

	"github.com/signet-ml/signet/zk/commit"
)

// An Encoding says which real numbers the integers of an input stand for, feature by feature: integer q of feature i is
// Offsets[i] + q·Units[i]. It is part of what is proved where a statement has one. It tells the size of each feature in the
// calibration set, to a power of two, and where its centre lies, to an eighth of that or finer.
type Encoding struct {
	Offsets []float64 `json:"offsets"` // of the features of one sample: finite, and 0 rather than -0
	Units   []float64 `json:"units"`   // as many: finite and at least 2^-1022
}

// check returns an error unless e is for so many features.
func (e *Encoding) check(features int) error {
	if len(e.Offsets) != features || len(e.Units) != features {
		return fmt.Errorf("%d offsets and %d units for %d features", len(e.Offsets), len(e.Units), features)
	}
	for i, u := range e.Units {
		if o := e.Offsets[i]; o-o != 0 || o == 0 && math.Signbit(o) {
			return fmt.Errorf("offset %v of feature %d: want a finite number, not -0", o, i)
		}
		if !(u >= 0x1p-1022) || math.IsInf(u, 0) {
			return fmt.Errorf("unit %v of feature %d: want a finite number of at least 2^-1022", u, i)
		}
	}
	return nil
}

// digest returns the word that stands for e in a subject.
func (e *Encoding) digest() Word {
	t := commit.NewTranscript("signet/zk/encoding/v1").Uint(uint64(len(e.Units)))
	for i, u := range e.Units {
		t.Uint(math.Float64bits(e.Offsets[i])).Uint(math.Float64bits(u))
	}
	return t.Sum()
}

// Real returns the real numbers of integers, sample by sample, as those of a public claim. It returns nil unless e has as
// many offsets as units, and values are whole samples.
func (e *Encoding) Real(values []int64) []float64 {
	n := len(e.Units)
	if n == 0 || len(e.Offsets) != n || len(values)%n != 0 {
		return nil
	}
	x := make([]float64, len(values))
	for i, q := range values {
		x[i] = e.Offsets[i%n] + float64(float64(q)*e.Units[i%n]) // rounded twice on every machine
	}
	return x
}

func (e *Encoding) clone() *Encoding {
	if e == nil {
		return nil
	}
	return &Encoding{slices.Clone(e.Offsets), slices.Clone(e.Units)}
}
