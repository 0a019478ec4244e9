package commit

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

func TestCommitmentJSON(t *testing.T) {
	var p bn254.G1Affine
	p.ScalarMultiplicationBase(big.NewInt(7))
	for _, c := range []*Commitment{{Form: Rows, Points: []bn254.G1Affine{p, {}, p}}, {Form: Compact, Points: []bn254.G1Affine{p}}} {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		got := new(Commitment)
		if err := json.Unmarshal(b, got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, c) {
			t.Errorf("form %v: read back as %v", c.Form, got)
		}
		text := string(b)
		for name, bad := range map[string]string{
			"form":        strings.Replace(text, `"form":"`, `"form":"x`, 1),
			"no-form":     `{"points":[]}`,
			"field":       strings.Replace(text, `{`, `{"x":1,`, 1),
			"upper-case":  strings.ToUpper(text),
			"short":       strings.Replace(text, `["`, `["00`, 1),
			"no-hex":      strings.Replace(text, `["`, `["zz`, 1),
			"no-point":    strings.Replace(text, text[strings.Index(text, `["`)+2:][:64], strings.Repeat("b", 64), 1),
			"no-object":   `[]`,
			"point-types": `{"form":"rows","points":[1]}`,
		} {
			var format *FormatError
			if err := new(Commitment).UnmarshalJSON([]byte(bad)); !errors.As(err, &format) {
				t.Errorf("form %v, %s: error %v, want a *FormatError", c.Form, name, err)
			}
		}
	}
}

func FuzzCommitmentJSON(f *testing.F) {
	b, err := json.Marshal(&Commitment{Form: Rows, Points: make([]bn254.G1Affine, 2)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"form":"compact","points":["00"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := new(Commitment)
		if c.UnmarshalJSON(b) != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		d := new(Commitment)
		if err := json.Unmarshal(again, d); err != nil || !reflect.DeepEqual(c, d) {
			t.Errorf("%s reads as another commitment than %s: %v", again, b, err)
		}
	})
}
