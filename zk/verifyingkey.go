package zk

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// A VerifyingKey is what a verifier trusts: the Groth16 key of one circuit, the public part of the reference string for
// the weights, and what the circuit's inputs mean. It is immutable and safe for concurrent use.
type VerifyingKey struct {
	spec       Spec
	target     Target
	form       commit.Form // 0 when the weights are public
	circuit    Word
	provenance string
	groth16    *gnarkx.VerifyingKey
	srs        commit.SRSKey
	encoded    []byte
	digest     Word
}

// private reports whether the weights are committed and not constants of the circuit.
func (s *Spec) private() bool { return len(s.Layout.Blocks) > 0 }

func newVerifyingKey(spec Spec, target Target, circuit Word, keys *gnarkx.Keys, srs *commit.SRS) (*VerifyingKey, error) {
	vk := &VerifyingKey{spec: spec, target: target, circuit: circuit, groth16: keys.VerifyingKey(), provenance: keys.Provenance()}
	if srs != nil {
		vk.form, vk.srs = srs.Form(), srs.VerifyingKey()
		vk.provenance += ", reference string " + srs.Provenance()
	}
	return vk, vk.seal()
}

// The encoding: magic, version, target, form, circuit digest, then spec (JSON), provenance, Groth16 key and reference
// string key, each behind its length in four bytes.
const (
	keyMagic   = "SGVK"
	keyVersion = 1
	keyHeader  = len(keyMagic) + 3 + 32
)

// seal computes the encoding and the digest.
func (vk *VerifyingKey) seal() error {
	spec, err := json.Marshal(vk.spec)
	if err != nil {
		return fmt.Errorf("zk: encoding a verifying key: %w", err)
	}
	groth, err := vk.groth16.MarshalBinary()
	if err != nil {
		return fmt.Errorf("zk: encoding a verifying key: %w", err)
	}
	var srs []byte
	if vk.form != 0 {
		if srs, err = vk.srs.MarshalBinary(); err != nil {
			return fmt.Errorf("zk: encoding a verifying key: %w", err)
		}
	}
	b := append([]byte(keyMagic), keyVersion, byte(vk.target), byte(vk.form))
	b = append(b, vk.circuit[:]...)
	for _, part := range [][]byte{spec, []byte(vk.provenance), groth, srs} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	vk.encoded, vk.digest = b, sha256.Sum256(b)
	return nil
}

// MarshalBinary returns the encoding that ReadVerifyingKey reads.
func (vk *VerifyingKey) MarshalBinary() ([]byte, error) { return bytes.Clone(vk.encoded), nil }

