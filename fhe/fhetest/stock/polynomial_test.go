package stock_test

import (
	"errors"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
)

// TestPolynomial: the program of a polynomial, on the stock evaluators, has the bits of Lattigo's polynomial evaluator.
func TestPolynomial(t *testing.T) {
	params, err := fhetest.InsecureParams(fhe.ParametersLiteral{LogN: 10, LogQ: []int{55, 45, 45, 45, 45, 45}, LogP: []int{60, 60}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	delta := params.DefaultScale()
	poly, err := polyeval.At(polyeval.Tanh, -4, 4, 15)
	if err != nil {
		t.Fatal(err)
	}
	n := 1 << 6
	layout := program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}
	b := program.NewBuilder(params)
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 5, Degree: 1, LogSlots: 6, Scale: delta, Bound: 1, Layout: layout})[0]
	y, err := polyeval.Evaluate(b, x, poly, delta)
	if err != nil {
		t.Fatal(err)
	}
	b.Output(b.OutputPort("y", y, 1, layout), y)
	prog, consts, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	keys := fhetest.InsecureToyKeys(t, params, prog.Keys())
	ct := keys.Encrypt(t, slots(fhetest.NewRand(1), n), 5, 6, delta)
	in := fhe.NewBundle(params, keys.Key(), prog.Digest())
	if err := in.Add("x", ct); err != nil {
		t.Fatal(err)
	}
	ev, err := stock.New(prog, consts, keys.EvaluationKeys)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ev.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := stock.NewPolynomial(params, keys.EvaluationKeys, poly.Coefficients(), delta)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := direct.Evaluate(ct)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != want.Get("y")[0].Digest() {
			t.Error("the program has other bits than Lattigo's polynomial evaluator")
		}
	}
	var missing *fhe.MissingKeyError
	for _, none := range []*fhe.EvaluationKeys{nil, fhe.NewEvaluationKeys(params, keys.Key())} {
		if _, err := stock.NewPolynomial(params, none, poly.Coefficients(), delta); !errors.As(err, &missing) || !missing.Relinearization {
			t.Errorf("without a key: %v", err)
		}
	}
	if _, err := stock.NewPolynomial(params, keys.EvaluationKeys, []float64{1}, delta); err == nil {
		t.Error("a constant was taken")
	}
	if _, err := stock.NewPolynomial(params, keys.EvaluationKeys, poly.Coefficients(), fhe.Scale{}); err == nil {
		t.Error("no scale was taken")
	}
	low := keys.Encrypt(t, slots(fhetest.NewRand(1), n), 2, 6, delta)
	if _, err := direct.Evaluate(low); err == nil {
		t.Error("a value of two levels was taken")
	}
	other, err := fhetest.InsecureParams(fhe.ParametersLiteral{LogN: 9, LogQ: []int{55, 45}, LogP: []int{60}, LogDefaultScale: 45})
	if err != nil {
		t.Fatal(err)
	}
	foreign := fhetest.InsecureToyKeys(t, other, nil).Encrypt(t, slots(fhetest.NewRand(1), n), 1, 6, delta)
	if _, err := direct.Evaluate(foreign); err == nil {
		t.Error("a ciphertext of other parameters was taken")
	}
}
