package program

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
)

// ValueError says which value cannot enter at a port. It does not hold the value, which is the owner's secret.
type ValueError struct {
	Port            string
	Index           int // in the flat, row-major tensor
	Sample, Feature int // the same, of a port with features
	Reason          string
	// Lo and Hi are the limits of the feature, in the units of the tensor, where Reason is that the value lies outside.
	Lo, Hi float64

	features bool
}

func (e *ValueError) Error() string {
	what := fmt.Sprintf("value %d", e.Index)
	if e.features {
		what = fmt.Sprintf("feature %d of sample %d", e.Feature, e.Sample)
	}
	return fmt.Sprintf("program: port %q: %s is %s", e.Port, what, e.Reason)
}

// CheckValues checks that x is a tensor that may enter at the port: a *fhe.MismatchError if the number of values is
// another, a *ValueError for the first value that is NaN, infinite or above Bound in magnitude as it enters, or, where the
// port bounds the norm of samples, for the value that contributes most to the first sample above it; ErrPort if features do
// not fit the tensor. No error holds a value.
func (p *Port) CheckValues(x []float64) error {
	if n := p.Layout.Len(); len(x) != n {
		return &fhe.MismatchError{What: fmt.Sprintf("number of values for port %q", p.Name), Want: fmt.Sprint(n), Have: fmt.Sprint(len(x))}
	}
	f := &p.Features
	if err := f.check(len(x)); err != nil {
		return fmt.Errorf("%w: %q: %w", ErrPort, p.Name, err)
	}
	refuse := func(i int, reason string) *ValueError {
		e := &ValueError{Port: p.Name, Index: i, Reason: reason}
		if f.Len > 0 {
			e.Sample, e.Feature, e.features = i/f.Len, i%f.Len, true
		}
		return e
	}
	for i, v := range x {
		switch {
		case math.IsNaN(v):
			return refuse(i, "not a number")
		case math.IsInf(v, 0):
			return refuse(i, "infinite")
		}
		if math.Abs(f.enter(i, v)) <= p.Bound {
			continue
		}
		e := refuse(i, fmt.Sprintf("larger in magnitude than the port's bound %g", p.Bound))
		if e.Lo, e.Hi = f.limits(i, p.Bound); len(f.Scale) > 0 {
			e.Reason = fmt.Sprintf("outside [%.6g, %.6g], which the model was compiled for", e.Lo, e.Hi)
		}
		return e
	}
	if f.Norm == 0 {
		return nil
	}
	for s := 0; s < len(x); s += f.Len {
		sum, largest, at := 0.0, 0.0, s
		for i := s; i < s+f.Len; i++ {
			z := math.Abs(f.enter(i, x[i]))
			sum += z * z
			if z > largest {
				largest, at = z, i
			}
		}
		if math.Sqrt(sum) > f.Norm*normTolerance {
			return refuse(at, fmt.Sprintf("the largest of a sample whose norm is above the port's, %g: as a whole it lies too far from what the model was compiled for", f.Norm))
		}
	}
	return nil
}

// Fill returns the port's whole tensor from fewer samples, flat and one after the other: they are repeated until it is full.
// A sample is Features.Len numbers, or one row of the tensor. Zeros in their place would be samples too, of a kind that
// the program was not made for. It fails with a *fhe.MismatchError unless x holds between one sample and all of them.
func (p *Port) Fill(x []float64) ([]float64, error) {
	n, all := p.Features.Len, p.Layout.Len()
	if n == 0 && len(p.Layout.Shape) > 0 && p.Layout.Shape[0] > 0 {
		n = all / p.Layout.Shape[0]
	}
	if n <= 0 || len(x) == 0 || len(x)%n != 0 || len(x) > all {
		return nil, &fhe.MismatchError{What: fmt.Sprintf("number of values for port %q", p.Name), Want: fmt.Sprintf("a multiple of %d up to %d", n, all), Have: fmt.Sprint(len(x))}
	}
	out := make([]float64, all)
	for at := 0; at < all; {
		at += copy(out[at:], x)
	}
	return out, nil
}

