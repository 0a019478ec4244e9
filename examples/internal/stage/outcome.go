package stage

import (
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/signet-ml/signet/fhe/program/cost"
	"github.com/signet-ml/signet/ml/encrypted"
	"github.com/signet-ml/signet/ml/report"
)

// Outcome is what the steps of one encrypted inference reported.
type Outcome struct {
	Plan      *encrypted.Plan
	Keys      *Keys
	Encrypted *Encrypted
	Secrets   []string // secret keys found in the server's folder
	First     *Served
	Second    *Served // with other threads, some of the inputs again
	Decrypted *Decrypted
}

// Same reports whether the second server gave the same bits as the first.
func (o *Outcome) Same() bool {
	n := len(o.Second.Outputs)
	return n > 0 && n <= len(o.First.Outputs) && slices.Equal(o.Second.Outputs, o.First.Outputs[:n])
}

// Summary returns a summary with parameters, what was measured, and what has to hold.
func (o *Outcome) Summary(name string) *report.Summary {
	s := report.New(name)
	s.Parameters = report.ParametersOf(o.Plan.Parameters())
	s.Add(o.Figures()...)
	o.Check(s)
	return s
}

// Figures returns what was measured.
func (o *Outcome) Figures() []report.Figure {
	e, first, r := o.Encrypted, o.First, o.Decrypted
	crossing := e.Crossing()
	per := make([]float64, len(first.MS))
	for i, v := range first.MS {
		per[i] = v / float64(e.PerRun)
	}
	_, worst := o.Plan.PredictedBits()
	const keys = "evaluation keys; the secret key is not among them"
	figures := []report.Figure{
		report.Number("accuracy", "ratio", r.Accuracy, r.Samples, "predictions under encryption against the labels"),
		report.Number("accuracy_clear", "ratio", r.AccuracyClear, r.Samples, "the same model on the same samples in the clear"),
		report.Number("agreement", "ratio", r.Agreement, r.Samples, "share of samples with the same label under encryption and in the clear"),
		report.Number("agreement_twin", "ratio", r.AgreementTwin, r.Samples, "the same with the polynomials that were compiled"),
		report.Number("precision_bits", "bits", r.BitsTwin, r.Samples, "-log2(max error / max score) against the polynomials that were compiled; of the calibration set's scores too"),
		report.Number("precision_float_bits", "bits", r.BitsFloat, r.Samples, "the same against the model in the clear"),
		report.Number("predicted_bits", "bits", worst, 1, "what the compiler promised for the worst of many scores"),
		report.Median("server_ms", "ms", first.MS, "Job.Run for "+crossing).On(first.Engine, first.Threads),
		report.Median("per_image_ms", "ms", per, "server_ms by samples in a run").On(first.Engine, first.Threads),
		report.Number("load_ms", "ms", first.LoadMS, 1, "Engine.Load: keys and weights, once for many runs").On(first.Engine, first.Threads),
		report.Number("keygen_ms", "ms", o.Keys.MS, 1, "all keys, written to disk"),
		report.Median("encrypt_ms", "ms", e.MS, "for "+crossing),
		report.Median("decrypt_ms", "ms", r.MS, "for "+crossing),
		report.Number("keys_bytes", "B", float64(o.Keys.Bytes), o.Keys.Count, keys),
		report.Number("keys_wire_bytes", "B", float64(o.Keys.Bytes), o.Keys.Count, keys),
		report.Number("input_bytes", "B", float64(e.Bytes), 1, "to the server, "+crossing),
		report.Number("output_bytes", "B", float64(first.Bytes), 1, "to the owner, "+crossing),
		report.Number("peak_bytes", "B", float64(first.PeakBytes), 1, "largest resident size of the server process"),
		report.Number("rotations", "count", float64(o.Plan.Program().Rotations()), 1, "automorphisms in the program"),
	}
	// A table of this machine that cannot be read spoils a prediction, not a run.
	table, _, err := report.CostTable("")
	if err != nil {
		table = cost.Default()
	}
	if c, err := o.Plan.CostBy(table, max(1, first.Threads)); err == nil {
		figures = append(figures, report.Number("predicted_ms", "ms", float64(c.Run)/1e6, 1, "server_ms by the cost table of "+c.Machine).On(first.Engine, first.Threads))
	}
	return figures
}

// The checks that say who computed.
const (
	CheckNoKey   = "the server's folder held no secret key"
	CheckProcess = "the server ran in a process of its own"
	CheckSame    = "two server processes gave the same bits"
)

// Check adds to s what has to hold.
func (o *Outcome) Check(s *report.Summary) {
	r := o.Decrypted
	s.Check("labels under encryption agree with the clear model on at least 99 %", r.Agreement >= 0.99)
	s.Check("accuracy within 1 % of the clear model's", math.Abs(r.Accuracy-r.AccuracyClear) <= 0.01)
	s.Check("at least 12 bits of precision", r.BitsTwin >= 12)
	s.Check(CheckNoKey, len(o.Secrets) == 0)
	s.Check(CheckProcess, o.First.PID != os.Getpid())
	s.Check(CheckSame, o.Same())
}

// Crossing says what one bundle holds.
func (e *Encrypted) Crossing() string {
	if e.PerRun == 1 {
		return "a sample"
	}
	return fmt.Sprintf("%d samples together", e.PerRun)
}

func median(v []float64) float64 { return report.Median("", "", v, "").Value }

// String describes the keys to a reader.
func (k *Keys) String() string {
	if k.Count == 0 {
		return "the secret key stays with the owner; the program needs no evaluation keys"
	}
	return fmt.Sprintf("the secret key stays with the owner; evaluation keys, %d of together %s, go to the server", k.Count, report.Bytes(k.Bytes))
}

// String describes the inputs to a reader.
func (e *Encrypted) String() string {
	return fmt.Sprintf("%s to the server for %s, %.0f ms each time", report.Bytes(e.Bytes), e.Crossing(), median(e.MS))
}

// String describes the run to a reader.
func (s *Served) String() string {
	return fmt.Sprintf("process %d, %d thread(s), on %d input(s): loaded in %s, then %s for each; peak memory %s",
		s.PID, s.Threads, len(s.MS), report.Format(s.LoadMS, "ms"), report.Format(median(s.MS), "ms"), report.Bytes(s.PeakBytes))
}
