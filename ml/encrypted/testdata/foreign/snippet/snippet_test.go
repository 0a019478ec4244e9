// Package snippet imports Signet as a user's module does and runs the first snippet of its documentation on a model of
// its own.
package snippet

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

func TestSnippet(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	tensor := func(rows, cols int, size float64) ml.Tensor {
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = size * (2*rng.Float64() - 1)
		}
		x, err := ml.NewTensor([]int{rows, cols}, data)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	sample := tensor(256, 20, 1)
	x := sample.Row(7)

	m, err := ml.Sequential(ml.Dense(tensor(8, 20, 0.5), nil), ml.Square(), ml.Dense(tensor(3, 8, 0.5), []float64{0.1, -0.2, 0.3}))
	check(t, err)
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: sample})
	check(t, err)
	if text := fmt.Sprint(plan); !strings.Contains(text, "classical 128") {
		t.Errorf("the plan does not print its security row:\n%s", text)
	}

	kg, err := client.NewKeyGenerator(plan.Parameters())
	check(t, err)
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())
	check(t, err)
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x)
	check(t, err)

	eng, err := engine.Open(ctx, engine.Auto)
	check(t, err)
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	check(t, err)
	defer job.Close()
	out, err := job.Run(ctx, in)
	check(t, err)

	y, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out)
	check(t, err)
	one, err := ml.NewTensor([]int{1, 20}, x)
	check(t, err)
	want, err := m.Forward(one)
	check(t, err)
	for i, w := range want.Data {
		if math.Abs(y[i]-w) > 1.0/(1<<10) {
			t.Errorf("output %d: %g, the model has %g", i, y[i], w)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
