package verifier

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Targets and forms.
const (
	native, solidity = 1, 2
	rows, compact    = 1, 2
)

type packing struct {
	Count  int
	Lo, Hi int64
}

func (p packing) bad() bool {
	return p.Count < 1 || p.Count >= 1<<32 || p.Lo > p.Hi || p.Lo < -1<<62 || p.Hi > 1<<62
}

type interval struct{ Lo, Hi int64 }

type block struct {
	Name          string
	Rows, Columns int
	Weight, Bias  interval
}

type layout struct {
	Blocks       []block
	Blinds       int
	Accumulators int
}

type specification struct {
	Kind          string
	Version       uint16
	Batch         int
	Input, Output packing
	Class, Hashed bool
	Layout        layout
}

// strict reads one JSON value and nothing else.
func strict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something after it")
	}
	return nil
}

func readSpecification(b []byte, form byte) (s specification, bad string) {
	if err := strict(b, &s); err != nil {
		return s, err.Error()
	}
	if again, err := json.Marshal(s); err != nil || !bytes.Equal(again, b) {
		return s, "another spelling"
	}
	private := len(s.Layout.Blocks) > 0
	switch {
	case s.Version != 1:
		return s, "another version"
	case form > compact || private != (form != 0):
		return s, "a form that does not fit"
	case private && s.Layout.bad() != "":
		return s, s.Layout.bad()
	case s.Kind == "range proof":
		if !private || s.Batch != 0 || s.Input != (packing{}) || s.Output != (packing{}) || s.Class || s.Hashed {
			return s, "a range proof with inputs or without weights"
		}
		return s, ""
	case s.Kind != "inference":
		return s, "another kind"
	case s.Batch < 1 || s.Input.bad() || s.Output.bad():
		return s, "sizes"
	case !s.Hashed && (!s.Class || s.Batch != 1 || s.Output.Count != 1):
		return s, "several outputs, not hashed"
	}
	return s, ""
}

// rows is m.
func (l layout) rows() int {
	m := 0
	for _, b := range l.Blocks {
		m = max(m, b.Rows)
	}
	return m
}

func (l layout) bad() string {
	if len(l.Blocks) > 1<<12 || l.Blinds < 0 || l.Blinds > 1<<12 || l.Accumulators < 1 || l.Accumulators > 1<<24 {
		return "too many blocks, blinds or accumulators"
	}
	n := int64(l.Blinds)
	for _, b := range l.Blocks {
		if b.Rows < 1 || b.Rows > 1<<24 || b.Columns < 1 || b.Columns > 1<<24 || len(b.Name) >= 1<<16 {
			return "size of a block"
		}
		if b.Weight.Lo > b.Weight.Hi || b.Weight.Lo < math.MinInt32 || b.Weight.Hi > math.MaxInt32 ||
			b.Bias.Lo > b.Bias.Hi || b.Bias.Lo < -1<<55 || b.Bias.Hi > 1<<55 {
			return "range of a block"
		}
		n += int64(b.Columns) + 1
	}
	if m := int64(l.rows()); n > 1<<24 || m*n > 1<<30 || m*int64(l.Blinds-1)-1 < 1 {
		return "size of the matrix"
	}
	return ""
}

func (l layout) digest() word {
	var args []any
	for _, n := range []int{l.rows(), l.Blinds, l.Accumulators, len(l.Blocks)} {
		args = append(args, number(uint64(n)))
	}
	for _, b := range l.Blocks {
		args = append(args, number(uint64(b.Rows)), number(uint64(b.Columns)))
		args = append(args, bound(b.Weight.Lo), bound(b.Weight.Hi), bound(b.Bias.Lo), bound(b.Bias.Hi))
	}
	return h("signet/zk/layout/v1", args...)
}

// A hexWord is a word in JSON.
type hexWord word

func (w *hexWord) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return errors.New("no word")
	}
	_, err := hex.Decode(w[:], b)
	return err
}

// A hexPoint is a point of G1 in JSON.
type hexPoint struct{ bn254.G1Affine }

func (p *hexPoint) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || hex.EncodeToString(raw) != string(b) {
		return errors.New("no lower-case hexadecimal")
	}
	r := &reader{rest: raw}
	p.G1Affine = r.g1()
	if bad := r.end(); bad != "" {
		return errors.New(bad)
	}
	return nil
}

type claim struct {
	Visibility string
	Values     []int64
	Digest     hexWord
}

type model struct {
	Form   string
	Points []hexPoint
}

type statement struct {
	Kind         string
	Version      uint16
	VerifyingKey hexWord
	Context      struct{ Network, Market, Task, Specification, Output, Worker hexWord }
	Model        *model
	RangeProved  bool
	Input        claim
	Output       claim
}

func readStatement(b []byte) (s statement, bad string) {
	if err := strict(b, &s); err != nil {
		return s, err.Error()
	}
	if s.Kind != "inference" && s.Kind != "range proof" {
		return s, "no such kind"
	}
	for _, c := range []claim{s.Input, s.Output} {
		if c.Visibility != "public" && c.Visibility != "hashed" && c.Visibility != "committed" {
			return s, "no such visibility"
		}
	}
	if s.Model != nil && s.Model.Form != "rows" && s.Model.Form != "compact" {
		return s, "no such form"
	}
	return s, ""
}

// fits reports whether values are those of a packing.
func (p packing) fits(values []int64) bool {
	for _, v := range values {
		if v < p.Lo || v > p.Hi {
			return false
		}
	}
	return len(values) == p.Count
}

// element returns inC or a hashed out.
func (c claim) element(tag string, p packing) (e fr.Element, bad string) {
	if c.Visibility == "public" {
		if c.Digest != (hexWord{}) || !p.fits(c.Values) {
			return e, "public values that do not fit"
		}
		return p.digest(tag, c.Values), ""
	}
	if c.Values != nil || e.SetBytesCanonical(c.Digest[:]) != nil {
		return e, "no digest, or values beside it"
	}
	return e, ""
}
