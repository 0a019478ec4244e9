package ml_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/signet-ml/signet/ml"
)

// A model written down by hand: two inputs, a square, and a score that is positive
// when the inputs differ.
func Example() {
	w1, err := ml.FromRows([][]float64{{1, -1}})
	if err != nil {
		log.Fatal(err)
	}
	w2, err := ml.FromRows([][]float64{{1}})
	if err != nil {
		log.Fatal(err)
	}
	m, err := ml.Sequential(ml.Dense(w1, nil), ml.Square(), ml.Dense(w2, []float64{-0.5}))
	if err != nil {
		log.Fatal(err)
	}
	if m, err = m.WithClasses("same", "different"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)

	x, err := ml.FromRows([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	scores, err := m.Forward(x)
	if err != nil {
		log.Fatal(err)
	}
	for i, label := range m.Labels(scores) {
		fmt.Println(x.Row(i), scores.Row(i), m.Classes()[label])
	}
	// Output:
	// [2] dense 2→1, square, dense 1→1
	// [0 0] [-0.5] same
	// [0 1] [0.5] different
	// [1 0] [0.5] different
	// [1 1] [-0.5] same
}

// The ranges of activations over a sample tell a compiler how large the numbers get.
func ExampleModel_Trace() {
	w, err := ml.FromRows([][]float64{{2, 0}, {0, -3}})
	if err != nil {
		log.Fatal(err)
	}
	m, err := ml.Sequential(ml.Dense(w, nil), ml.Square())
	if err != nil {
		log.Fatal(err)
	}
	x, err := ml.FromRows([][]float64{{1, 2}, {0.5, 1}})
	if err != nil {
		log.Fatal(err)
	}
	after, err := m.Trace(x)
	if err != nil {
		log.Fatal(err)
	}
	for i, l := range m.Layers() {
		fmt.Println(l.Kind(), after[i].Data)
	}
	// Output:
	// dense [2 -6 1 -3]
	// square [4 36 1 9]
}

// Scores of regression: the mean squared error is in the square of the target's unit, R² is 1 for perfect predictions
// and 0 for predicting the mean.
func ExampleR2() {
	predicted, truth := []float64{2.5, 0, 2, 8}, []float64{3, -0.5, 2, 7}
	mse, err := ml.MSE(predicted, truth)
	if err != nil {
		log.Fatal(err)
	}
	r2, err := ml.R2(predicted, truth)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mean squared error %.3f, R² %.3f\n", mse, r2)
	// Output: mean squared error 0.375, R² 0.949
}

// The loss of probabilities tells apart models with the same labels: an unsure one and one that is sure.
func ExampleLogLoss() {
	truth := []int{1, 0, 1}
	for _, p := range [][]float64{{0.6, 0.4, 0.6}, {0.9, 0.1, 0.9}} {
		loss, err := ml.LogLoss(ml.Tensor{Shape: []int{3, 1}, Data: p}, truth)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.3f nats\n", loss)
	}
	// Output:
	// 0.511 nats
	// 0.105 nats
}

// A convolution, a pool and a residual on images of 4×4.
func ExampleSequentialFor() {
	edges, err := ml.NewTensor([]int{2, 1, 2, 2}, []float64{1, -1, 1, -1, 1, 1, -1, -1}) // [out, in, rows, columns]
	if err != nil {
		log.Fatal(err)
	}
	m, err := ml.SequentialFor([]int{4, 4},
		ml.Reshape(1, 4, 4),
		ml.Conv2d(edges, nil, ml.ConvOptions{}),
		ml.Residual([]ml.Layer{ml.Square()}),
		ml.AvgPool2d(3, 0, 0),
		ml.Flatten())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)
	image := []float64{
		0, 0, 1, 1,
		0, 0, 1, 1,
		0, 0, 1, 1,
		0, 0, 1, 1,
	}
	x, err := ml.NewTensor([]int{4, 4}, image)
	if err != nil {
		log.Fatal(err)
	}
	y, err := m.Forward(x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", y.Data) // the one edge is vertical
	// Output:
	// [4 4] reshape [1 4 4], conv2d 1→2 2×2, residual (square + x), avgpool2d 3×3 stride 3, flatten
	// [0.667 0.000]
}

// Batch normalisation folds into one factor and one summand per channel.
func ExampleBatchNormLayer_Affine() {
	norm := ml.BatchNorm([]float64{2}, []float64{1}, []float64{3}, []float64{4}, 0)
	scale, shift := norm.(*ml.BatchNormLayer).Affine()
	fmt.Println(scale, shift)
	// Output:
	// [1] [-2]
}

// Files from strangers are read under a limit in bytes.
func ExampleRead() {
	w, err := ml.FromRows([][]float64{{1, 2}})
	if err != nil {
		log.Fatal(err)
	}
	m, err := ml.Sequential(ml.Dense(w, []float64{3}), ml.Sigmoid())
	if err != nil {
		log.Fatal(err)
	}
	var buf bytes.Buffer
	if err := ml.Write(&buf, m); err != nil {
		log.Fatal(err)
	}
	back, err := ml.Read(bytes.NewReader(buf.Bytes()), 1<<20)
	fmt.Println(back, err)
	_, err = ml.Read(bytes.NewReader(buf.Bytes()[:buf.Len()-4]), 1<<20)
	fmt.Println(err)
	// Output:
	// [2] dense 2→1, sigmoid <nil>
	// ml: model file: 20 of 24 bytes of tensors: unexpected EOF
}
