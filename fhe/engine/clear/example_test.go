package clear_test

import (
	"context"
	"fmt"
	"log"
	"math/big"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/engine/clear"
	"github.com/signet-ml/signet/fhe/program"
)

// squares is a program that multiplies three numbers by a factor and squares them.
func squares(factor float64) (*program.Program, *program.Constants) {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{40, 30, 30, 30}, LogP: []int{40, 40}})
	if err != nil {
		log.Fatal(err)
	}
	b := program.NewBuilder(p)
	layout := program.Layout{Shape: []int{3}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 3}}}
	b.Scope("input")
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 3, Degree: 1, LogSlots: 2, Scale: fhe.PowerOfTwo(30), Bound: 8, Layout: layout})[0]
	b.Scope("scale")
	x = b.Rescale(b.MulConst(x, big.NewInt(int64(factor*(1<<30))), new(big.Int), fhe.PowerOfTwo(30)))
	b.Scope("square")
	x = b.Rescale(b.MulRelin(x, x))
	b.Scope("output")
	b.Output(b.OutputPort("y", x, 64, layout), x)
	prog, consts, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}
	return prog, consts
}

// What does the program compute?
func ExampleExecute() {
	prog, consts := squares(0.5)
	res, err := clear.Execute(context.Background(), prog, consts, map[string][]float64{"x": {1, 2, 3}}, clear.ExecuteOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", res.Outputs["y"])
	// Output: [0.25 1.00 2.25]
}

// The engine that a server would use, without keys.
func Example() {
	ctx := context.Background()
	prog, consts := squares(0.5)
	eng, err := engine.Open(ctx, engine.Clear)
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, prog, consts, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()
	in, err := clear.Encode(prog.Parameters(), prog.Inputs()[0], []float64{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	out, err := job.Run(ctx, in)
	if err != nil {
		log.Fatal(err)
	}
	y, err := clear.Decode(prog.Outputs()[0], out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", y)
	// Output: [0.25 1.00 2.25]
}

// The owner of the key looks for the layer that loses the precision.
func ExampleCompare() {
	ctx := context.Background()
	prog, consts := squares(0x1p-12) // a mistake: most bits are gone afterwards
	kg, err := client.NewKeyGenerator(prog.Parameters())
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, prog.Keys())
	if err != nil {
		log.Fatal(err)
	}
	in, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], []float64{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	eng, err := engine.Open(ctx, engine.CPU)
	if err != nil {
		log.Fatal(err)
	}

	report, err := clear.Compare(ctx, eng, prog, consts, keys, in, client.NewDecryptor(sk).Open, clear.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it is the layer", report.Culprit)
	for _, l := range report.Layers {
		fmt.Printf("%s at level %d: scale 2^%.0f\n", l.Name, l.Level, l.LogScale)
	}
	// Output:
	// it is the layer scale
	// input at level 3: scale 2^30
	// scale at level 2: scale 2^30
	// square at level 1: scale 2^30
}
