package fhe

import (
	"fmt"

	"github.com/signet-ml/signet/fhe/internal/lattice"
)

// Encoder maps slot values to the signed integer coefficients of a plaintext polynomial and back. It holds no secret.
// Encoding happens once, when a program is compiled; programs carry the integers. It is safe for concurrent use.
type Encoder struct {
	params Parameters
	fft    *lattice.FFT
}

// NewEncoder returns an Encoder in double precision.
func NewEncoder(p Parameters) *Encoder { return &Encoder{p, p.p.rings.NewFFT()} }

// Parameters returns the encoder's parameters.
func (e *Encoder) Parameters() Parameters { return e.params }

// Encode returns the coefficients of the polynomial in X^(N/2n), n = 2^logSlots, whose slots are values·scale, rounded
// to integers. Missing values are zero. The result has 2n coefficients, each below 2^62 in magnitude; a larger one, NaN
// or an infinity is an error.
func (e *Encoder) Encode(values []complex128, logSlots int, scale Scale) ([]int64, error) {
	if logSlots < 0 || logSlots > e.params.LogMaxSlots() {
		return nil, fmt.Errorf("fhe: encode: 2^%d slots, the parameters have up to 2^%d", logSlots, e.params.LogMaxSlots())
	}
	n := 1 << logSlots
	if len(values) > n {
		return nil, fmt.Errorf("fhe: encode: %d values for %d slots", len(values), n)
	}
	if !scale.Valid() {
		return nil, fmt.Errorf("fhe: encode: invalid scale")
	}
	buf := make([]complex128, n)
	copy(buf, values)
	if err := e.fft.Coefficients(buf, logSlots); err != nil {
		return nil, fmt.Errorf("fhe: encode: %w", err)
	}
	out, s := make([]int64, 2*n), scale.Float64()
	for j, v := range buf {
		for part, x := range [2]float64{real(v), imag(v)} {
			c, err := lattice.RoundInt64(x * s)
			if err != nil {
				return nil, fmt.Errorf("fhe: encode at scale %v: %w", scale, err)
			}
			out[j+part*n] = c
		}
	}
	return out, nil
}

// EncodeReal is Encode for real slot values.
func (e *Encoder) EncodeReal(values []float64, logSlots int, scale Scale) ([]int64, error) {
	z := make([]complex128, len(values))
	for i, v := range values {
		z[i] = complex(v, 0)
	}
	return e.Encode(z, logSlots, scale)
}

// Decode returns the slot values of a polynomial in X^(N/2n) given by its 2n coefficients, already divided by the
// scale.
func (e *Encoder) Decode(coefficients []float64) ([]complex128, error) {
	n := len(coefficients) / 2
	logSlots := 0
	for 1<<logSlots < n {
		logSlots++
	}
	if 2<<logSlots != len(coefficients) || logSlots > e.params.LogMaxSlots() {
		return nil, fmt.Errorf("fhe: decode: %d coefficients are not twice a number of slots", len(coefficients))
	}
	out := make([]complex128, n)
	for j := range out {
		out[j] = complex(coefficients[j], coefficients[j+n])
	}
	if err := e.fft.Slots(out, logSlots); err != nil {
		return nil, fmt.Errorf("fhe: decode: %w", err)
	}
	return out, nil
}

// DecodeResidues returns the slot values of 2^logSlots slots of a polynomial given by its rows modulo q_0, q_1, … in
// the coefficient domain, lifted to the integers around zero and divided by scale. It overwrites the rows.
func (e *Encoder) DecodeResidues(rows [][]uint64, logSlots int, scale Scale) ([]complex128, error) {
	if logSlots < 0 || logSlots > e.params.LogMaxSlots() || !scale.Valid() {
		return nil, fmt.Errorf("fhe: decode: 2^%d slots at scale %v, the parameters have up to 2^%d", logSlots, scale, e.params.LogMaxSlots())
	}
	if len(rows) == 0 || len(rows) > e.params.MaxLevel()+1 {
		return nil, fmt.Errorf("fhe: decode: %d rows, want 1 to %d", len(rows), e.params.MaxLevel()+1)
	}
	// A message in n slots is a polynomial in X^(N/2n); the other coefficients hold nothing but noise.
	gap := e.params.N() >> (logSlots + 1)
	for i, row := range rows {
		if len(row) != e.params.N() {
			return nil, fmt.Errorf("fhe: decode: row %d has %d words, want %d", i, len(row), e.params.N())
		}
		for j := range len(row) / gap {
			row[j] = row[j*gap]
		}
		rows[i] = row[:len(row)/gap]
	}
	return e.Decode(e.params.p.rings.Centered(rows, scale.Big()))
}
