package docs_test

import (
	"fmt"
	"log"
	"os"

	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/provable"
	"github.com/signet-ml/signet/zk"
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

	c := plan.Cost() // on one thread of this machine
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

// The snippets about proofs of howto/know-the-cost.md.
func Example_costOfProofs() {
	m, err := ml.Load("../ml/testdata/xor_f32.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	x, err := ml.FromRows([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})
	if err != nil {
		log.Fatal(err)
	}
	c, err := provable.Compile(m, provable.Options{Calibration: x})
	if err != nil {
		log.Fatal(err)
	}

	r := c.Estimate() // by the rates of the machine that the library's were measured on
	log.Println("a proof takes", r.Prove, "and", r.ProveBytes, "bytes of memory; the setup before it", r.Setup)
	fmt.Println(r.Constraints, "constraints, proofs of", r.ProofBytes, "bytes, good for", r.Proofs, "proofs")
	for _, l := range r.Layers {
		if l.Saturates {
			fmt.Printf("%s: %d bits, calibration saw at most %.0f\n", l.Name, l.Width(), l.Calibrated)
		}
	}
	for _, item := range r.NotProved {
		fmt.Println("not proved:", item)
	}

	if path := os.Getenv("PROOF_RATES"); path != "" { // a file that bench calibrate wrote
		f, err := os.Open(path)
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		rates, err := zk.ReadRates(f, zk.MaxRatesBytes)
		if err != nil {
			log.Fatal(err)
		}
		mine, err := c.EstimateBy(rates, zk.CacheDir("keys"))
		if err != nil {
			log.Fatal(err)
		}
		log.Println("on", mine.Machine, "a proof takes", mine.Prove, "and keys are a cache", mine.Cache)
	}
	// Output:
	// 1664 constraints, proofs of 360 bytes, good for 1001 proofs
	// 0.rescale: 8 bits, calibration saw at most 126
	// not proved: accuracy, fairness, and how the model was trained
	// not proved: the float network that the integers come from
	// not proved: that the weights are small integers, unless a registration proves it: sums hold modulo the field's order
	// not proved: anything to those who do not trust the machine that made the keys: setup local, reference string local
}
