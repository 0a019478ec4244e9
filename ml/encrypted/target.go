package encrypted

import (
	"fmt"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/ml"
)

// Packing says how samples are laid out in ciphertexts.
type Packing uint8

const (
	// Auto takes Batch if Target.Batch is above 1; otherwise Single, or Batch where Single is not possible.
	Auto Packing = iota
	// Single puts one sample into one ciphertext: lowest latency, needs rotation keys.
	Single
	// Batch puts one feature into one ciphertext, samples into its slots: highest throughput, no rotation keys.
	Batch
)

func (p Packing) String() string {
	switch p {
	case Single:
		return "single"
	case Batch:
		return "batch"
	}
	return "auto"
}

// Target says what a model is compiled for. The zero value, with a calibration set, is one sample at the lowest
// latency, 12 bits of precision and 128 bits of security.
type Target struct {
	// Calibration is a set of typical inputs, [n, input shape…]: ranges and magnitudes are measured on it. Required.
	Calibration ml.Tensor
	// MinCalibration is the smallest calibration set that is accepted; 0 means 256 samples.
	MinCalibration int

	Packing Packing
	Batch   int // samples in one run; 0 and 1 mean one

	// Precision is the number of bits, relative to the largest output, that the encrypted result shares with the
	// plan's Twin: the noise model must promise it for the worst of many slots. 0 means 12.
	Precision float64
	Security  fhe.SecurityLevel // 0 means 128 bits, classical

	// Tolerance is the largest error of a polynomial that stands for an activation, relative to the largest value that the
	// activation takes on the calibrated range: it decides the degree. 0 means 1/64, and 1/16 for an activation at the end
	// of the model.
	Tolerance float64

	// ServerActivation computes a trailing Sigmoid under encryption, by a polynomial with an error of Tolerance. Otherwise
	// the client applies it after decryption, exactly and free of levels, as it always does a trailing Softmax.
	ServerActivation bool

	// Patches lets the client send a convolution's input in patches, for a single sample: more bytes, less work for the
	// server, and fewer switching keys.
	Patches bool

	// EncryptedWeights makes the model's weights inputs of the program, for a single sample: its owner encrypts them
	// under the data owner's public key, and the server sees neither model nor data. See Plan.WeightPorts.
	EncryptedWeights bool

	// Progress, if set, is called with every choice of sizes that the search tries, from the calling goroutine.
	Progress func(Progress)
}

// Progress says where a search for parameters is.
type Progress struct {
	Packing Packing
	LogN    int // the ring that is tried: the search goes from 11 to 16, and stops at the first that serves
	Tried   int // programs that were emitted and judged so far
}

const (
	defaultCalibration = 256
	defaultPrecision   = 12
	maxBatch           = 1 << 17
	// rangeMargin is how many times as large as in the calibration set inputs may be: some will come that it lacks.
	rangeMargin = 2
)

// CalibrationError says why nothing follows from a calibration set.
type CalibrationError struct{ Reason string }

func (e *CalibrationError) Error() string { return "encrypted: " + e.Reason }

func (t Target) normalise() (Target, error) {
	if t.MinCalibration == 0 {
		t.MinCalibration = defaultCalibration
	}
	if t.Precision == 0 {
		t.Precision = defaultPrecision
	}
	if t.Batch == 0 {
		t.Batch = 1
	}
	switch {
	case t.Packing > Batch:
		return t, fmt.Errorf("encrypted: unknown packing %d", t.Packing)
	case t.Batch < 1 || t.Batch > maxBatch:
		return t, fmt.Errorf("encrypted: a batch of %d samples; 1 to %d are possible", t.Batch, maxBatch)
	case t.Packing == Single && t.Batch > 1:
		return t, fmt.Errorf("encrypted: packing single holds one sample, the target wants %d", t.Batch)
	case !(t.Precision > 0 && t.Precision <= 40):
		return t, fmt.Errorf("encrypted: a precision of %g bits; up to 40 are possible", t.Precision)
	case t.Tolerance != 0 && !(t.Tolerance > 0 && t.Tolerance < 1):
		return t, fmt.Errorf("encrypted: a tolerance of %g; between 0 and 1 is possible", t.Tolerance)
	case (t.Patches || t.EncryptedWeights) && (t.Packing == Batch || t.Batch > 1):
		return t, fmt.Errorf("encrypted: patches and encrypted weights are for a single sample")
	case t.Security > fhe.Quantum256:
		return t, fmt.Errorf("encrypted: unknown security level %d", t.Security)
	case t.MinCalibration < 1:
		return t, fmt.Errorf("encrypted: MinCalibration = %d, must be positive", t.MinCalibration)
	}
	switch {
	case t.Packing == Auto && t.Batch > 1:
		t.Packing = Batch
	case t.Packing == Auto && (t.Patches || t.EncryptedWeights):
		t.Packing = Single
	}
	return t, nil
}
