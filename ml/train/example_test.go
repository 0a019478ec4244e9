package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

// Logistic regression on standardised features.
func Example() {
	ds, err := data.BreastCancer()
	if err != nil {
		log.Fatal(err)
	}
	trainSet, test := ds.Split(1, 0.8)
	trainSet, scaler := trainSet.Standardize()
	if test, err = scaler.Apply(test); err != nil {
		log.Fatal(err)
	}

	spec, opts := train.LogisticRegression(1)
	m, err := train.Fit(context.Background(), spec, trainSet, opts)
	if err != nil {
		log.Fatal(err)
	}

	labels, err := m.Predict(test.X)
	if err != nil {
		log.Fatal(err)
	}
	accuracy, err := ml.Accuracy(labels, test.Y)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)
	fmt.Println("above 96 %:", accuracy > 0.96)
	// Output:
	// [30] dense 30→1, sigmoid
	// above 96 %: true
}

// An architecture of one's own, with a report after every epoch.
func ExampleFit() {
	digits, _, err := data.MNIST()
	if err != nil {
		log.Fatal(err)
	}
	spec := train.Spec{Layers: []train.LayerSpec{train.Dense(32), train.Square(), train.Dense(10), train.Softmax()}}
	m, err := train.Fit(context.Background(), spec, digits.Head(1000), train.Options{
		LearnRate: 0.004,
		Epochs:    3,
		Seed:      1,
		Progress:  func(p train.Progress) { fmt.Printf("epoch %d of %d\n", p.Epoch, p.Epochs) },
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)
	// Output:
	// epoch 1 of 3
	// epoch 2 of 3
	// epoch 3 of 3
	// [28 28] flatten, dense 784→32, square, dense 32→10, softmax
}

// Images need no preparation: Fit gives them a channel and makes them flat again.
func ExampleConv2d() {
	digits, _, err := data.MNIST()
	if err != nil {
		log.Fatal(err)
	}
	spec := train.Spec{Layers: []train.LayerSpec{
		train.Conv2d(train.ConvSpec{Out: 4, Kernel: 5, Stride: 2}), train.Square(),
		train.AvgPool2d(2, 0, 0),
		train.Dense(10),
	}}
	m, err := train.Fit(context.Background(), spec, digits.Head(500), train.Options{Epochs: 1, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)
	// Output:
	// [28 28] reshape [1 28 28], conv2d 1→4 5×5 stride 2, square, avgpool2d 2×2 stride 2, flatten, dense 144→10
}
