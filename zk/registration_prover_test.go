//go:build prover_checks

package zk_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/nn"
)

// TestRegisterMLP registers a network of 101,770 weights and biases, shows a weight out of range to be refused, and
// logs what each step takes.
//
// Soundness: P9.
func TestRegisterMLP(t *testing.T) {
	clock := time.Now()
	lap := func(what string) {
		t.Logf("%-28s %v", what, time.Since(clock).Round(100*time.Microsecond))
		clock = time.Now()
	}
	w, bias := nn.Interval{Lo: -127, Hi: 127}, nn.Interval{Lo: -1 << 20, Hi: 1 << 20}
	c, err := nn.New(nn.Graph{Batch: 1, InputLen: 784, Input: nn.Interval{Lo: 0, Hi: 127}, Blinds: 9, Ops: []nn.Op{
		nn.Dense{In: 784, Out: 128, WeightRange: w, BiasRange: bias},
		nn.Rescale{Multiplier: 1, Shift: 9, Out: nn.Interval{Lo: 0, Hi: 127}},
		nn.Dense{In: 128, Out: 10, WeightRange: w, BiasRange: bias},
		nn.Argmax{},
	}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := zk.Setup(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	lap("inference: setup")
	circuit, err := nn.NewRegistration(c.Spec().Layout)
	if err != nil {
		t.Fatal(err)
	}
	lap("registration: plan")
	regKeys, err := zk.Setup(t.Context(), circuit, zk.ReferenceString(keys.ReferenceString()))
	if err != nil {
		t.Fatal(err)
	}
	lap("registration: setup")
	t.Logf("%d constraints, %d secret inputs", regKeys.Constraints(), circuit.Inputs())
	if regKeys.Constraints() != circuit.Constraints() {
		t.Errorf("%d constraints, counted %d", regKeys.Constraints(), circuit.Constraints())
	}
	weights, biases := modest(c.Spec().Layout)
	model, opening, err := committed(keys.ReferenceString(), c.Spec().Layout, weights, biases)
	if err != nil {
		t.Fatal(err)
	}
	lap("commit")
	reg, err := zk.Register(t.Context(), regKeys, keys.VerifyingKey(), model, opening, registrant)
	if err != nil {
		t.Fatal(err)
	}
	lap("register")
	b, err := reg.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := zk.ReadRegistration(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	clock = time.Now()
	if err := zk.VerifyRegistration(regKeys.VerifyingKey(), keys.VerifyingKey(), model, registrant, shown); err != nil {
		t.Fatal(err)
	}
	lap("verify")

	r := &registry{keys: keys, reg: regKeys, layout: c.Spec().Layout, model: model, opening: opening}
	bad := r.wider(t, func(l *commit.Layout) { l.Blocks[0].Weight.Lo = -128 }, func(w, b [][]int64) { w[0][100_000] = -128 })
	r.refused(t, "weight -128", bad.model, opening, opens(t, r, bad.opening))
	lap("two forged registrations")
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return // not Linux
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM") {
			t.Log("peak memory", strings.TrimSpace(line))
		}
	}
}
