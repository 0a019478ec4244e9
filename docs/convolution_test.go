package docs_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/signet-ml/signet/fhe/client"
	"github.com/signet-ml/signet/fhe/engine"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/train"
)

// The steps of tutorials/convolutional-network.md.
// It takes some seconds, so it has no Output; TestConvolutionalNetwork runs it.
func Example_convolutionalNetwork() {
	ctx := context.Background()

	// Train.
	fitSet, test, err := data.MNIST()
	if err != nil {
		log.Fatal(err)
	}
	fitSet, test = fitSet.Head(4000), test.Head(20)
	spec, opts := train.MNISTSquareCNN(1)
	opts.Epochs = 3 // 12 for a better one
	m, err := train.Fit(ctx, spec, fitSet, opts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)

	// Compile.
	target := encrypted.Target{Calibration: fitSet.Head(500).X, Packing: encrypted.Single}
	plan, err := encrypted.Compile(m, target)
	if err != nil {
		log.Fatal(err)
	}
	in, out := plan.Input(), plan.Output()
	fmt.Println(in.Count, "ciphertext in,", out.Count, "out;", in.Level-out.Level >= 4)

	// Activations.
	for _, a := range plan.Activations() {
		fmt.Println(a.Layer, a.Function, a.Levels, "level,", a.Hi > 2*a.Calibrated[1])
	}

	// Patches.
	target.Patches = true
	patches, err := encrypted.Compile(m, target)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(patches.Input().Count > 1, patches.InputBytes() > plan.InputBytes(), patches.KeysBytes() < plan.KeysBytes())

	// Keys.
	kg, err := client.NewKeyGenerator(plan.Parameters())
	if err != nil {
		log.Fatal(err)
	}
	sk := kg.GenSecretKey()
	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())
	if err != nil {
		log.Fatal(err)
	}

	// Load.
	eng, err := engine.Open(ctx, engine.Auto)
	if err != nil {
		log.Fatal(err)
	}
	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
	if err != nil {
		log.Fatal(err)
	}
	defer job.Close()

	// Encrypt, run, decrypt.
	enc, dec := client.NewEncryptor(sk), client.NewDecryptor(sk)
	scores := ml.Tensor{Shape: []int{test.Len(), 10}}
	for i := range test.Len() {
		x, err := enc.Encrypt(plan.Input(), test.X.Row(i)) // the data owner
		if err != nil {
			log.Fatal(err)
		}
		y, err := job.Run(ctx, x) // the server
		if err != nil {
			log.Fatal(err)
		}
		s, err := dec.ForOwner(plan.Output(), y) // the data owner
		if err != nil {
			log.Fatal(err)
		}
		scores.Data = append(scores.Data, s...)
	}

	// Compare.
	twin, err := plan.Twin().Scores(test.X)
	if err != nil {
		log.Fatal(err)
	}
	largest, worst := 0.0, 0.0
	for i, want := range twin.Data {
		largest = max(largest, math.Abs(want))
		worst = max(worst, math.Abs(scores.Data[i]-want))
	}
	clear, err := m.Predict(test.X)
	if err != nil {
		log.Fatal(err)
	}
	agreement, err := ml.Accuracy(m.Labels(scores), clear)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(math.Log2(largest/worst) > 12, agreement)
}

// TestConvolutionalNetwork runs the tutorial's example and compares what it prints.
func TestConvolutionalNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("long: Example_tutorial takes the same steps with a smaller model")
	}
	const want = `[28 28] reshape [1 28 28], conv2d 1→5 5×5 stride 2 padding 1, square, flatten, dense 845→100, square, dense 100→10
1 ciphertext in, 1 out; true
conv1 square 1 level, true
dense1 square 1 level, true
true true true
true 1
`
	if got := printed(t, Example_convolutionalNetwork); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

// printed returns what an example prints to standard output.
func printed(t *testing.T, example func()) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stdout := os.Stdout
	os.Stdout = f
	defer func() { os.Stdout = stdout }()
	example()
	text, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
