package zk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// A Statement is what one proof proves. It holds no secret. Verify recomputes everything that can be recomputed from
// it, so its fields are claims only until then.
//
// Kind Inference: a network with private weights that open Model (or with the weights that are constants of the
// circuit, when Model is nil), given the inputs of Input, has the outputs of Output, in exact fixed-point arithmetic of
// the given version. It does not claim that the model is accurate, that the float network would agree, how the model
// was trained, or, unless RangeProved is set and checked, that the weights are small integers: then the sums are
// claimed modulo the field's order only.
type Statement struct {
	Kind         Kind               `json:"kind"`
	Version      uint16             `json:"version"`      // of the fixed-point semantics
	VerifyingKey Word               `json:"verifyingKey"` // digest
	Context      Context            `json:"context"`
	Model        *commit.Commitment `json:"model,omitempty"`
	RangeProved  bool               `json:"rangeProved"` // Verify wants to see a registration of Model: see WithRegistration
	Input        Claim              `json:"input"`
	Output       Claim              `json:"output"`
}

var kinds = map[Kind]string{Inference: "inference", RangeProof: "range proof"}

// MarshalText returns "inference" or "range proof".
func (k Kind) MarshalText() ([]byte, error) {
	if s, ok := kinds[k]; ok {
		return []byte(s), nil
	}
	return nil, fmt.Errorf("zk: no kind %d", uint8(k))
}

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind, s := range kinds {
		if s == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("zk: no kind %.20q", text)
}

// ReadStatement reads a statement in JSON from r, and at most limit bytes. It fails with *FormatError for anything else
// than one statement, unknown fields included. It checks nothing that needs a verifying key.
func ReadStatement(r io.Reader, limit int64) (*Statement, error) {
	data, err := readAll(r, limit, "statement")
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.DisallowUnknownFields()
	st := new(Statement)
	if err := dec.Decode(st); err != nil {
		return nil, &FormatError{What: "statement", Reason: "malformed", Err: err}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &FormatError{What: "statement", Reason: "bytes after its end"}
	}
	return st, nil
}

// readAll reads r to its end, which comes after at most limit bytes.
func readAll(r io.Reader, limit int64, what string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("zk: reading a %s: %w", what, err)
	}
	if int64(len(data)) > limit {
		return nil, &FormatError{What: what, Reason: fmt.Sprintf("longer than the limit of %d bytes", limit)}
	}
	return data, nil
}

// String says in words what is claimed and what is not.
func (s *Statement) String() string {
	var b strings.Builder
	weights := "the weights that are constants of the circuit"
	if s.Model != nil {
		weights = fmt.Sprintf("private weights that open a model commitment (%d points)", len(s.Model.Points))
	}
	fmt.Fprintf(&b, "claimed: a network with %s,\n", weights)
	fmt.Fprintf(&b, "  on %s,\n  gives %s,\n", s.Input.words("input"), s.Output.words("output"))
	if e := s.Input.Encoding; e != nil {
		fmt.Fprintf(&b, "  where integers of the input are real numbers by %d offsets and units,\n", len(e.Units))
	}
	fmt.Fprintf(&b, "  in fixed-point arithmetic of version %d, under verifying key %v.\n", s.Version, s.VerifyingKey)
	if s.Context == (Context{}) {
		b.WriteString("bound to no network or task: this proof can be shown anywhere.\n")
	}
	b.WriteString("not claimed: accuracy, training, agreement with the float network")
	if s.Model != nil && !s.RangeProved {
		b.WriteString(";\n  that the weights are small integers: they are not range-proved, sums hold modulo the field's order")
	}
	b.WriteString(".\n")
	return b.String()
}

func (c Claim) words(noun string) string {
	switch {
	case c.Visibility == Public && len(c.Values) <= 16:
		return fmt.Sprintf("the public %s %v", noun, c.Values)
	case c.Visibility == Public:
		return fmt.Sprintf("a public %s of %d integers", noun, len(c.Values))
	}
	return fmt.Sprintf("%s %s %v", article(c.Visibility), noun, c.Digest)
}

func article(v Visibility) string {
	return "a " + v.String()
}

// A bound holds what both sides compute from a statement and a key before the challenges.
type bound struct {
	input, output fr.Element
	model         Word // cd, zero for public weights
	context       fr.Element
}

// bind checks st against the key and computes what both sides compute.
func (vk *VerifyingKey) bind(st *Statement) (bound, error) {
	var b bound
	refuse := func(format string, a ...any) (bound, error) {
		return b, fmt.Errorf("%w: %s", ErrStatement, fmt.Sprintf(format, a...))
	}
	spec := &vk.spec
	switch {
	case st == nil:
		return refuse("none given")
	case spec.Kind != Inference:
		return refuse("the key is for registrations: kind %d", spec.Kind)
	case st.Kind != spec.Kind || st.Version != spec.Version:
		return refuse("kind %d of version %d, the key is for kind %d of version %d", st.Kind, st.Version, spec.Kind, spec.Version)
	case st.VerifyingKey != vk.digest:
		return refuse("it names verifying key %v, this is %v", st.VerifyingKey, vk.digest)
	case (st.Model == nil) != !spec.private():
		return refuse("model commitment: present is %t, expected is %t", st.Model != nil, spec.private())
	case st.RangeProved && st.Model == nil:
		return refuse("range-proved, but without a model commitment")
	}
	var err error
	if b.input, err = st.Input.element(commit.TagInput, spec.Input); err != nil {
		return refuse("input: %v", err)
	}
	if spec.Hashed {
		b.output, err = st.Output.element(commit.TagOutput, spec.Output)
	} else {
		b.output, err = st.Output.index(spec.Output)
	}
	if err != nil {
		return refuse("output: %v", err)
	}
	if st.Output.Encoding != nil {
		return refuse("output: an encoding, which only inputs have")
	}
	encoding := st.Input.Encoding
	if encoding != nil {
		if err := encoding.check(spec.Input.Count / spec.Batch); err != nil {
			return refuse("input: encoding: %v", err)
		}
	}
	if spec.private() {
		if b.model, err = vk.ModelDigest(st.Model); err != nil {
			return b, err
		}
	}
	tag := "signet/zk/subject/v1"
	if encoding != nil {
		tag = "signet/zk/subject/v2"
	}
	subject := commit.NewTranscript(tag).
		Uint(uint64(st.Kind)).Uint(uint64(st.Version)).Word(vk.digest).Word(b.model).Element(b.input).Element(b.output)
	if encoding != nil {
		subject.Word(encoding.digest())
	}
	b.context = st.Context.value(subject.Sum())
	return b, nil
}
