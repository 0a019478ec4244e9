package nn

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// sigmoid is a table of 2^10 rows: inputs at scale 2^-7, outputs at scale 2^-15.
func sigmoid() Table {
	t := Table{Lo: -512, Values: make([]int64, 1024)}
	for i := range t.Values {
		t.Values[i] = int64(math.Round(math.Exp2(15) / (1 + math.Exp(-float64(i-512)/128))))
	}
	return t
}

// logistic returns a logistic regression on 30 features.
func logistic() Graph {
	return Graph{Batch: 1, InputLen: 30, Input: int8s, Blinds: 64, Ops: []Op{
		Dense{In: 30, Out: 1, WeightRange: int8s, BiasRange: Interval{-1 << 16, 1 << 16}},
		Rescale{Multiplier: 1, Shift: 8, Out: Interval{-512, 511}},
		sigmoid(),
	}}
}

// named are the networks whose constraints are kept in testdata/constraints.csv.
func named() []struct {
	name   string
	graph  Graph
	public bool
} {
	return []struct {
		name   string
		graph  Graph
		public bool // with public weights too
	}{
		{"logistic 30-1", logistic(), true},
		{"mlp 784-128-10", mlp(1, 784, 128, 10), true},
		{"mlp 784-128-10 x32", mlp(32, 784, 128, 10), false},
		{"lenet", lenet(), true},
		{"mlp 784-1024-256-10", mlp(1, 784, 1024, 256, 10), false},
		{"mlp 784-3072-2048-512-10", mlp(1, 784, 3072, 2048, 512, 10), false},
	}
}

func TestConstraints(t *testing.T) {
	const path = "testdata/constraints.csv"
	var got bytes.Buffer
	w := csv.NewWriter(&got)
	rows := [][]string{{"network", "weights", "part", "cause", "constraints"}}
	for _, n := range named() {
		for _, weights := range []string{"private", "public"} {
			g := n.graph
			if weights == "public" {
				if !n.public {
					continue
				}
				g.Blinds = 0
				g = random(rand.New(rand.NewPCG(1, 1)), g, true).graph
			}
			c := build1(t, g)
			for _, x := range c.Costs() {
				rows = append(rows, []string{n.name, weights, x.Part, x.Cause.String(), fmt.Sprint(x.Constraints)})
			}
			rows = append(rows, []string{n.name, weights, "total", "", fmt.Sprint(c.Constraints())})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("constraints changed (run with -update to accept):\n%s", got.Bytes())
	}
}
