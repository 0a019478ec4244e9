package program_test

import (
	"math"
	"testing"

	"github.com/signet-ml/signet/fhe/program"
)

func TestDomain(t *testing.T) {
	d := program.Domain{Value: 3, Lo: -2, Hi: 1, Name: "tanh"}
	for x, want := range map[float64]float64{-2: 0, 0: 0, 1: 0, -3: 1, 1.5: 0.5, math.Inf(1): math.Inf(1), math.Inf(-1): math.Inf(1)} {
		if got := d.Excess(x); got != want {
			t.Errorf("excess of %g is %g, want %g", x, got, want)
		}
	}
	if got := d.Excess(math.NaN()); !math.IsInf(got, 1) {
		t.Errorf("excess of NaN is %g", got)
	}
}
