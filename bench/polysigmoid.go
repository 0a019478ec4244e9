package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/polyeval"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml/report"
)

// sigmoid is the polynomial of the scenario poly-sigmoid.
func sigmoid() (polyeval.Chebyshev, error) { return polyeval.At(polyeval.Sigmoid, -8, 8, 15) }

// sigmoidProgram returns the program that evaluates it on a full ciphertext.
func sigmoidProgram() (*program.Program, *program.Constants, error) {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 14, LogQ: []int{55, 40, 40, 40, 40, 40, 40}, LogP: []int{61, 61}})
	if err != nil {
		return nil, nil, err
	}
	poly, err := sigmoid()
	if err != nil {
		return nil, nil, err
	}
	n := params.MaxSlots()
	layout := program.Layout{Shape: []int{n}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: n}}}
	b := program.NewBuilder(params)
	t := b.Input(program.Port{Name: "t", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: params.LogMaxSlots(), Scale: params.DefaultScale(), Bound: 1, Layout: layout})[0]
	y, err := polyeval.Evaluate(b, t, poly, params.DefaultScale())
	if err != nil {
		return nil, nil, err
	}
	b.Output(b.OutputPort("y", y, 1, layout), y)
	return b.Build()
}

// polySigmoid measures one polynomial on a full ciphertext: no model, so no accuracy. The peer is Lattigo's own
// polynomial evaluator, whose bits the program must have.
func polySigmoid(ctx context.Context, s scenario, cfg config, sum *report.Summary) error {
	prog, consts, err := sigmoidProgram()
	if err != nil {
		return err
	}
	poly, err := sigmoid()
	if err != nil {
		return err
	}
	params := prog.Parameters()
	delta, n := params.DefaultScale(), params.MaxSlots()
	fmt.Fprintf(cfg.log, "%s: %v on %d slots, N = 2^%d\n", s.Name, poly, n, params.LogN())

	kg, err := client.NewKeyGenerator(params)
	if err != nil {
		return err
	}
	start := time.Now()
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, prog.Keys())
	if err != nil {
		return err
	}
	keygen := []float64{ms(start)}
	relin := keys.Get(0)

	lo, hi := poly.Interval()
	scale, shift := poly.ChangeOfBasis()
	xs, ts := make([]float64, n), make([]float64, n)
	for i := range xs {
		xs[i] = lo + (hi-lo)*float64(i)/float64(n-1)
		ts[i] = scale*xs[i] + shift
	}
	in, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], ts)
	if err != nil {
		return err
	}

	jobs := make([]program.Job, 2)
	var load []float64
	for i := range jobs {
		eng, err := engine.Open(ctx, engine.Auto, engine.Threads(i+1))
		if err != nil {
			return err
		}
		start := time.Now()
		if jobs[i], err = eng.Load(ctx, prog, consts, keys); err != nil {
			return err
		}
		defer jobs[i].Close()
		load = append(load, ms(start))
		info := eng.Info()
		sum.Engine, sum.Threads = info.Name, info.Threads
	}
	figures, err := predictions(cfg.costs, prog, program.Info{Name: sum.Engine, Threads: sum.Threads})
	if err != nil {
		return err
	}
	sum.Add(figures...)
	direct, err := stock.NewPolynomial(params, keys, poly.Coefficients(), delta)
	if err != nil {
		return err
	}
	interpreted, err := stock.New(prog, consts, keys)
	if err != nil {
		return err
	}

	// The contestants; digests of their results must agree.
	var digest fhe.Digest
	same := true
	var result *fhe.Bundle
	timed := func(f func() (*fhe.Ciphertext, error)) (float64, error) {
		start := time.Now()
		ct, err := f()
		t := ms(start)
		if err != nil {
			return 0, err
		}
		d := ct.Digest()
		same = same && (digest.IsZero() || digest == d)
		digest = d
		return t, nil
	}
	first := func(out *fhe.Bundle, err error) (*fhe.Ciphertext, error) {
		if err != nil {
			return nil, err
		}
		result = out
		return out.Get("y")[0], nil
	}
	job := func(j program.Job) func() (float64, error) {
		return func() (float64, error) {
			return timed(func() (*fhe.Ciphertext, error) { return first(j.Run(ctx, in)) })
		}
	}
	times, err := takeTurns(ctx, min(cfg.n, 4*pairs),
		func() (float64, error) { return onOne(job(jobs[0])) },
		func() (float64, error) {
			return onOne(func() (float64, error) {
				return timed(func() (*fhe.Ciphertext, error) { return direct.Evaluate(in.Get("t")[0]) })
			})
		},
		func() (float64, error) {
			return onOne(func() (float64, error) {
				return timed(func() (*fhe.Ciphertext, error) { return first(interpreted.Run(in)) })
			})
		},
		job(jobs[1]),
	)
	if err != nil {
		return err
	}

	got, err := client.NewDecryptor(sk).ForOwner(prog.Outputs()[0], result)
	if err != nil {
		return err
	}
	twin, exact := make([]float64, n), make([]float64, n)
	for i, x := range xs {
		twin[i], exact[i] = poly.Eval(x), polyeval.Sigmoid.F(x)
	}
	precision := report.Bits(got, twin)
	run := fmt.Sprintf("sigmoid of degree %d on %d slots", poly.Degree(), n)
	sum.Date = time.Now().UTC().Format(time.DateOnly)
	sum.Parameters = report.ParametersOf(params)
	sum.Add(
		report.Median("keygen_ms", "ms", keygen, "secret key and relinearisation key").On("client", runtime.GOMAXPROCS(0)),
		report.Number("keys_bytes", "B", float64(2*int64(relin.Digits())*int64(relin.Rows())*int64(params.N())*8), 1, "relinearisation key in memory, before loading"),
		report.Median("load_ms", "ms", load, "Engine.Load"),
		report.Median("server_ms", "ms", times[3], "Job.Run, "+run),
		report.Median("server_1_thread_ms", "ms", times[0], "Job.Run on one processor").On(sum.Engine, 1),
		report.Median("stock_ms", "ms", times[1], "Lattigo v5.0.7's own polynomial evaluator on one processor").On("lattigo stock", 1),
		report.Median("stock_program_ms", "ms", times[2], "the program on Lattigo's evaluators on one processor").On("lattigo stock", 1),
		report.Median("speedup_vs_stock", "x", ratios(times[1], times[0]), "stock_ms by server_1_thread_ms, turn by turn").On(sum.Engine, 1),
		report.Number("precision_bits", "bits", precision, n, "-log2(max error / max value) against the polynomial in the clear"),
		report.Number("precision_float_bits", "bits", report.Bits(got, exact), n, "the same against the sigmoid; "+fmt.Sprintf("the polynomial's own error is 2^%.1f", math.Log2(poly.MaxError()))),
		report.Number("operations", "count", float64(len(prog.Ops())), 1, "of the program"),
	)
	if runtime.GOMAXPROCS(0) > 1 {
		sum.Add(report.Median("speedup_2_cores", "x", ratios(times[0], times[3]), "one thread by two threads, turn by turn"))
	}
	sum.Check("the bits are those of Lattigo's polynomial evaluator, with one thread and two", same)
	sum.Check("at least 20 bits of precision", precision >= 20)
	return nil
}
