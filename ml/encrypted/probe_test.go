package encrypted_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

func probe(t *testing.T, m *ml.Model, x ml.Tensor, tgt encrypted.Target) {
	start := time.Now()
	plan, err := encrypted.Compile(m, tgt)
	if err != nil { t.Fatal(err) }
	fmt.Println("compile", time.Since(start)); fmt.Println(plan)
	if os.Getenv("DUMP") != "" { plan.Program().Dump(os.Stdout) }
	ctx := context.Background()
	kg, err := client.NewKeyGenerator(plan.Parameters()); if err != nil { t.Fatal(err) }
	sk := kg.GenSecretKey()
	start = time.Now()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys()); if err != nil { t.Fatal(err) }
	fmt.Println("keygen", time.Since(start))
	n := plan.Samples()
	if n > x.Rows() { n = x.Rows() }
	in0, err := plan.Pack(x.Slice(0, n)); if err != nil { t.Fatal(err) }
	start = time.Now()
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), in0); if err != nil { t.Fatal(err) }
	fmt.Println("encrypt", time.Since(start))
	for _, th := range []int{1, 2} {
		e, err := engine.Open(ctx, engine.CPU, engine.Threads(th)); if err != nil { t.Fatal(err) }
		start = time.Now()
		j, err := e.Load(ctx, plan.Program(), plan.Constants(), keys); if err != nil { t.Fatal(err) }
		fmt.Println("load", time.Since(start))
		best := time.Hour
		for range 7 {
			start = time.Now()
			out, err := j.Run(ctx, in); if err != nil { t.Fatal(err) }
			best = min(best, time.Since(start))
			y, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out); if err != nil { t.Fatal(err) }
			got, err := plan.Unpack(y, n); if err != nil { t.Fatal(err) }
			want, err := plan.Twin().Forward(x.Slice(0, n)); if err != nil { t.Fatal(err) }
			if d := fhetest.Precision(got.Data, want.Data); d < 10 { fmt.Println("PREC", d, got.Data[:min(10, len(got.Data))], want.Data[:min(10, len(got.Data))]) } else if th == 2 { fmt.Print(" ", math.Round(10*d)/10) }
		}
		fmt.Println("threads", th, "run", best)
		j.Close()
	}
	st, err := stock.New(plan.Program(), plan.Constants(), keys, stock.BestStock()); if err != nil { t.Fatal(err) }
	if plan.Packing() == encrypted.Single {
	best := time.Hour
	for range 5 { start = time.Now(); st.Run(in); best = min(best, time.Since(start)) }
	fmt.Println("stock", best)
	}
}

func TestProbeLR(t *testing.T) {
	ds, _ := data.BreastCancer()
	ds, _ = ds.Standardize()
	spec, opt := train.LogisticRegression(1)
	m, err := train.Fit(context.Background(), spec, ds, opt); if err != nil { t.Fatal(err) }
	probe(t, m, ds.X, encrypted.Target{Calibration: ds.X, Packing: encrypted.Single})
	probe(t, m, ds.X, encrypted.Target{Calibration: ds.X, Batch: 4096})
}
func TestProbeMLP(t *testing.T) {
	tr, te, _ := data.MNIST()
	spec, opt := train.MNISTSquareMLP(1)
	m, err := train.Fit(context.Background(), spec, tr, opt); if err != nil { t.Fatal(err) }
	probe(t, m, te.X, encrypted.Target{Calibration: tr.X.Slice(0, 512)})
	probe(t, m, te.X, encrypted.Target{Calibration: tr.X.Slice(0, 512), Batch: 2048})
}
