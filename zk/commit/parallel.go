package commit

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f(0) … f(n-1) on all processors and waits for them. It looks at ctx before every call and returns its
// error if it stopped early.
func parallel(ctx context.Context, n int, f func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// all is parallel without a way to stop.
func all(n int, f func(i int)) {
	_ = parallel(context.Background(), n, f) // only ctx can fail
}
