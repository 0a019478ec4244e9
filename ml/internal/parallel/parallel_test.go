package parallel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestCover: whatever the number of processors, every index is visited once.
func TestCover(t *testing.T) {
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 2, 6, 7, 8, 100} {
			t.Run(fmt.Sprintf("procs=%d/n=%d", procs, n), func(t *testing.T) {
				each, ranges := make([]atomic.Int32, n), make([]atomic.Int32, n)
				var parts atomic.Int32
				Each(n, func(i int) { each[i].Add(1) })
				Ranges(n, func(lo, hi int) {
					parts.Add(1)
					if size := n / min(n, procs); hi-lo != size && hi-lo != size+1 {
						t.Errorf("part [%d, %d)", lo, hi)
					}
					for i := lo; i < hi; i++ {
						ranges[i].Add(1)
					}
				})
				if int(parts.Load()) != min(n, procs) {
					t.Errorf("%d parts", parts.Load())
				}
				for i := range n {
					if each[i].Load() != 1 || ranges[i].Load() != 1 {
						t.Errorf("index %d was visited %d and %d times", i, each[i].Load(), ranges[i].Load())
					}
				}
			})
		}
	}
}

// TestAtOnce: as many calls run at once as there are processors.
func TestAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var wg sync.WaitGroup
	wg.Add(4)
	Each(4, func(int) { wg.Done(); wg.Wait() })
	wg.Add(4)
	Ranges(40, func(int, int) { wg.Done(); wg.Wait() })
}
