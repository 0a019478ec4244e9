package cost

import (
	"math"
	"testing"
)

// TestFitFindsRates: exact samples give the rates that they were made with.
func TestFitFindsRates(t *testing.T) {
	want := map[Kind]float64{Transform: 8, Key: 0.5, Pass: 0.25, Operation: 200}
	const logN = 12
	var samples []Sample
	for i := range 12 {
		var s Sample
		j := 0
		for _, k := range Kinds() {
			if ns, ok := want[k]; ok {
				s.Work[k] = float64((i*(j+3)+5*j)%7 + 1)
				words := 1.0
				if k.PerWord() {
					words = 1 << logN
				}
				s.Nanos += s.Work[k] * words * ns
				j++
			}
		}
		samples = append(samples, s)
	}
	samples = append(samples, Sample{}) // a failed measurement says nothing
	got := Fit(samples, logN, nil)
	if len(got) != len(want) {
		t.Errorf("rates of %d kinds, want %d: %v", len(got), len(want), got)
	}
	for k, w := range want {
		if math.Abs(got[k]/w-1) > 0.02 {
			t.Errorf("%v: %v ns, want %v", k, got[k], w)
		}
	}
}

// TestFitIsNeverNegative: a kind that only contradicts others costs nothing.
func TestFitIsNeverNegative(t *testing.T) {
	a, b := Sample{Nanos: 100}, Sample{Nanos: 50}
	a.Work[Run] = 1
	b.Work[Run], b.Work[Operation] = 1, 1
	for k, ns := range Fit([]Sample{a, a, a, b}, 1, nil) {
		if !(ns >= 0) {
			t.Errorf("%v: %v ns", k, ns)
		}
	}
}

// TestFitPrior: kinds that always occur together share their time as the prior says.
func TestFitPrior(t *testing.T) {
	s := Sample{Nanos: 400}
	s.Work[Run], s.Work[Operation] = 1, 1
	got := Fit([]Sample{s, s}, 1, map[Kind]float64{Run: 300, Operation: 100, Key: 5})
	if math.Abs(got[Run]-300) > 3 || math.Abs(got[Operation]-100) > 3 {
		t.Errorf("%v", got)
	}
	if _, ok := got[Key]; ok {
		t.Error("a rate for a kind that no sample has")
	}
}
