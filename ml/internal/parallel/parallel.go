// Package parallel runs loops on all processors, for the packages of ml.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls f for 0 … n-1 from up to GOMAXPROCS goroutines, which take the next one when they are done with one, and
// returns when all are done. On one processor nothing is started.
func Each(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// Ranges calls f for at most GOMAXPROCS parts that cover [0, n), none empty and sizes one apart at most, and returns
// when all are done. Results must not depend on where the parts end. On one processor f is called once, with all.
func Ranges(n int, f func(lo, hi int)) {
	parts := min(n, runtime.GOMAXPROCS(0))
	Each(parts, func(i int) {
		f(n/parts*i+min(i, n%parts), n/parts*(i+1)+min(i+1, n%parts))
	})
}
