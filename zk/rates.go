package zk

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Sizes are what time and memory of a circuit grow with.
type Sizes struct {
	Constraints int `json:"constraints"`
	Terms       int `json:"terms"`     // of all constraints: many with public weights, which are coefficients
	Committed   int `json:"committed"` // wires under the circuit's commitment
	Domain      int `json:"domain"`    // of the FFTs: the constraints, rounded up to a power of two
	// ProvingKeyBytes is the size of the proving key in memory, and within a few hundred bytes on disk.
	ProvingKeyBytes int64 `json:"proving_key_bytes"`
	Points          int   `json:"points"`  // of the reference string; 0 when the weights are public, as are the following
	Columns         int   `json:"columns"` // of the weight matrix
	Rows            int   `json:"rows"`
	Weights         int   `json:"weights"` // of all layers, without padding
}

// A Rate is what one thing costs: so much in any case, and so much for each of a size. Nanoseconds or bytes.
type Rate struct {
	Fixed      float64 `json:"fixed"`
	Constraint float64 `json:"constraint,omitzero"`
	Term       float64 `json:"term,omitzero"`
	Committed  float64 `json:"committed,omitzero"`
	Domain     float64 `json:"domain,omitzero"`
	KeyByte    float64 `json:"key_byte,omitzero"` // of the proving key
	Point      float64 `json:"point,omitzero"`
	Column     float64 `json:"column,omitzero"`
	Row        float64 `json:"row,omitzero"`
	Weight     float64 `json:"weight,omitzero"`
}

// Of returns the cost for sizes.
func (r Rate) Of(s Sizes) float64 {
	return r.Fixed + r.Constraint*float64(s.Constraints) + r.Term*float64(s.Terms) + r.Committed*float64(s.Committed) + r.Domain*float64(s.Domain) +
		r.KeyByte*float64(s.ProvingKeyBytes) + r.Point*float64(s.Points) + r.Column*float64(s.Columns) + r.Row*float64(s.Rows) + r.Weight*float64(s.Weights)
}

// Rates say how fast one machine is and how much memory its processes take. The zero value is not usable: take
// DefaultRates, or what bench calibrate measured, by ReadRates. Rates are a plain value.
type Rates struct {
	Schema  string `json:"schema"`  // RatesSchema
	Machine string `json:"machine"` // in words
	Threads int    `json:"threads"` // of every time
	Commit  string `json:"commit"`  // of the source that was measured

	Compile Rate `json:"compile_ns"` // the circuit
	Setup   Rate `json:"setup_ns"`   // keys and reference string, compiling included
	Load    Rate `json:"load_ns"`    // keys from the cache, compiling included
	Model   Rate `json:"model_ns"`   // committing to a model by rows
	Prove   Rate `json:"prove_ns"`   // one proof, opening and its verification included
	Verify  Rate `json:"verify_ns"`

	SetupMemory Rate `json:"setup_bytes"` // largest resident size of a process that makes keys
	ProveMemory Rate `json:"prove_bytes"` // the same of one that loads keys and an opening, and proves once
}

// RatesSchema is the value of Rates.Schema.
const RatesSchema = "signet/proof-rates/v1"

// MaxRatesBytes is a size that no file of rates exceeds.
const MaxRatesBytes = 1 << 16

const (
	maxRate     = 1e15
	maxRateText = 1 << 10
)

//go:embed rates.json
var shippedRates []byte

var defaultRates = sync.OnceValue(func() Rates {
	r, err := ReadRates(bytes.NewReader(shippedRates), MaxRatesBytes)
	if err != nil { // a test reads them
		panic("zk: the embedded rates: " + err.Error())
	}
	return r
})

// DefaultRates returns the rates that the library carries: those of one machine with two cores.
func DefaultRates() Rates { return defaultRates() }

// ReadRates reads rates in JSON from in, and at most limit bytes. It fails with *FormatError for anything else, rates
// that are negative or not numbers included.
func ReadRates(in io.Reader, limit int64) (Rates, error) {
	b, err := readAll(in, limit, "rates")
	if err != nil {
		return Rates{}, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var r Rates
	if err := dec.Decode(&r); err != nil {
		return Rates{}, &FormatError{What: "rates", Reason: "malformed", Err: err}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Rates{}, &FormatError{What: "rates", Reason: "bytes after their end"}
	}
	if err := r.Validate(); err != nil {
		return Rates{}, &FormatError{What: "rates", Reason: "not usable", Err: err}
	}
	return r, nil
}

// WriteTo writes the rates as ReadRates reads them. It fails for rates that are not valid.
func (r Rates) WriteTo(w io.Writer) (int64, error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("zk: rates: %w", err)
	}
	n, err := w.Write(append(b, '\n'))
	return int64(n), err
}

// Validate returns an error unless the rates have their schema, a machine, at least one thread, and only numbers from 0
// to 10^15.
func (r Rates) Validate() error {
	switch {
	case r.Schema != RatesSchema:
		return fmt.Errorf("zk: rates of schema %.30q, want %q", r.Schema, RatesSchema)
	case r.Machine == "" || len(r.Machine) > maxRateText || len(r.Commit) > maxRateText:
		return fmt.Errorf("zk: rates: want the machine in 1 to %d bytes, and the commit in as many at most", maxRateText)
	case r.Threads < 1:
		return fmt.Errorf("zk: rates of %d threads", r.Threads)
	}
	for _, rate := range []Rate{r.Compile, r.Setup, r.Load, r.Model, r.Prove, r.Verify, r.SetupMemory, r.ProveMemory} {
		for _, x := range []float64{rate.Fixed, rate.Constraint, rate.Term, rate.Committed, rate.Domain, rate.KeyByte, rate.Point, rate.Column, rate.Row, rate.Weight} {
			if !(x >= 0 && x <= maxRate) {
				return fmt.Errorf("zk: rates hold %v, want 0 to %v", x, maxRate)
			}
		}
	}
	return nil
}
