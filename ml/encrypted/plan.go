package encrypted

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/program"
	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml"
)

// Plan is a compiled model: parameters, program, constants, and what they will cost, known before any key exists. It
// is immutable and safe for concurrent use.
type Plan struct {
	packing   Packing
	samples   int
	classes   []string
	inputLen  int
	outputLen int
	prog      *program.Program
	consts    *program.Constants
	private   privateWeights
	domains   []program.Domain
	twin      *Twin
	bits      float64 // predicted, standard deviation
	worst     float64 // predicted, worst slot
	fidelity  Fidelity
}

// Parameters returns the parameters that the search chose.
func (p *Plan) Parameters() fhe.Parameters { return p.prog.Parameters() }

// Program returns the program that the server runs.
func (p *Plan) Program() *program.Program { return p.prog }

// Constants returns the model's weights as the program uses them. They show the model to whoever holds them.
func (p *Plan) Constants() *program.Constants { return p.consts }

// Keys returns the switching keys that the server needs, each for the highest level of its use.
func (p *Plan) Keys() []program.KeyRequirement { return p.prog.Keys() }

// Input returns the port that the client encrypts for. It takes samples in the model's own units. Where features differ in
// size, or lie far from zero, the port's Features have an offset and a power of two for each, found in the calibration set,
// which the client applies as it packs. Encrypt refuses a feature outside of twice that range and, for a batch, a sample
// whose norm is far above those of the calibration set, by index and feature.
func (p *Plan) Input() program.Port { return p.prog.Inputs()[0] }

// Output returns the port that the client decrypts. Values are in the model's units and label order.
func (p *Plan) Output() program.Port { return p.prog.Outputs()[0] }

// Activations describes how every activation is computed, in the order of the layers: its polynomial, the range that it
// is good for, its error and its levels.
func (p *Plan) Activations() []Activation { return activations(p.twin.stages) }

// Domains returns what the values that polynomials are evaluated on must hold, for a debug run to check.
func (p *Plan) Domains() []program.Domain { return slices.Clone(p.domains) }

// WeightPorts returns the ports of encrypted weights and biases that the model's owner encrypts for, under the data
// owner's public key; none unless the target asked for encrypted weights.
func (p *Plan) WeightPorts() []program.Port {
	if p.private == nil {
		return nil
	}
	return p.prog.Inputs()[1:]
}

// Weights returns what the model's owner encrypts for a port of WeightPorts, or nil for any other.
func (p *Plan) Weights(port string) []float64 {
	if p.private == nil {
		return nil
	}
	return slices.Clone(p.private[port])
}

// Packing returns the packing that was chosen: Single or Batch.
func (p *Plan) Packing() Packing { return p.packing }

// Samples returns how many samples one run holds.
func (p *Plan) Samples() int { return p.samples }

// Classes returns the model's labels, in the order of its outputs.
func (p *Plan) Classes() []string { return append([]string(nil), p.classes...) }

// Twin returns the cleartext model that the ciphertexts compute: polynomials instead of the functions they stand for,
// and the integer weights of a batch.
func (p *Plan) Twin() *Twin { return p.twin }

// ClientLayer names the layer that is left to the client, "softmax" or "sigmoid", or is empty.
func (p *Plan) ClientLayer() string {
	if p.twin.finish == nil {
		return ""
	}
	return p.twin.finish.Kind()
}

// PredictedBits returns the precision that the noise model expects relative to the largest output of the calibration
// set: of the standard deviation of the error, and of the worst among a thousand outputs.
func (p *Plan) PredictedBits() (mean, worst float64) { return p.bits, p.worst }

// Cost returns what a run takes engine cpu on one thread of this machine, by layer, by the table of cpu.Costs: the first
// call of a user may take a second, which measures the machine. See CostBy for other tables.
func (p *Plan) Cost() cost.Cost {
	c, err := p.CostBy(hereOrShipped(), 1)
	if err != nil {
		panic("encrypted: " + err.Error()) // the table is for engine cpu
	}
	return c
}

// hereOrShipped returns the cost table of this machine, or the shipped one where it cannot be measured.
func hereOrShipped() *cost.Table {
	t, err := cpu.Costs(context.Background())
	if err != nil {
		return cost.Default()
	}
	return t
}

