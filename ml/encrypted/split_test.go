package encrypted

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/internal/feature"
)

// same is a 3 × 3 convolution that keeps the size of the image.
func same(out, in int, seed uint64) ml.Layer {
	return kernel(out, in, [2]int{3, 3}, ml.ConvOptions{Padding: [2]int{1, 1}}, seed)
}

// half is one that halves it.
func half(out, in int, seed uint64) ml.Layer {
	return kernel(out, in, [2]int{3, 3}, ml.ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}, seed)
}

// norm is a batch normalisation of random statistics.
func norm(channels int, seed uint64) ml.Layer {
	variance := random(channels, 0.4, seed)
	for i := range variance {
		variance[i] += 0.5
	}
	return ml.BatchNorm(random(channels, 1, seed+1), random(channels, 0.5, seed+2), random(channels, 0.5, seed+3), variance, 1e-5)
}

// outline writes stages as "conv1 square <- input; dense1 <- conv1 pool 2 + input".
func outline(stages []*stage) string {
	var out []string
	for _, st := range stages {
		s := st.name
		switch st.act {
		case actSquare:
			s += " square"
		case actPolynomial:
			s += " " + string(st.fn)
		}
		var from []string
		for _, t := range st.terms {
			f := "input"
			if t.from >= 0 {
				f = stages[t.from].name
			}
			if t.pool != nil {
				f += fmt.Sprintf(" pool %d", t.pool.factor)
			}
			from = append(from, f)
		}
		out = append(out, s+" <- "+strings.Join(from, " + "))
	}
	return strings.Join(out, "; ")
}

