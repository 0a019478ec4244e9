package program

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
)

// ValueError says which value cannot enter at a port. It does not hold the value, which is the owner's secret.
type ValueError struct {
	Port   string
	Index  int // in the flat, row-major tensor
	Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("program: port %q: value %d is %s", e.Port, e.Index, e.Reason)
}

// CheckValues checks that x is a tensor that may enter at the port: a *fhe.MismatchError if the number of values is
// another, a *ValueError for the first value that is NaN, infinite or above Bound in magnitude. No error holds a value.
func (p *Port) CheckValues(x []float64) error {
	if n := p.Layout.Len(); len(x) != n {
		return &fhe.MismatchError{What: fmt.Sprintf("number of values for port %q", p.Name), Want: fmt.Sprint(n), Have: fmt.Sprint(len(x))}
	}
	for i, v := range x {
		reason := ""
		switch {
		case math.IsNaN(v):
			reason = "not a number"
		case math.IsInf(v, 0):
			reason = "infinite"
		case math.Abs(v) > p.Bound:
			reason = fmt.Sprintf("larger in magnitude than the port's bound %g", p.Bound)
		default:
			continue
		}
		return &ValueError{Port: p.Name, Index: i, Reason: reason}
	}
	return nil
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

// Pack returns the slots of one ciphertext that holds its part of the flat row-major tensor x. Slots in no run hold
// zero. It fails if two elements share a slot, and with a *fhe.MismatchError on a tensor of another size.
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
			flat[s], owner[s] = x[e], int32(e+1)
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