// Packer lays tensors out in the slots of one port's ciphertexts. It is safe for concurrent use.
type Packer struct {
	port Port
	runs [][]Run // by ciphertext
}

// NewPacker returns the packer of a port under p. An error wraps ErrPort.
func NewPacker(p fhe.Parameters, port Port) (*Packer, error) {
	if err := port.check(p, true); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrPort, port.Name, err)
	}
	k := &Packer{port, make([][]Run, port.Count)}
	for _, r := range port.Layout.Runs {
		k.runs[r.Ciphertext] = append(k.runs[r.Ciphertext], r)
	}
	return k, nil
}

// Pack returns the slots of one ciphertext that holds its part of the flat row-major tensor x, as it enters by the port's
// Features. Slots in no run hold zero. It fails if two elements share a slot, and with a *fhe.MismatchError on a tensor of another size.
func (k *Packer) Pack(ciphertext int, x []float64) ([]complex128, error) {
	if n := k.port.Layout.Len(); len(x) != n {
		return nil, &fhe.MismatchError{What: fmt.Sprintf("number of values for port %q", k.port.Name), Want: fmt.Sprint(n), Have: fmt.Sprint(len(x))}
	}
	if ciphertext < 0 || ciphertext >= k.port.Count {
		return nil, fmt.Errorf("program: port %q has %d ciphertexts, none of number %d", k.port.Name, k.port.Count, ciphertext)
	}
	slots := 1 << k.port.LogSlots
	flat := make([]float64, 2*slots) // real parts, then imaginary parts
	owner := make([]int32, 2*slots)  // element + 1
	for _, r := range k.runs[ciphertext] {
		for i := range r.Length {
			s, e := r.Slot+i*r.SlotStep, r.Index+i*r.IndexStep
			if o := owner[s]; o != 0 && o != int32(e+1) {
				return nil, fmt.Errorf("elements %d and %d share slot %d of ciphertext %d", o-1, e, s, ciphertext)
			}
			flat[s], owner[s] = k.port.Features.enter(e, x[e]), int32(e+1)
		}
	}
	out := make([]complex128, slots)
	for s := range out {
		out[s] = complex(flat[s], flat[slots+s])
	}
	return out, nil
}

// Unpack returns the flat row-major tensor that the slots of a port's ciphertexts hold, all of the same number of slots.
// An element in several runs is taken from the first of them, slots in no run are ignored. It fails on slots that are
// not the port's.
func (k *Packer) Unpack(slots [][]complex128) ([]float64, error) {
	if len(slots) != k.port.Count {
		return nil, fmt.Errorf("program: port %q: the slots of %d ciphertexts, want %d", k.port.Name, len(slots), k.port.Count)
	}
	for i, z := range slots {
		if len(z) != 1<<k.port.LogSlots {
			return nil, fmt.Errorf("program: port %q: ciphertext %d has %d slots, want %d", k.port.Name, i, len(z), 1<<k.port.LogSlots)
		}
	}
	l := k.port.Layout
	out, done := make([]float64, l.Len()), make([]bool, l.Len())
	for _, r := range l.Runs {
		z := slots[r.Ciphertext]
		for i := range r.Length {
			s, e := r.Slot+i*r.SlotStep, r.Index+i*r.IndexStep
			if done[e] {
				continue
			}
			done[e] = true
			if s < len(z) {
				out[e] = real(z[s])
			} else {
				out[e] = imag(z[s-len(z)])
			}
		}
	}
	return out, nil
}

// Unplaced returns the first element of the tensor that lies in no slot, or -1. Such a tensor cannot be unpacked whole.
func (l Layout) Unplaced() int {
	seen := make([]bool, l.Len())
	for _, r := range l.Runs {
		for i := range r.Length {
			seen[r.Index+i*r.IndexStep] = true
		}
	}
	for i, ok := range seen {
		if !ok {
			return i
		}
	}
	return -1
}