// TestSplit: which stages a model becomes, and that they compute what the model does.
func TestSplit(t *testing.T) {
	image, flat := []int{3, 8, 8}, []int{6}
	square := ml.Square()
	for _, tc := range []struct {
		name   string
		shape  []int
		layers []ml.Layer
		want   string
	}{
		{"dense layers become one", flat, []ml.Layer{dense(5, 6, 1), dense(4, 5, 2), dense(3, 4, 3)}, "dense3 <- input"},
		{"convolutional network", image, []ml.Layer{same(4, 3, 1), norm(4, 2), square, ml.AvgPool2d(2, 2, 0), half(6, 4, 3), norm(6, 4), square, ml.Flatten(), dense(5, 24, 5)},
			"conv1 square <- input; conv2 square <- conv1 pool 2; dense1 <- conv2"},
		{"pool, then dense", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(4, 4, 0), ml.Flatten(), dense(5, 16, 5)}, "conv1 square <- input; dense1 <- conv1 pool 4"},
		{"pool at the end", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(2, 2, 0), ml.Flatten()}, "conv1 square <- input; avgpool1 <- conv1 pool 2"},
		{"pool, then square", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(2, 2, 0), square}, "conv1 square <- input; avgpool1 square <- conv1 pool 2"},
		{"pool of the input", image, []ml.Layer{ml.AvgPool2d(2, 2, 0), same(4, 3, 1)}, "conv1 <- input pool 2"},
		{"two pools", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(2, 2, 0), ml.AvgPool2d(2, 2, 0), same(2, 4, 2)}, "conv1 square <- input; conv2 <- conv1 pool 2"},
		{"pool after a linear layer", image, []ml.Layer{same(4, 3, 1), ml.AvgPool2d(2, 2, 0), square}, "conv1 square <- input"},
		{"overlapping pool", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(3, 2, 1), same(2, 4, 2)}, "conv1 square <- input; conv2 <- conv1"},
		{"pool of 3", []int{2, 9, 9}, []ml.Layer{same(4, 2, 1), square, ml.AvgPool2d(3, 3, 0)}, "conv1 square <- input; avgpool1 <- conv1"},
		{"pool that does not divide", []int{2, 7, 8}, []ml.Layer{same(4, 2, 1), square, ml.AvgPool2d(2, 2, 0)}, "conv1 square <- input; avgpool1 <- conv1"},
		{"pool of 1", image, []ml.Layer{same(4, 3, 1), square, ml.AvgPool2d(1, 1, 0)}, "conv1 square <- input; avgpool1 <- conv1"},
		{"batchnorm first", image, []ml.Layer{norm(3, 1), same(4, 3, 1), square}, "conv1 square <- input"},
		{"batchnorm alone", flat, []ml.Layer{norm(6, 1)}, "batchnorm1 <- input"},
		{"batchnorm last", flat, []ml.Layer{dense(6, 6, 1), square, norm(6, 2)}, "dense1 square <- input; batchnorm1 <- dense1"},
		{"batchnorm before a pool", image, []ml.Layer{same(4, 3, 1), square, norm(4, 2), ml.AvgPool2d(2, 2, 0), same(2, 4, 3)}, "conv1 square <- input; conv2 <- conv1"},
		{"batchnorm before a square", flat, []ml.Layer{norm(6, 1), square}, "batchnorm1 square <- input"},
		{"square first", flat, []ml.Layer{square, dense(2, 6, 1)}, "identity1 square <- input; dense1 <- identity1"},
		{"square twice", flat, []ml.Layer{dense(4, 6, 1), square, square}, "dense1 square <- input; identity1 square <- dense1"},
		{"square alone", flat, []ml.Layer{square}, "identity1 square <- input"},
		{"reshaped", flat, []ml.Layer{dense(48, 6, 1), ml.Reshape(3, 4, 4), square, same(2, 3, 2), ml.Flatten(), ml.Reshape(4, 8), ml.Flatten(), dense(2, 32, 3)},
			"dense1 square <- input; dense2 <- dense1"},
		{"residual", image, []ml.Layer{same(4, 3, 1), square, ml.Residual([]ml.Layer{same(4, 4, 2), square, same(4, 4, 3)}), square, same(2, 4, 4)},
			"conv1 square <- input; conv2 square <- conv1; conv3 square <- conv2 + conv1; conv4 <- conv3"},
		{"residual with projection", image, []ml.Layer{same(4, 3, 1), square, ml.Residual([]ml.Layer{half(6, 4, 2), norm(6, 3), square, same(6, 6, 4)}, half(6, 4, 5), norm(6, 6)), square, ml.Flatten(), dense(3, 96, 7)},
			"conv1 square <- input; conv2 square <- conv1; conv3 square <- conv2 + conv1; dense1 <- conv3"},
		{"residual at the end", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(5, 5, 2), square, dense(5, 5, 3)})},
			"dense1 square <- input; dense2 square <- dense1; dense3 <- dense2 + dense1"},
		{"residual of the input", flat, []ml.Layer{ml.Residual([]ml.Layer{dense(6, 6, 2), square, dense(6, 6, 3)}), square}, "dense1 square <- input; dense2 square <- dense1 + input"},
		{"linear residual", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(5, 5, 2)}), square}, "dense1 square <- input; dense2 square <- dense1"},
		{"linear residual with projection", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(4, 5, 2), dense(7, 4, 3)}, dense(7, 5, 4)), square}, "dense1 square <- input; dense3 square <- dense1"},
		{"residual after a linear layer", flat, []ml.Layer{dense(5, 6, 1), ml.Residual([]ml.Layer{dense(5, 5, 2), square}), dense(2, 5, 3)},
			"dense1 <- input; dense2 square <- dense1; dense3 <- dense2 + dense1"},
		{"linear residual after a linear layer", flat, []ml.Layer{dense(5, 6, 1), ml.Residual([]ml.Layer{dense(5, 5, 2)}), dense(2, 5, 3)}, "dense3 <- input"},
		{"residual of an activation", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{square}), dense(2, 5, 3)},
			"dense1 square <- input; identity1 square <- dense1; dense2 <- identity1 + dense1"},
		{"activations in both branches", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(4, 5, 2), square}, dense(4, 5, 3), square), square},
			"dense1 square <- input; dense2 square <- dense1; dense3 square <- dense1; residual1 square <- dense2 + dense3"},
		{"nested residuals", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(5, 5, 2), square, ml.Residual([]ml.Layer{dense(5, 5, 3), square, dense(5, 5, 4)})}), square},
			"dense1 square <- input; dense2 square <- dense1; dense3 square <- dense2; dense4 square <- dense3 + dense2 + dense1"},
		{"residuals in a row", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(5, 5, 2), square}), ml.Residual([]ml.Layer{dense(5, 5, 3), square}), dense(2, 5, 4)},
			"dense1 square <- input; dense2 square <- dense1; dense3 square <- dense2 + dense1; dense4 <- dense3 + dense2 + dense1"},
		{"pool in the body", image, []ml.Layer{same(4, 3, 1), square, ml.Residual([]ml.Layer{ml.AvgPool2d(2, 2, 0)}, half(4, 4, 2)), square}, "conv1 square <- input; avgpool1 square <- conv1"},
		{"pool in the shortcut", image, []ml.Layer{same(4, 3, 1), square, ml.Residual([]ml.Layer{half(4, 4, 2), square, same(4, 4, 3)}, ml.AvgPool2d(2, 2, 0)), square},
			"conv1 square <- input; conv2 square <- conv1; conv3 square <- conv2 + conv1 pool 2"},
		{"pools in both branches", image, []ml.Layer{same(4, 3, 1), square, ml.Residual([]ml.Layer{ml.AvgPool2d(2, 2, 0), same(4, 4, 2)}, ml.AvgPool2d(2, 2, 0)), square},
			"conv1 square <- input; conv2 square <- conv1"},
		{"batchnorm in the shortcut", flat, []ml.Layer{dense(5, 6, 1), square, ml.Residual([]ml.Layer{dense(5, 5, 2), square}, norm(5, 3)), dense(2, 5, 4)},
			"dense1 square <- input; dense2 square <- dense1; dense3 <- dense2 + dense1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := ml.SequentialFor(tc.shape, tc.layers...)
			if err != nil {
				t.Fatal(err)
			}
			stages, client, err := split(m, feature.Scaling{})
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(stages); got != tc.want || client != nil {
				t.Errorf("stages %q, want %q; the client applies %v", got, tc.want, client)
			}
			names := map[string]bool{}
			for i, st := range stages {
				if names[st.name] {
					t.Errorf("two stages are called %q", st.name)
				}
				names[st.name] = true
				if elements(st.shape) != st.rows() {
					t.Errorf("%s: %d elements of shape %v", st.name, st.rows(), st.shape)
				}
				for _, term := range st.terms {
					cols := m.InputLen()
					if term.from >= 0 {
						cols = stages[term.from].rows()
					}
					if whole, err := term.whole(); err != nil || term.from >= i {
						t.Errorf("%s reads stage %d, %v", st.name, term.from, err)
					} else {
						checkMatrix(t, whole, st.rows(), cols)
					}
				}
			}
			x := inputs(5, m.InputLen(), 3)
			y, err := (&Twin{input: m.InputLen(), stages: stages}).Scores(x)
			if err != nil {
				t.Fatal(err)
			}
			closeTo(t, y.Data, forward(t, tc.shape, x, tc.layers...), 1e-9)
		})
	}
}

