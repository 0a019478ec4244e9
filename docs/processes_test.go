package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// Limits on what a server reads from a client, in bytes.
const (
	maxParameters = 4 << 10
	maxProgram    = 16 << 20
	maxConstants  = 1 << 30
	maxKeys       = 8 << 30
	maxBundle     = 1 << 30
)

// serve is all that a server does: files in, a file out, and nothing secret.
func serve(ctx context.Context, parameters, prog, constants, keys, input io.Reader, output io.Writer) error {
	params, err := fhe.ReadParameters(parameters, maxParameters) // through the security gate again
	if err != nil {
		return err
	}
	p, err := program.ReadProgram(prog, params, maxProgram)
	if err != nil {
		return err
	}
	c, err := program.ReadConstants(constants, maxConstants)
	if err != nil {
		return err
	}
	k, err := fhe.ReadEvaluationKeys(keys, params, maxKeys)
	if err != nil {
		return err
	}
	in, err := fhe.ReadBundle(input, params, maxBundle)
	if err != nil {
		return err
	}

	eng, err := engine.Open(ctx, engine.Auto, engine.MemoryLimit(8<<30))
	if err != nil {
		return err
	}
	job, err := eng.Load(ctx, p, c, k)
	if err != nil {
		return err
	}
	defer job.Close()
	out, err := job.Run(ctx, in)
	if err != nil {
		return err
	}
	_, err = out.WriteTo(output)
	return err
}

func Example_processes() {
	ctx := context.Background()
	m, err := ml.Load("../ml/testdata/xor_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	x, err := ml.FromRows([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: x, MinCalibration: 4, Packing: encrypted.Single})
	if err != nil {
		log.Fatal(err)
	}
	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x.Row(2))
	if err != nil {
		log.Fatal(err)
	}

	var parameters, prog, constants, keys, input, output, secret bytes.Buffer
	for _, f := range []struct {
		w io.Writer
		v io.WriterTo
	}{{&parameters, plan.Parameters()}, {&prog, plan.Program()}, {&constants, plan.Constants()}, {&input, in}, {&secret, sk}} {
		if _, err := f.v.WriteTo(f.w); err != nil {
			log.Fatal(err)
		}
	}
	if err := kg.WriteEvaluationKeys(ctx, &keys, sk, plan.Keys()); err != nil { // key by key: the set is never in memory
		log.Fatal(err)
	}

	if err := serve(ctx, &parameters, &prog, &constants, &keys, &input, &output); err != nil {
		log.Fatal(err)
	}

	sk, err = client.ReadSecretKey(&secret, plan.Parameters(), 1<<20)
	if err != nil {
		log.Fatal(err)
	}
	out, err := fhe.ReadBundle(&output, plan.Parameters(), maxBundle)
	if err != nil {
		log.Fatal(err)
	}
	score, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(score[0] > 0)

	// Output:
	// true
}
