package encrypted

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
)

func conv(out, in, k int, o ml.ConvOptions, seed uint64) ml.Layer {
	fan := float64(in * k * k)
	return ml.Conv2d(ml.Tensor{Shape: []int{out, in, k, k}, Data: random(out*in*k*k, math.Sqrt(3/fan), seed)}, random(out, 0.25, seed+1000), o)
}

func TestDev(t *testing.T) {
	name := os.Getenv("DEV")
	if name == "" {
		t.Skip()
	}
	var m *ml.Model
	var err error
	target := Target{Packing: Single}
	switch name {
	case "cnn", "cnnp":
		m, err = ml.SequentialFor([]int{28, 28}, ml.Reshape(1, 28, 28), conv(5, 1, 5, ml.ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}, 1), ml.Square(), ml.Flatten(), dense(100, 845, 2), ml.Square(), dense(10, 100, 3))
		target.Patches = name == "cnnp"
	case "lenet":
		m, err = ml.SequentialFor([]int{28, 28}, ml.Reshape(1, 28, 28), conv(6, 1, 5, ml.ConvOptions{Padding: [2]int{2, 2}}, 1), ml.Square(), ml.AvgPool2d(2, 2, 0),
			conv(16, 6, 5, ml.ConvOptions{}, 2), ml.Square(), ml.AvgPool2d(2, 2, 0), ml.Flatten(), dense(120, 400, 3), ml.Square(), dense(84, 120, 4), ml.Square(), dense(10, 84, 5))
	case "relu":
		m, err = ml.Sequential(dense(16, 20, 1), ml.ReLU(), dense(4, 16, 2))
	case "gelu":
		m, err = ml.Sequential(dense(16, 20, 1), ml.GELU(), dense(8, 16, 2), ml.Tanh(), dense(8, 8, 2), ml.SiLU(), dense(8, 8, 2))
	case "relu2":
		m, err = ml.Sequential(dense(16, 20, 1), ml.ReLU(), dense(16, 16, 2), ml.ReLU(), dense(4, 16, 2))
	case "res":
		m, err = ml.SequentialFor([]int{2, 8, 8}, conv(4, 2, 3, ml.ConvOptions{Padding: [2]int{1, 1}}, 1), ml.Square(), ml.Residual([]ml.Layer{conv(4, 4, 3, ml.ConvOptions{Padding: [2]int{1, 1}}, 2)}), ml.Square(), ml.AvgPool2d(2, 2, 0), ml.Flatten(), dense(4, 64, 3))
	case "mlp", "mlpw":
		m, err = ml.Sequential(dense(128, 784, 1), ml.Square(), dense(10, 128, 2))
		target.EncryptedWeights = name == "mlpw"
	}
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("BATCH") != "" {
		target.Packing, target.Batch = Batch, 64
	}
	target.Calibration = inputs(256, m.InputLen(), 99)
	start := time.Now()
	plan, err := Compile(m, target)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("compile", time.Since(start))
	fmt.Println(plan)
	for _, o := range plan.Program().Ops() {
		if o.Code == program.Lintrans || o.Code == program.Rotsum || o.Code == program.Mul || o.Code == program.RotHoisted {
			fmt.Println(o.Code, o.Level, len(o.Diagonals), o.N1, len(o.Galois))
		}
	}
	fmt.Println("memory", cpu.Memory(plan.Program())>>20)
	if os.Getenv("RUN") == "" {
		return
	}
	s := open(t, plan)
	x := inputs(1, m.InputLen(), 7)
	start = time.Now()
	in, out := s.run(t, x)
	fmt.Println(plan.Activations())
	fmt.Println("first run with encrypt", time.Since(start))
	got := s.scores(t, out, 1)
	want, err := plan.Twin().Forward(ml.Tensor{Shape: []int{1, m.InputLen()}, Data: x.Data})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(got.Data[:4], want.Data[:4])
	for _, th := range []int{1, 2} {
		eng, _ := engine.Open(context.Background(), engine.CPU, engine.Threads(th))
		start := time.Now()
		job, err := eng.Load(context.Background(), plan.Program(), plan.Constants(), s.keys)
		if err != nil {
			t.Fatal(err)
		}
		load := time.Since(start)
		best := time.Hour
		for range 5 {
			start = time.Now()
			if _, err := job.Run(context.Background(), in); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
		fmt.Println("threads", th, "load", load, "run", best)
		job.Close()
	}
}
