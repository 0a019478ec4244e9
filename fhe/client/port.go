package client

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// checkInput applies the rules of input ports, which live in program.Builder.
func checkInput(p fhe.Parameters, port program.Port) error {
	b := program.NewBuilder(p)
	b.Input(port)
	if err := b.Err(); err != nil {
		return fmt.Errorf("client: unusable port: %w", err)
	}
	return nil
}

// checkOutput applies the rules of output ports, which allow another degree and are else those of inputs, and requires
// that every element of the tensor lies in a slot.
func checkOutput(p fhe.Parameters, port program.Port) error {
	in := port
	if in.Degree == fhe.MaxDegree {
		in.Degree = 1
	}
	if err := checkInput(p, in); err != nil {
		return err
	}
	seen := make([]bool, port.Layout.Len())
	for _, r := range port.Layout.Runs {
		for i := range r.Length {
			seen[r.Index+i*r.IndexStep] = true
		}
	}
	for i, ok := range seen {
		if !ok {
			return fmt.Errorf("client: unusable port: %w: %q: element %d lies in no slot", program.ErrPort, port.Name, i)
		}
	}
	return nil
}

// checkValues refuses what the port does not allow.
func checkValues(port program.Port, x []float64) error {
	if n := port.Layout.Len(); len(x) != n {
		return &fhe.MismatchError{What: fmt.Sprintf("number of values for port %q", port.Name), Want: fmt.Sprint(n), Have: fmt.Sprint(len(x))}
	}
	for i, v := range x {
		reason := ""
		switch {
		case math.IsNaN(v):
			reason = "not a number"
		case math.IsInf(v, 0):
			reason = "infinite"
		case math.Abs(v) > port.Bound:
			reason = fmt.Sprintf("larger in magnitude than the port's bound %g", port.Bound)
		default:
			continue
		}
		return &ValueError{Port: port.Name, Index: i, Reason: reason}
	}
	return nil
}

// packer lays out tensors for one port.
type packer struct {
	slots int
	runs  [][]program.Run // by ciphertext
}

func newPacker(port program.Port) *packer {
	k := &packer{1 << port.LogSlots, make([][]program.Run, port.Count)}
	for _, r := range port.Layout.Runs {
		k.runs[r.Ciphertext] = append(k.runs[r.Ciphertext], r)
	}
	return k
}

// pack returns the slots of one ciphertext. It fails if two elements share a slot.
func (k *packer) pack(ciphertext int, x []float64) ([]complex128, error) {
	flat := make([]float64, 2*k.slots) // real parts, then imaginary parts
	owner := make([]int32, 2*k.slots)  // element + 1
	for _, r := range k.runs[ciphertext] {
		for i := range r.Length {
			s, e := r.Slot+i*r.SlotStep, r.Index+i*r.IndexStep
			if o := owner[s]; o != 0 && o != int32(e+1) {
				return nil, fmt.Errorf("elements %d and %d share slot %d of ciphertext %d", o-1, e, s, ciphertext)
			}
			flat[s], owner[s] = x[e], int32(e+1)
		}
	}
	out := make([]complex128, k.slots)
	for s := range out {
		out[s] = complex(flat[s], flat[k.slots+s])
	}
	return out, nil
}

// unpack returns the tensor. An element in several runs is taken from the first of them.
func unpack(l program.Layout, slots [][]complex128) []float64 {
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
	return out
}

// parallel calls f with 0 … n-1 from up to GOMAXPROCS goroutines and returns the error of the smallest index. After an
// error it starts no more calls.
func parallel(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	var failed atomic.Bool
	errs := make([]error, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[i] = f(i); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
