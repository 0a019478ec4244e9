package docs_test

import (
	"fmt"
	"log"

	"github.com/signet-ml/signet/ml"
)

// The snippets of howto/load-a-model.md: a convolutional model that a Python script wrote.
func Example_loadModel() {
	m, err := ml.Load("../ml/testdata/lines_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m)

	images := ml.Tensor{Shape: []int{2, 6, 6}, Data: make([]float64, 72)}
	for i := range 6 {
		images.Row(0)[6*i+2] = 1 // a vertical line
		images.Row(1)[6*4+i] = 1 // a horizontal one
	}
	labels, err := m.Predict(images)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range labels {
		fmt.Println(m.Classes()[l])
	}

	// Output:
	// [6 6] reshape [1 6 6], conv2d 1→2 2×2 padding 1, square, avgpool2d 7×7 stride 7, flatten, dense 2→2
	// vertical
	// horizontal
}
