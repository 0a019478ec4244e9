package docs_test

import (
	"fmt"
	"log"
	"os"

	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
)

// The snippets of howto/know-the-cost.md.
func Example_cost() {
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

	c := plan.Cost() // one thread of the machine that the library's table was measured on
	log.Println("a run takes", c.Run, "on", c.Machine)
	for _, s := range c.Scopes {
		if s.Ops > 0 {
			fmt.Printf("%s: %d rotations, level %d to %d\n", s.Name, s.Rotations, s.Entering, s.Leaving)
		}
	}
	fmt.Println("fits 100 MB:", c.PeakBytes() < 100e6)

	if path := os.Getenv("COST_TABLE"); path != "" { // a file that bench calibrate wrote
		f, err := os.Open(path)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		table, err := cost.ReadTable(f, cost.MaxBytes)
		if err != nil {
			log.Fatal(err)
		}
		mine, err := plan.CostBy(table, 2)
		if err != nil {
			log.Fatal(err)
		}
		log.Println("two threads of", mine.Machine, "take", mine.Run)
	}
	// Output:
	// dense1: 1 rotations, level 2 to 1
	// square after dense1: 0 rotations, level 1 to 0
	// dense2: 1 rotations, level 0 to 0
	// fits 100 MB: true
}
