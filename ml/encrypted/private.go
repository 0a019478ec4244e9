package encrypted

import (
	"fmt"
	"math"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/program"
)

// privateWeights are the weights of a plan whose server must not see them: by input port of the program, what the
// model's owner encrypts for it. The program and its constants say nothing about the weights but their shapes, and the
// power of two above the largest.
type privateWeights map[string][]float64

// port appends an input port of rows of real slots at a level and a scale, and returns its ciphertexts.
func (e *singleEmitter) port(name string, rows [][]complex128, level int, scale fhe.Scale) []program.Value {
	slots, width := e.s.slots(), e.s.slots()
	largest, sum := 0.0, 0.0
	for _, row := range rows {
		for _, z := range row {
			if imag(z) != 0 {
				width = 2 * slots
			}
			largest = max(largest, math.Abs(real(z)), math.Abs(imag(z)))
			sum += real(z)*real(z) + imag(z)*imag(z)
		}
	}
	values := make([]float64, len(rows)*width)
	var runs []program.Run
	for k, row := range rows {
		for t, z := range row {
			values[k*width+t] = real(z)
			if width > slots {
				values[k*width+slots+t] = imag(z)
			}
		}
		runs = append(runs, program.Run{Ciphertext: k, SlotStep: 1, Index: k * width, IndexStep: 1, Length: width})
	}
	in := e.b.Input(program.Port{Name: name, Count: len(rows), Level: level, Degree: 1, LogSlots: e.s.logN - 1, Scale: scale,
		Bound: powerAbove(max(largest, math.Exp2(-20))), Layout: program.Layout{Shape: []int{len(rows), width}, Runs: runs}})
	e.hint(in, math.Sqrt(sum/float64(len(rows)*slots)))
	e.private[name] = values
	e.hints.PublicKey[name] = true
	return in
}

// encryptedProduct emits one product with encrypted weights at a scale.
func (e *singleEmitter) encryptedProduct(i, j int, p *product, x []program.Value, scale fhe.Scale) ([]program.Value, error) {
	b, params := e.b, e.b.Parameters()
	level, k := b.Level(x[0]), params.PCount()
	q := p.forEncrypted(level, k)
	name := "weights of " + e.c.stages[i].name
	if j > 0 {
		name += fmt.Sprintf(", term %d", j+1)
	}
	var all [][]complex128
	blocks := q.diagonals(e.s.steps[i].candidate.layout)
	for _, rows := range blocks {
		all = append(all, rows...)
	}
	in := e.port(name, all, level, scale)
	w := make([][]program.Value, len(blocks))
	for n, rows := range blocks {
		w[n], in = in[:len(rows)], in[len(rows):]
	}
	switch {
	case q.shape != nil:
		return []program.Value{q.shape.EmitEncrypted(b, x[0], w[0])}, nil
	case q.patches != nil:
		return []program.Value{q.patches.EmitEncrypted(b, x, w[0])}, nil
	}
	return q.general.EmitEncrypted(b, x, w), nil
}

// encryptedBias returns the ciphertext of an encrypted bias.
func (e *singleEmitter) encryptedBias(i, k int, z []complex128, level int, scale fhe.Scale) program.Value {
	name := "bias of " + e.c.stages[i].name
	if k > 0 {
		name += fmt.Sprintf(", part %d", k+1)
	}
	return e.port(name, [][]complex128{z}, level, scale)[0]
}

// powerAbove returns the smallest power of two that is at least x: bounds of ports are public, and an exact one would
// say more about weights and calibration data than how many bits they take.
func powerAbove(x float64) float64 { return math.Exp2(math.Ceil(math.Log2(x))) }