// ReadVerifyingKey reads a key from r to its end, and at most limit bytes. It fails with *FormatError for anything but
// one key in its only encoding. A key read from a stranger proves nothing: compare Digest with one that you trust.
func ReadVerifyingKey(r io.Reader, limit int64) (*VerifyingKey, error) {
	b, err := readAll(r, limit, "verifying key")
	if err != nil {
		return nil, err
	}
	refuse := func(reason string, err error) (*VerifyingKey, error) {
		return nil, &FormatError{What: "verifying key", Reason: reason, Err: err}
	}
	if len(b) < keyHeader || string(b[:len(keyMagic)]) != keyMagic {
		return refuse("does not start as one", nil)
	}
	head := b[len(keyMagic):keyHeader]
	if head[0] != keyVersion {
		return refuse(fmt.Sprintf("version %d, this library reads %d", head[0], keyVersion), nil)
	}
	vk := &VerifyingKey{target: Target(head[1]), form: commit.Form(head[2]), circuit: Word(head[3:])}
	rest := b[keyHeader:]
	var parts [4][]byte
	for i := range parts {
		if len(rest) < 4 || uint32(len(rest)-4) < binary.BigEndian.Uint32(rest) {
			return refuse("truncated", nil)
		}
		n := binary.BigEndian.Uint32(rest)
		parts[i], rest = rest[4:4+n], rest[4+n:]
	}
	if len(rest) > 0 {
		return refuse("bytes after its end", nil)
	}
	dec := json.NewDecoder(bytes.NewReader(parts[0]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&vk.spec); err != nil {
		return refuse("specification", err)
	}
	if err := vk.spec.check(vk.target, vk.form); err != nil {
		return refuse("specification", err)
	}
	vk.provenance = string(parts[1])
	if !printable(vk.provenance) {
		return refuse("provenance is longer than 256 bytes or not printable ASCII", nil)
	}
	if vk.groth16, err = gnarkx.UnmarshalVerifyingKey(parts[2]); err != nil {
		return refuse("Groth16 key", err)
	}
	switch {
	case vk.form != 0:
		if vk.srs, err = commit.UnmarshalSRSKey(parts[3]); err != nil {
			return refuse("reference string", err)
		}
		if vk.srs.Form != vk.form {
			return refuse("reference string of another form", nil)
		}
	case len(parts[3]) > 0:
		return refuse("a reference string for public weights", nil)
	}
	if err := vk.seal(); err != nil {
		return refuse("encoding", err)
	}
	if !bytes.Equal(vk.encoded, b) {
		return refuse("not in its only encoding", nil)
	}
	return vk, nil
}

// printable reports whether a stranger's text may be shown as it is.
func printable(s string) bool {
	return len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// check returns an error unless the specification is one that a circuit of this library has.
func (s *Spec) check(target Target, form commit.Form) error {
	switch {
	case s.Kind != Inference && s.Kind != RangeProof:
		return fmt.Errorf("kind %d", s.Kind)
	case s.Version != Semantics:
		return fmt.Errorf("semantics version %d, this library knows %d", s.Version, Semantics)
	case target != Native && target != Solidity:
		return fmt.Errorf("target %d", target)
	case !s.private() && (s.Layout.Blocks != nil || s.Layout.Blinds != 0 || s.Layout.Accumulators != 0):
		return errors.New("a layout without blocks")
	case s.private() != (form == commit.Rows || form == commit.Compact):
		return fmt.Errorf("commitment form %d with %d blocks of private weights", form, len(s.Layout.Blocks))
	case s.Kind == RangeProof:
		if s.Batch != 0 || s.Class || s.Hashed || s.Input != (commit.Packing{}) || s.Output != (commit.Packing{}) {
			return fmt.Errorf("inputs or outputs of a range proof")
		}
		return s.Layout.Validate()
	case s.Batch < 1:
		return fmt.Errorf("batch of %d", s.Batch)
	case !s.Hashed && (!s.Class || s.Batch != 1 || s.Output.Count != 1):
		return fmt.Errorf("only one class of one sample stands in a statement unhashed")
	}
	if err := s.Input.Validate(); err != nil {
		return err
	}
	if err := s.Output.Validate(); err != nil {
		return err
	}
	if s.private() {
		return s.Layout.Validate()
	}
	return nil
}

// Digest returns the SHA-256 digest of the encoding. Statements name the key by it.
func (vk *VerifyingKey) Digest() Word { return vk.digest }

// Spec returns what the circuit's inputs and outputs are.
func (vk *VerifyingKey) Spec() Spec { return vk.spec }

// Target returns the verifier that proofs under this key are for.
func (vk *VerifyingKey) Target() Target { return vk.target }

// Form returns the form of model commitments, 0 when the weights are public.
func (vk *VerifyingKey) Form() commit.Form { return vk.form }

// Circuit returns the digest of the compiled circuit.
func (vk *VerifyingKey) Circuit() Word { return vk.circuit }

// Provenance says where the keys come from: "local" for one machine's randomness.
func (vk *VerifyingKey) Provenance() string { return vk.provenance }

// ReferenceString returns the public part of the reference string, zero when the weights are public.
func (vk *VerifyingKey) ReferenceString() commit.SRSKey { return vk.srs }

// Groth16 returns the key of the circuit alone, which marshals to gnark's compressed encoding.
func (vk *VerifyingKey) Groth16() encoding.BinaryMarshaler { return vk.groth16 }

// ModelDigest returns the digest by which registries and tasks name a model committed to for this key. It fails with
// ErrStatement when the commitment has another form or size than the key's layout, or the key is not for inference.
func (vk *VerifyingKey) ModelDigest(m *commit.Commitment) (Word, error) {
	points := 1
	if vk.form == commit.Rows {
		points = vk.spec.Layout.Rows()
	}
	switch {
	case m == nil || !vk.spec.private() || vk.spec.Kind != Inference:
		return Word{}, fmt.Errorf("%w: no model commitment, or a key without private weights", ErrStatement)
	case m.Form != vk.form || len(m.Points) != points:
		return Word{}, fmt.Errorf("%w: model commitment of form %d with %d points, the key wants form %d with %d",
			ErrStatement, m.Form, len(m.Points), vk.form, points)
	}
	return m.Digest(vk.srs.Digest(), vk.spec.Layout.Digest(), vk.circuit, vk.spec.Version), nil
}
