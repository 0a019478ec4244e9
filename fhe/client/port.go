package client

import (
	"fmt"
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
	if i := port.Layout.Unplaced(); i >= 0 {
		return fmt.Errorf("client: unusable port: %w: %q: element %d lies in no slot", program.ErrPort, port.Name, i)
	}
	return nil
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