// CostBy returns what a run takes engine cpu with a team of threads, at least 1, by a table of that engine, which
// "bench calibrate" measures on the machine at hand.
func (p *Plan) CostBy(t *cost.Table, threads int) (cost.Cost, error) {
	c, err := cpu.Estimate(p.prog, t, threads)
	if err != nil {
		return cost.Cost{}, fmt.Errorf("encrypted: %w", err)
	}
	return c, nil
}

// Pack lays up to Samples samples, [n, input shape…], out as Encrypt wants them for the plan's Input: row-major. The
// samples are repeated until the run is full, so that what is computed beside them is nothing that the plan was not made
// for.
func (p *Plan) Pack(x ml.Tensor) ([]float64, error) {
	n := x.Rows()
	if n < 1 || n > p.samples || x.Len() != n*p.inputLen || len(x.Data) != x.Len() {
		return nil, fmt.Errorf("encrypted: pack: tensor of shape %v; the plan takes up to %d samples of %d numbers", x.Shape, p.samples, p.inputLen)
	}
	in := p.Input()
	if in.Layout.Len() == p.inputLen { // one sample, whatever its shape
		return slices.Clone(x.Data), nil
	}
	return in.Fill(x.Data)
}

// Unpack returns the outputs of the model for the first n samples, [n, outputs], from what ForOwner returned for the plan's
// Output. It applies the layer that is left to the client, so a sigmoid or softmax at the end gives probabilities: give
// them to ml.Model.Labels as you would those of ml.Model.Forward. Errors are those of Scores.
func (p *Plan) Unpack(y []float64, n int) (ml.Tensor, error) {
	s, err := p.Scores(y, n)
	if err != nil {
		return s, err
	}
	return finish(p.twin.finish, s)
}

// Scores returns what the ciphertexts held for the first n samples, [n, outputs]: the outputs before the layer that is
// left to the client.
//
// It fails with *ImplausibleError when a score is larger than inputs that the plan was made for can make it: the sample
// has left the range of an activation, or the server did not run the program. Whether it fails depends on the values, so
// nobody but the owner of the key may learn of it.
func (p *Plan) Scores(y []float64, n int) (ml.Tensor, error) {
	if n < 1 || n > p.samples || len(y) != p.samples*p.outputLen {
		return ml.Tensor{}, fmt.Errorf("encrypted: unpack %d of %d samples from %d numbers, want %d", n, p.samples, len(y), p.samples*p.outputLen)
	}
	bound := p.Output().Bound
	for i, v := range y[:n*p.outputLen] {
		if !(math.Abs(v) <= bound*plausible) {
			return ml.Tensor{}, &ImplausibleError{Sample: i / p.outputLen, Output: i % p.outputLen, Bound: bound}
		}
	}
	return ml.NewTensor([]int{n, p.outputLen}, append([]float64(nil), y[:n*p.outputLen]...))
}

// plausible leaves room for noise above the bound of an output.
const plausible = 1.05

// ImplausibleError names a score that no input can have which the plan was made for. It does not hold the score.
type ImplausibleError struct {
	Sample, Output int
	Bound          float64 // the largest magnitude that a score can have
}

func (e *ImplausibleError) Error() string {
	return fmt.Sprintf("encrypted: output %d of sample %d is above %.4g, more than any input that the plan was made for gives: the sample lies outside of what the calibration set shows, or the program was not run", e.Output, e.Sample, e.Bound)
}

// InputBytes is the exact size on the wire of the input of one run, encrypted under the secret key.
func (p *Plan) InputBytes() int64 { return portBytes(p.Parameters(), p.Input(), true) }

// OutputBytes is the exact size of the output bundle.
func (p *Plan) OutputBytes() int64 { return portBytes(p.Parameters(), p.Output(), false) }

// KeysBytes is the exact size of the evaluation keys.
func (p *Plan) KeysBytes() int64 { return p.prog.KeysBytes() }

// ConstantsBytes is the exact size of the constants.
func (p *Plan) ConstantsBytes() int64 { return p.consts.Bytes() }

