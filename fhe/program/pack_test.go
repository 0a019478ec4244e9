package program

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/signet-ml/signet/fhe"
)

// TestPacker lays a tensor out in two ciphertexts, with a replica and imaginary parts, and reads it back.
func TestPacker(t *testing.T) {
	params := testParams()
	port := Port{Name: "x", Count: 2, Degree: 1, LogSlots: 2, Scale: fhe.PowerOfTwo(20), Bound: 10, Layout: Layout{Shape: []int{2, 3}, Runs: []Run{
		{Slot: 1, SlotStep: 2, IndexStep: 1, Length: 3}, // slots 1, 3, and 1 of the imaginary parts
		{Ciphertext: 1, Slot: 3, SlotStep: -1, Index: 3, IndexStep: 1, Length: 3},
		{Ciphertext: 1, Slot: 4, Index: 0, Length: 1},
	}}}
	k, err := NewPacker(params, port)
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, 2, 3, 4, 5, 6}
	var slots [][]complex128
	for i, want := range [][]complex128{{0, 1 + 3i, 0, 2}, {1i, 6, 5, 4}} {
		z, err := k.Pack(i, x)
		if err != nil || !slices.Equal(z, want) {
			t.Errorf("ciphertext %d: %v, %v, want %v", i, z, err, want)
		}
		slots = append(slots, z)
	}
	slots[1][0] = 99i // a replica is ignored
	if got, err := k.Unpack(slots); err != nil || !slices.Equal(got, x) {
		t.Errorf("%v, %v", got, err)
	}
	if i := port.Layout.Unplaced(); i != -1 {
		t.Errorf("element %d lies in no slot", i)
	}
	hole := Layout{Shape: []int{3}, Runs: []Run{{Length: 1}, {Slot: 1, Index: 2, Length: 1}}}
	if i := hole.Unplaced(); i != 1 {
		t.Errorf("element %d lies in no slot, want 1", i)
	}

	var mismatch *fhe.MismatchError
	for name, f := range map[string]func() error{
		"too few values":       func() error { _, err := k.Pack(0, x[:5]); return err },
		"no such ciphertext":   func() error { _, err := k.Pack(2, x); return err },
		"ciphertext -1":        func() error { _, err := k.Pack(-1, x); return err },
		"slots of one":         func() error { _, err := k.Unpack(slots[:1]); return err },
		"slots of another":     func() error { _, err := k.Unpack([][]complex128{slots[0], slots[1][:2]}); return err },
		"values of other size": func() error { return port.CheckValues(x[:5]) },
		"shared slot": func() error {
			p := port
			p.Layout.Runs = append(slices.Clone(p.Layout.Runs), Run{Slot: 3, Index: 5, Length: 1})
			k, err := NewPacker(params, p)
			if err != nil {
				return nil
			}
			_, err = k.Pack(0, x)
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		} else if name == "too few values" && !errors.As(err, &mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := port
	bad.Layout.Runs = []Run{{Length: 1}, {Ciphertext: 5, Length: 1}}
	if _, err := NewPacker(params, bad); !errors.Is(err, ErrPort) {
		t.Errorf("%v", err)
	}
	var value *ValueError
	for _, v := range []float64{math.NaN(), math.Inf(1), 10.5, -11} {
		y := slices.Clone(x)
		y[4] = v
		if err := port.CheckValues(y); !errors.As(err, &value) || value.Index != 4 || value.Port != "x" {
			t.Errorf("%v: %v", v, err)
		}
	}
	if err := port.CheckValues(x); err != nil {
		t.Error(err)
	}
}

// TestNoiseInCommon: what values have in common adds up or cancels, in whatever way they came to have it.
func TestNoiseInCommon(t *testing.T) {
	params := testParams()
	b := NewBuilder(params)
	layout := Layout{Shape: []int{1}, Runs: []Run{{Length: 1}}}
	x := b.Input(Port{Name: "x", Count: 2, Level: params.MaxLevel(), Degree: 1, LogSlots: 2, Scale: params.DefaultScale(), Bound: 1,
		Layout: Layout{Shape: []int{2}, Runs: []Run{{Length: 1}, {Ciphertext: 1, Index: 1, Length: 1}}}})
	wide := b.Input(Port{Name: "wide", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: 3, Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	sum := b.Add(x[0], x[1])
	back := b.Sub(sum, x[1])             // x0
	zero := b.Sub(back, x[0])            // 0
	double := b.Add(back, x[0])          // 2·x0
	negative := b.Sub(b.Neg(x[0]), back) // -2·x0
	widened := b.Add(x[0], wide)
	y := zero
	for _, v := range []Value{double, negative, widened} {
		y = b.Add(y, v)
	}
	b.Output(b.OutputPort("y", y, 1, layout), y)
	p, c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noise, err := p.Noise(c, NoiseHints{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	e := noise[x[0]].Error
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12*e {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	near("sum", noise[sum].Error, e*math.Sqrt2)
	near("back", noise[back].Error, e)
	near("zero", noise[zero].Error, 0)
	near("double", noise[double].Error, 2*e)
	near("negative", noise[negative].Error, 2*e)
	// In twice the slots an error of every coefficient is √2 times as large, also of a value that had fewer.
	near("wide", noise[wide].Error, e*math.Sqrt2)
	near("widened", noise[widened].Error, 2*e)
	near("added", noise[x[0]].Added, e)
	near("nothing added", noise[sum].Added, 0)

	given, err := p.Noise(c, NoiseHints{Exact: true, Error: map[Value]float64{x[0]: 0, x[1]: 3}})
	if err != nil {
		t.Fatal(err)
	}
	near("given", given[x[0]].Error, 0)
	near("sum of given", given[sum].Error, 3)
	near("difference of given", given[back].Error, 0)
	rounded, err := p.Noise(c, NoiseHints{})
	if err != nil {
		t.Fatal(err)
	}
	if !(rounded[x[0]].Error > e) {
		t.Error("rounding is no error")
	}
}

// TestNoiseMeans: near 1, x·x and 2·x have the same error, if the model is told that x is near 1.
func TestNoiseMeans(t *testing.T) {
	params := testParams()
	b := NewBuilder(params)
	scale := params.DefaultScale()
	x := b.Input(Port{Name: "x", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: 3, Scale: scale, Bound: 1, Layout: vector(8)})[0]
	double, _ := scale.Mul(fhe.PowerOfTwo(1)).Big().Int(nil)
	y := b.Sub(b.Mul(x, x), b.MulConst(x, double, new(big.Int), scale))
	ones := make([]int64, 16)
	ones[0] = 1 << 10
	c, err := NewPolynomials([][]int64{ones}, 3, fhe.PowerOfTwo(10))
	if err != nil {
		t.Fatal(err)
	}
	z := b.Sub(b.MulPt(x, c, 0), b.MulConst(x, big.NewInt(1<<10), new(big.Int), fhe.PowerOfTwo(10)))
	b.Output(b.OutputPort("y", y, 1, vector(8)), y)
	b.Output(b.OutputPort("z", z, 1, vector(8)), z)
	p, consts, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noise := func(mean float64) []Noise {
		n, err := p.Noise(consts, NoiseHints{Exact: true, Magnitude: map[Value]float64{x: 1}, Mean: map[Value]complex128{x: complex(mean, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	e := noise(0)[x].Error
	if got := noise(0)[y].Error; math.Abs(got/e-math.Sqrt(8)) > 0.01 {
		t.Errorf("independent: %g of %g", got, e)
	}
	if got := noise(1)[y].Error; got > 3*e*e {
		t.Errorf("in common: %g, want about %g", got, 2*e*e)
	}
	// What a constant polynomial does in all slots alike, a number does too.
	if got := noise(0)[z].Error; got > 1e-9*e {
		t.Errorf("times a constant: %g of %g", got, e)
	}
}
