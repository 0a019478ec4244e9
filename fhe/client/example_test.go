package client_test

import (
	"bytes"
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

// A party that cannot decrypt encrypts for the owner of the secret key.
func ExampleNewPublicKeyEncryptor() {
	p, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{38, 28}, LogP: []int{40}})
	if err != nil {
		log.Fatal(err)
	}
	port := program.Port{Name: "w", Count: 1, Level: 1, Degree: 1, LogSlots: 2, Scale: p.DefaultScale(), Bound: 8,
		Layout: program.Layout{Shape: []int{3}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 3}}}}

	// The owner of the secret key publishes a public key.
	kg, err := client.NewKeyGenerator(p)
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	pk, err := kg.GenPublicKey(sk)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := pk.WriteTo(&file); err != nil {
		log.Fatal(err)
	}

	// The owner of a model encrypts its weights.
	pk, err = fhe.ReadPublicKey(&file, p, fhe.PublicKeyBytes(p))
	if err != nil {
		log.Fatal(err)
	}
	weights, err := client.NewPublicKeyEncryptor(pk).Encrypt(port, []float64{0.5, -1, 4})
	if err != nil {
		log.Fatal(err)
	}

	y, err := client.NewDecryptor(sk).ForOwner(port, weights)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", y)
	// Output: [0.500 -1.000 4.000]
}
