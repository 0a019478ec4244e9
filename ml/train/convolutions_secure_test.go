//go:build secure

package train

import (
	"flag"
	"testing"
	"time"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/data"
)

var dataDir = flag.String("data", "", "folder of the full MNIST; without it the full trainings are skipped")

// TestConvolutionPresets holds the presets to the figures in their comments, with some
// room for other architectures:
//
//	go test -tags secure -run ConvolutionPresets -v -timeout 1h ./ml/train -data /path/to/mnist
func TestConvolutionPresets(t *testing.T) {
	for _, c := range []struct {
		name           string
		preset         func(uint64) (Spec, Options)
		embedded, full float64 // accuracies
		hidden, score  float64 // largest magnitudes
	}{
		{"cnn", MNISTSquareCNN, 0.96, 0.985, 9, 13},
		{"lenet5", MNISTLeNet5, 0.97, 0.99, 9, 14},
	} {
		run := func(t *testing.T, train, test data.Dataset, want float64) {
			spec, o := c.preset(1)
			start := time.Now()
			m := fit(t, spec, train, o)
			elapsed := time.Since(start)
			a := accuracy(t, m, test)
			after, err := m.Trace(test.X)
			if err != nil {
				t.Fatal(err)
			}
			var ranges []float64 // behind every layer with weights
			for i, l := range m.Layers() {
				switch l.(type) {
				case *ml.DenseLayer, *ml.Conv2dLayer:
					ranges = append(ranges, largest(after[i].Data))
				}
			}
			t.Logf("%d images in %v: accuracy %.4f, largest values %.2f", train.Len(), elapsed.Round(time.Second/10), a, ranges)
			if a < want {
				t.Errorf("accuracy %.4f, want %.3f", a, want)
			}
			last := len(ranges) - 1
			if hidden := largest(ranges[:last]); hidden > c.hidden || ranges[last] > c.score {
				t.Errorf("largest values %.2f, want %.0f and scores of %.0f", ranges, c.hidden, c.score)
			}
		}
		t.Run("model="+c.name+"/set=embedded", func(t *testing.T) {
			train, test, err := data.MNIST()
			if err != nil {
				t.Fatal(err)
			}
			run(t, train, test, c.embedded)
		})
		t.Run("model="+c.name+"/set=full", func(t *testing.T) {
			if *dataDir == "" {
				t.Skip("no -data")
			}
			train, test, err := data.LoadMNIST(*dataDir)
			if err != nil {
				t.Fatal(err)
			}
			run(t, train, test, c.full)
		})
	}
}
