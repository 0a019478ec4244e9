package client_test

import (
	"context"
	"fmt"
	"log"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
)

// The program returns its input. A real one comes from a compiled model; the client needs to know its ports and keys
// only.
func Example() {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}})
	if err != nil {
		log.Fatal(err)
	}
	b := program.NewBuilder(p)
	port := program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 2, Scale: p.DefaultScale(), Bound: 8,
		Layout: program.Layout{Shape: []int{3}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 3}}}}
	x := b.Input(port)[0]
	b.Output(b.OutputPort("y", x, 8, port.Layout), x)
	prog, _, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}

	// The data owner.
	kg, err := client.NewKeyGenerator(p)
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(context.Background(), sk, prog.Keys())
	if err != nil {
		log.Fatal(err)
	}
	in, err := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], []float64{1, -2.5, 3})
	if err != nil {
		log.Fatal(err)
	}

	// The server runs the program with keys on in. Here it copies a ciphertext.
	out := fhe.NewBundle(p, keys.Key(), prog.Digest())
	if err := out.Add("y", in.Get("x")...); err != nil {
		log.Fatal(err)
	}

	// The data owner again.
	y, err := client.NewDecryptor(sk).ForOwner(prog.Outputs()[0], out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", y)
	// Output: [1.000 -2.500 3.000]
}
