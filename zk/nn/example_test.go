package nn_test

import (
	"fmt"

	"github.com/signet-ml/signet/zk/nn"
)

// A classifier with private weights: two layers with ReLU between them. The circuit belongs to the architecture; the
// weights are committed outside it.
func ExampleNew() {
	int8s, relu := nn.Interval{Lo: -127, Hi: 127}, nn.Interval{Lo: 0, Hi: 127}
	bias := nn.Interval{Lo: -1 << 16, Hi: 1 << 16}
	c, err := nn.New(nn.Graph{
		Batch: 1, InputLen: 784, Input: relu, Blinds: 3,
		Ops: []nn.Op{
			nn.Dense{Label: "hidden", In: 784, Out: 128, WeightRange: int8s, BiasRange: bias},
			nn.Rescale{Label: "relu", Multiplier: 1, Shift: 9, Out: relu},
			nn.Dense{Label: "classes", In: 128, Out: 10, WeightRange: int8s, BiasRange: bias},
			nn.Argmax{},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	layout := c.Spec().Layout
	fmt.Println("weights:", layout.Rows(), "rows,", layout.Columns(), "columns")
	fmt.Println("constraints:", c.Constraints())
	for _, x := range c.Costs() {
		fmt.Println(" ", x.Part, x.Cause, x.Constraints)
	}
	// Output:
	// weights: 128 rows, 917 columns
	// constraints: 5587
	//   input range 784
	//   input hash 1118
	//   hidden linear 911
	//   relu range 768
	//   relu product 256
	//   classes linear 137
	//   argmax product 20
	//   argmax range 40
	//   weights linear 1055
	//   tables table 132
	//   statement statement 366
}
