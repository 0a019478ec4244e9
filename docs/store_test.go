package docs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// writeSecretKey writes a secret key into a new file that only its owner can read. It never replaces a file.
func writeSecretKey(path string, sk *client.SecretKey) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := sk.WriteTo(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// The snippets of howto/send-and-store.md.
func Example_sendAndStore() {
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
	pk, err := kg.GenPublicKey(sk)
	if err != nil {
		log.Fatal(err)
	}

	// Sizes are known before.
	params, in, out := plan.Parameters(), plan.Input(), plan.Output()
	fmt.Println(plan.KeysBytes() == keysBytes(params, plan.Keys()))
	fmt.Println(plan.InputBytes() == fhe.BundleBytes(params, in.Name, in.Count, in.Degree, in.Level, true)) // under a secret key
	fmt.Println(plan.OutputBytes() == fhe.BundleBytes(params, out.Name, out.Count, out.Degree, out.Level, false))
	fmt.Println(pk.Bytes() == fhe.PublicKeyBytes(params))

	// Keys as a stream: made, sent and read one by one.
	r, w := io.Pipe() // a connection, in earnest
	go func() { w.CloseWithError(kg.WriteEvaluationKeys(ctx, w, sk, plan.Keys())) }()
	keys, err := fhe.ReadEvaluationKeys(r, params, plan.KeysBytes())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys.Bytes() == plan.KeysBytes())

	// A limit that is too small is an error, before more is read.
	var b bytes.Buffer
	if _, err := keys.WriteTo(&b); err != nil {
		log.Fatal(err)
	}
	_, err = fhe.ReadEvaluationKeys(&b, params, plan.KeysBytes()-1)
	fmt.Println(errors.Is(err, fhe.ErrLimit))

	// The model and the secret key, each on its owner's disk.
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := ml.Save(filepath.Join(dir, "xor.safetensors"), m); err != nil {
		log.Fatal(err)
	}
	if err := writeSecretKey(filepath.Join(dir, "key"), sk); err != nil {
		log.Fatal(err)
	}
	fmt.Println(writeSecretKey(filepath.Join(dir, "key"), sk) != nil)

	// Output:
	// true
	// true
	// true
	// true
	// true
	// true
	// true
}

// keysBytes is the size of a set of keys as fhe/client makes them.
func keysBytes(p fhe.Parameters, reqs []program.KeyRequirement) int64 {
	n := fhe.EvaluationKeysHeaderBytes
	for _, r := range reqs {
		n += fhe.EvaluationKeyBytes(p, r.Level)
	}
	return n
}
