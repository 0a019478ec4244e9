package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
)

// A server squares encrypted numbers.
func Example() {
	ctx := context.Background()
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}})
	if err != nil {
		log.Fatal(err)
	}
	b := program.NewBuilder(p)
	layout := program.Layout{Shape: []int{3}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 3}}}
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 2, Scale: fhe.PowerOfTwo(28), Bound: 8, Layout: layout})[0]
	y := b.Rescale(b.MulRelin(x, x))
	b.Output(b.OutputPort("y", y, 64, layout), y)
	prog, consts, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}

	// The data owner.
	kg, err := client.NewKeyGenerator(p)
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, prog.Keys())
	if err != nil {
		log.Fatal(err)
	}
	in, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], []float64{1, -2.5, 3})
	if err != nil {
		log.Fatal(err)
	}

	// The server.
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, prog, consts, keys)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		log.Fatal(err)
	}

	// The data owner again.
	squares, err := client.NewDecryptor(sk).ForOwner(prog.Outputs()[0], out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", squares)
	// Output: [1.00 6.25 9.00]
}
