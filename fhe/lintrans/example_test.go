package lintrans_test

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/lintrans"
	"github.com/signet-ml/signet/fhe/program"
)

// zero is a 10 × 784 matrix without entries; a real one returns its columns and weights row by row.
type zero struct{}

func (zero) Rows() int                    { return 10 }
func (zero) Cols() int                    { return 784 }
func (zero) Row(int) ([]int32, []float64) { return nil, nil }

// The product of a 10 × 784 matrix and an encrypted vector.
func Example() {
	params, err := fhe.NewParameters(fhe.ParametersLiteral{LogN: 13, LogQ: []int{49, 36}, LogP: []int{49}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := lintrans.Choose(params.MaxSlots(), 10, 784, 1, 0, params.PCount(), lintrans.DefaultCost)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d diagonals, %d baby steps, sums by %v, two columns in a slot: %v\n", s.K, s.N1, s.Sums.Radices, s.Complex)

	enc := fhe.NewEncoder(params)
	rows := make([][]int64, s.K)
	for k, d := range s.Diagonals(zero{}, lintrans.Layout{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		if rows[k], err = enc.Encode(d, params.LogMaxSlots(), params.DefaultScale()); err != nil {
			fmt.Println(err)
			return
		}
	}
	c, err := program.NewPolynomials(rows, params.LogMaxSlots(), params.DefaultScale())
	if err != nil {
		fmt.Println(err)
		return
	}
	b := program.NewBuilder(params)
	x := b.Input(program.Port{Name: "x", Count: 1, Level: 1, Degree: 1, LogSlots: params.LogMaxSlots(), Scale: params.DefaultScale(), Bound: 1,
		Layout: program.Layout{Shape: []int{784}, Runs: s.Runs()}})[0]
	y := s.Sum(b, b.Rescale(s.Emit(b, x, c)))
	b.Output(b.OutputPort("y", y, 1, program.Layout{Shape: []int{10}, Runs: []program.Run{{SlotStep: 1, IndexStep: 1, Length: 10}}}), y)
	p, _, err := b.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d operations, %d rotations, %d keys\n", len(p.Ops()), p.Rotations(), len(p.Keys()))
	// Output:
	// 2 diagonals, 2 baby steps, sums by [8 8 8], two columns in a slot: true
	// 11 operations, 22 rotations, 22 keys
}