// TestSplitLeavesTheEndToTheClient: a trailing softmax always, a trailing sigmoid until a target wants it.
func TestSplitLeavesTheEndToTheClient(t *testing.T) {
	for _, tc := range []struct {
		layers []ml.Layer
		want   string
		client string
	}{
		{[]ml.Layer{dense(3, 6, 1), ml.Softmax()}, "dense1 <- input", "softmax"},
		{[]ml.Layer{dense(3, 6, 1), ml.Square(), ml.Softmax()}, "dense1 square <- input", "softmax"},
		{[]ml.Layer{dense(3, 6, 1), ml.Sigmoid()}, "dense1 <- input", "sigmoid"},
		{[]ml.Layer{dense(3, 6, 1), ml.Square(), ml.Sigmoid()}, "dense1 square <- input", "sigmoid"},
		{[]ml.Layer{dense(3, 6, 1), ml.Sigmoid(), ml.Sigmoid()}, "dense1 sigmoid <- input", "sigmoid"},
	} {
		stages, client, err := split(sequential(t, tc.layers...), feature.Scaling{})
		if err != nil {
			t.Fatal(err)
		}
		if got := outline(stages); got != tc.want || client == nil || client.Kind() != tc.client {
			t.Errorf("stages %q, want %q; the client applies %v, want %s", got, tc.want, client, tc.client)
		}
		if client.Kind() == "softmax" {
			continue
		}
		before := stages[len(stages)-1].act
		ended := endIn(stages, sigmoid)
		if tail := ended[len(ended)-1]; tail.act != actPolynomial || tail.fn != sigmoid || len(ended) > len(stages) != (before != actNone) {
			t.Errorf("%q ends as %q", tc.want, outline(ended))
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	image := []int{2, 4, 4}
	for _, tc := range []struct {
		name        string
		shape       []int
		layers      []ml.Layer
		layer       int
		kind        string
		alternative string
	}{
		{"softmax inside", []int{5}, []ml.Layer{dense(4, 5, 1), ml.Softmax(), dense(2, 4, 2)}, 1, "softmax", "last layer"},
		{"softmax in a residual", []int{5}, []ml.Layer{dense(4, 5, 1), ml.Residual([]ml.Layer{ml.Softmax()})}, 1, "softmax", "last layer"},
		{"max pool", image, []ml.Layer{same(3, 2, 1), ml.MaxPool2d(2, 2, 0)}, 1, "maxpool2d", "AvgPool2d"},
		{"convolution that is too large", []int{64, 128, 128}, []ml.Layer{same(64, 64, 1)}, 0, "conv2d", "smaller images"},
		{"pool that is too large", []int{1, 2000, 2000}, []ml.Layer{ml.AvgPool2d(60, 1, 0)}, 0, "avgpool2d", "smaller images"},
		{"max pool in a residual", image, []ml.Layer{ml.Flatten(), ml.Reshape(2, 4, 4), ml.Residual([]ml.Layer{ml.MaxPool2d(3, 1, 1)})}, 2, "maxpool2d", "AvgPool2d"},
	} {
		m, err := ml.SequentialFor(tc.shape, tc.layers...)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = split(m, feature.Scaling{})
		var u *UnsupportedLayerError
		if !errors.As(err, &u) || u.Layer != tc.layer || u.Kind != tc.kind || !strings.Contains(u.Alternative, tc.alternative) || u.Reason == "" {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if n := strings.Count(err.Error(), u.Reason); n != 1 {
			t.Errorf("%s: the error says it %d times: %v", tc.name, n, err)
		}
	}
	for _, layers := range [][]ml.Layer{{ml.Flatten()}, {ml.Softmax()}, {ml.Flatten(), ml.Reshape(2, 3), ml.Flatten(), ml.Sigmoid()}} {
		m, err := ml.SequentialFor([]int{6}, layers...)
		if err != nil {
			t.Fatal(err)
		}
		if stages, _, err := split(m, feature.Scaling{}); err == nil {
			t.Errorf("%v: %q", m, outline(stages))
		}
	}
}
