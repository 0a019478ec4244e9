package program

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/signet-ml/signet/fhe/internal/wire"
)

// Features say what a port makes of the samples of its tensor before they are packed. The tensor is samples of Len numbers,
// one after the other. Feature i of each sample enters as (x - Offset[i])/Scale[i]; without scales it enters as it is. So
// what is encrypted is of size one, whatever the units of a table's columns are. Port.Bound is a bound of what enters, and
// Norm one of a sample as a whole: no value inside the program is then larger than it was compiled for, and no sample
// reaches into another.
//
// The zero value is a tensor without features: its values enter as they are. Only input ports have features.
type Features struct {
	Len           int       // numbers of one sample; divides the tensor's
	Offset, Scale []float64 // Len of each, finite, scales positive; or none
	Norm          float64   // the largest Euclidean norm of what enters of one sample; 0: any
}

// normTolerance is what rounding may add to a sum of squares.
const normTolerance = 1 + 1e-9

// IsZero reports whether values enter as they are, without a bound of their norm.
func (f *Features) IsZero() bool {
	return f.Len == 0 && len(f.Offset) == 0 && len(f.Scale) == 0 && f.Norm == 0
}

func (f *Features) own() Features {
	return Features{f.Len, slices.Clone(f.Offset), slices.Clone(f.Scale), f.Norm}
}

// check validates the features of a tensor of n numbers.
func (f *Features) check(n int) error {
	if f.IsZero() {
		return nil
	}
	switch {
	case f.Len < 1 || n%f.Len != 0:
		return fmt.Errorf("samples of %d numbers do not make up a tensor of %d", f.Len, n)
	case len(f.Offset) != len(f.Scale) || len(f.Scale) != 0 && len(f.Scale) != f.Len:
		return fmt.Errorf("%d offsets and %d scales for %d features", len(f.Offset), len(f.Scale), f.Len)
	case len(f.Scale) == 0 && f.Norm == 0:
		return fmt.Errorf("%d features with neither scales nor a norm", f.Len)
	case !(f.Norm >= 0) || math.IsInf(f.Norm, 0) || f.Norm == 0 && math.Signbit(f.Norm):
		return fmt.Errorf("norm %g is not finite, or negative", f.Norm)
	}
	for i, s := range f.Scale {
		if !(s > 0) || math.IsInf(s, 0) || math.IsInf(1/s, 0) {
			return fmt.Errorf("scale %g of feature %d is not positive and finite", s, i)
		}
		if o := f.Offset[i]; o-o != 0 || o == 0 && math.Signbit(o) {
			return fmt.Errorf("offset %g of feature %d is not finite, or a negative zero", o, i)
		}
	}
	return nil
}

// enter returns what enters of value i of a tensor.
func (f *Features) enter(i int, x float64) float64 {
	if len(f.Scale) == 0 {
		return x
	}
	k := i % f.Len
	return (x - f.Offset[k]) / f.Scale[k]
}

// limits returns the smallest and the largest value i that is taken, when what enters has a bound.
func (f *Features) limits(i int, bound float64) (lo, hi float64) {
	if len(f.Scale) == 0 {
		return -bound, bound
	}
	k := i % f.Len
	return f.Offset[k] - bound*f.Scale[k], f.Offset[k] + bound*f.Scale[k]
}

// dump writes a line about features, if there are any.
func (f *Features) dump(w io.Writer) {
	if f.Len == 0 {
		return
	}
	fmt.Fprintf(w, "  samples of %d features", f.Len)
	if len(f.Scale) > 0 {
		fmt.Fprintf(w, ", offsets %.6g … %.6g, scales %.4g … %.4g", slices.Min(f.Offset), slices.Max(f.Offset), slices.Min(f.Scale), slices.Max(f.Scale))
	}
	if f.Norm > 0 {
		fmt.Fprintf(w, ", norm ≤ %.4g", f.Norm)
	}
	fmt.Fprintln(w)
}

func (f *Features) encode(w *wire.Writer) {
	w.Uvarint(uint64(f.Len))
	if f.Len == 0 {
		return
	}
	scaled := uint8(0)
	if len(f.Scale) > 0 {
		scaled = 1
	}
	w.U8(scaled)
	for i, s := range f.Scale {
		w.U64(math.Float64bits(f.Offset[i]))
		w.U64(math.Float64bits(s))
	}
	w.U64(math.Float64bits(f.Norm))
}

func decodeFeatures(r *wire.Reader) (f Features) {
	if f.Len = r.Len(maxElements, "features"); f.Len == 0 {
		return f
	}
	switch r.U8() {
	case 0:
	case 1:
		for i := 0; i < f.Len && r.Err() == nil; i++ {
			f.Offset = append(f.Offset, math.Float64frombits(r.U64()))
			f.Scale = append(f.Scale, math.Float64frombits(r.U64()))
		}
	default:
		r.Fail("features that are neither scaled nor not")
	}
	f.Norm = math.Float64frombits(r.U64())
	return f
}
