package commit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// UnmarshalJSON reads what MarshalJSON writes and refuses unknown fields. Memory is bounded by the bytes given. The
// number of points is not checked: that needs a layout. It fails with a *FormatError.
func (c *Commitment) UnmarshalJSON(b []byte) error {
	const what = "commitment"
	var doc struct {
		Form   string   `json:"form"`
		Points []string `json:"points"`
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return badFormat(what, "%v", err)
	}
	read := Commitment{Form: Rows}
	if doc.Form == Compact.String() {
		read.Form = Compact
	}
	if doc.Form != read.Form.String() {
		return badFormat(what, "form %.20q", doc.Form)
	}
	read.Points = make([]bn254.G1Affine, len(doc.Points))
	for i, text := range doc.Points {
		raw, err := hex.DecodeString(text)
		if err != nil || hex.EncodeToString(raw) != text {
			return badFormat(what, "point %d is not in lower-case hexadecimal", i)
		}
		d := &decoder{what: what, b: raw}
		read.Points[i] = d.pointG1()
		if err := d.end(); err != nil {
			return err
		}
	}
	*c = read
	return nil
}
