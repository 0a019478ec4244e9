package cpu_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
)

// What a job of a program will take is known before anything is allocated, and a missing key is named before any work.
func ExampleMemory() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 12, LogQ: []int{40, 30}, LogP: []int{36}})
	if err != nil {
		log.Fatal(err)
	}
	port := program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: 11, Scale: fhe.PowerOfTwo(30), Bound: 1,
		Layout: program.Layout{Shape: []int{2048}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 2048}}}}
	b := program.NewBuilder(params)
	x := b.Input(port)[0]
	y := b.Rescale(b.MulRelin(x, x))
	b.Output(b.OutputPort("y", y, 1, port.Layout), y)
	p, consts, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cpu.Memory(p) < 4<<20)

	eng, err := cpu.Open(cpu.Config{Threads: 2})
	if err != nil {
		log.Fatal(err)
	}
	var missing *fhe.MissingKeyError
	_, err = eng.Load(context.Background(), p, consts, nil)
	fmt.Println(errors.As(err, &missing), missing.Relinearization, missing.Level)
	// Output:
	// true
	// true true 1
}
