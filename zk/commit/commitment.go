package commit

import (
	"encoding/hex"
	"encoding/json"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"golang.org/x/crypto/sha3"
)

// A Commitment binds whoever registers it to a matrix of weights, without telling them: one point for every row of the
// layout in the form Rows, a single one in the form Compact. It is public.
type Commitment struct {
	Form   Form
	Points []bn254.G1Affine
}

const commitmentVersion = 1

// points returns how many points a commitment has.
func (l Layout) points(f Form) int {
	if f == Compact {
		return 1
	}
	return l.Rows()
}

// Digest returns cd, the model's name in tasks and transcripts: it binds the points to a reference string, a layout, a
// circuit and a version of its semantics. A verifier computes it from the points that it uses and never takes it from
// a prover: otherwise the points could be chosen after the challenges.
func (c *Commitment) Digest(srsDigest, layoutDigest, circuitDigest [32]byte, version uint16) [32]byte {
	points := &Transcript{h: sha3.NewLegacyKeccak256()}
	for _, p := range c.Points {
		points.Point(p)
	}
	t := NewTranscript("signet/zk/cd/v1").Uint(uint64(c.Form))
	t.Word(srsDigest).Word(layoutDigest).Word(circuitDigest).Uint(uint64(version))
	return t.Word(points.Sum()).Sum()
}

// Blinds returns a digest of the points alone. It names the blinds behind them, which is what a budget counts: they are
// the same whatever circuit, reference string key or version the commitment is used with.
func (c *Commitment) Blinds() [32]byte {
	t := NewTranscript("signet/zk/blinds/v1").Uint(uint64(c.Form))
	for _, p := range c.Points {
		t.Point(p)
	}
	return t.Sum()
}

// MarshalBinary returns the commitment as a version byte, the form and the compressed points.
func (c *Commitment) MarshalBinary() ([]byte, error) {
	if err := c.Form.Validate(); err != nil {
		return nil, err
	}
	b := []byte{commitmentVersion, byte(c.Form)}
	for _, p := range c.Points {
		x := p.Bytes()
		b = append(b, x[:]...)
	}
	return b, nil
}

// UnmarshalCommitment decodes what MarshalBinary wrote for a layout: exactly as many points as that has, all on the
// curve, nothing after them. It fails with a *FormatError.
func UnmarshalCommitment(b []byte, layout Layout) (*Commitment, error) {
	if err := layout.Validate(); err != nil {
		return nil, err
	}
	d := &decoder{what: "commitment", b: b}
	d.version(commitmentVersion)
	c := &Commitment{Form: d.form()}
	if n := layout.points(c.Form); d.has(n, sizeG1) {
		c.Points = make([]bn254.G1Affine, n)
		for i := range c.Points {
			c.Points[i] = d.pointG1()
		}
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return c, nil
}

// MarshalJSON returns the form's name and the compressed points in hexadecimal.
func (c *Commitment) MarshalJSON() ([]byte, error) {
	points := make([]string, len(c.Points))
	for i, p := range c.Points {
		b := p.Bytes()
		points[i] = hex.EncodeToString(b[:])
	}
	return json.Marshal(struct {
		Form   string   `json:"form"`
		Points []string `json:"points"`
	}{c.Form.String(), points})
}
