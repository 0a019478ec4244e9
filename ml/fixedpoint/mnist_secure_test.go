//go:build secure

package fixedpoint_test

import (
	"flag"
	"testing"

	"github.com/signet-ml/signet/ml/data"
	"github.com/signet-ml/signet/ml/train"
)

var dataDir = flag.String("data", "", "folder of the full MNIST; without it the full trainings are skipped")

// TestFullMNIST holds the package to the figures in its comment:
//
//	go test -tags secure -run FullMNIST -v -timeout 1h ./ml/fixedpoint -data /path/to/mnist
func TestFullMNIST(t *testing.T) {
	if *dataDir == "" {
		t.Skip("no -data")
	}
	set, test, err := data.LoadMNIST(*dataDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		p    preset
		want float64
	}{{"mlp", train.MNISTReluMLP, 0.98}, {"lenet", train.MNISTReluLeNet, 0.99}} {
		t.Run(c.name, func(t *testing.T) {
			if r := compare(t, c.p, set, test, nil); r.FloatAccuracy < c.want || r.Accuracy < r.FloatAccuracy-lost {
				t.Errorf("accuracy %.4f, in float64 %.4f, want %.2f and at most %.3f less", r.Accuracy, r.FloatAccuracy, c.want, lost)
			}
		})
	}
}