func portBytes(params fhe.Parameters, port program.Port, seeded bool) int64 {
	return fhe.BundleBytes(params, port.Name, port.Count, port.Degree, port.Level, seeded)
}

// String prints the plan: what a user must know before paying for it. Times are those of Cost.
func (p *Plan) String() string { return p.Describe(p.Cost()) }

// Describe is String with the times and sizes of a cost, of this plan, from CostBy.
func (p *Plan) Describe(c cost.Cost) string {
	var s strings.Builder
	in, out := p.Input(), p.Output()
	fmt.Fprintf(&s, "plan: %d inputs to %d outputs, packing %s, %d sample(s) a run\n", p.inputLen, p.outputLen, p.packing, p.samples)
	fmt.Fprintf(&s, "parameters  %v\n", p.Parameters())
	fmt.Fprintf(&s, "levels      input at %d, output at %d\n", in.Level, out.Level)
	counts := p.prog.Counts()
	fmt.Fprintf(&s, "operations  %d, of them %d rotations, %d products, %d linear combinations\n", len(p.prog.Ops()), p.prog.Rotations(),
		counts[program.Mul]+counts[program.MulRelin], counts[program.Lincomb])
	fmt.Fprintf(&s, "precision   %.1f bits expected, %.1f at the worst slot, relative to the largest output\n", p.bits, p.worst)
	fmt.Fprintf(&s, "fidelity    %v\n", p.fidelity)
	s.WriteString(p.accepted())
	fmt.Fprintf(&s, "bytes       keys %d (%d keys), input %d, output %d, constants %d, program %d\n",
		p.KeysBytes(), len(p.Keys()), p.InputBytes(), p.OutputBytes(), p.ConstantsBytes(), p.prog.Bytes())
	fmt.Fprintf(&s, "time        %s a run, %s to load, on one thread of %s\n", cost.Seconds(c.Run), cost.Seconds(c.Load), c.Machine)
	fmt.Fprintf(&s, "memory      %s at the peak of a run: keys %s, constants %s, values %s\n",
		cost.Bytes(c.PeakBytes()), cost.Bytes(c.Keys), cost.Bytes(c.Constants), cost.Bytes(c.Values))
	fmt.Fprintf(&s, "%s\n", indent(c.String()))
	if l := p.ClientLayer(); l != "" {
		fmt.Fprintf(&s, "client      applies the trailing %s after decryption\n", l)
	}
	for _, a := range p.Activations() {
		fmt.Fprintf(&s, "activation  after %s: %s; calibrated inputs lie in [%.4g,%.4g]\n", a.Layer, a.Description, a.Calibrated[0], a.Calibrated[1])
	}
	if p.private != nil {
		s.WriteString("sees        the server sees layers and sizes, neither weights nor data; the data's owner sees the output, and would see the weights if the server handed them over; the model's owner sees nothing")
	} else {
		s.WriteString("sees        the server sees the model and the sizes above, never inputs or outputs; the client sees the output only")
	}
	return s.String()
}

// accepted says what the client makes of features, and which samples it refuses.
func (p *Plan) accepted() string {
	in := p.Input()
	f := in.Features
	var s strings.Builder
	scaled := ""
	if n := len(f.Scale); n > 0 {
		scaled = ", so scaled,"
		fmt.Fprintf(&s, "features    the client subtracts an offset from each of %d and divides by %.4g to %.4g; it refuses one beyond %.4g of these\n",
			n, slices.Min(f.Scale), slices.Max(f.Scale), in.Bound)
	} else {
		fmt.Fprintf(&s, "features    the client refuses one above %.4g in magnitude\n", in.Bound)
	}
	if p.packing == Batch {
		fmt.Fprintf(&s, "samples     none can harm another: the client refuses one whose norm%s is above %.4g, and every other is computed right\n", scaled, f.Norm)
	} else {
		s.WriteString("samples     one that leaves the range of an activation below gets a wrong result, which Unpack refuses if it is too large to be one, and harms nobody else's\n")
	}
	return s.String()
}

// indent moves lines under the second column of a plan.
func indent(lines string) string {
	const column = "            "
	return column + strings.ReplaceAll(lines, "\n", "\n"+column)
}
