package zk

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestEncodingDigest pins encD of docs/reference/proofs.md.
func TestEncodingDigest(t *testing.T) {
	e := Encoding{[]float64{1000, -0.25}, []float64{8, 0x1p-13}}
	const want = "eff8e35c9773cb266347372eb9732949c63cfdc6318028d1d9a3065ea71380cd"
	if got := e.digest().String(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	seen := map[Word]bool{e.digest(): true}
	for name, other := range map[string]Encoding{
		"offset":   {[]float64{1000, -0.5}, e.Units},
		"last bit": {e.Offsets, []float64{8, math.Nextafter(0x1p-13, 1)}},
		"swapped":  {e.Units, e.Offsets},
		"order":    {[]float64{-0.25, 1000}, []float64{0x1p-13, 8}},
		"one more": {[]float64{1000, -0.25, 0}, []float64{8, 0x1p-13, 0}},
	} {
		if seen[other.digest()] {
			t.Errorf("%s: a digest of two encodings", name)
		}
		seen[other.digest()] = true
	}
}

func TestEncodingCheck(t *testing.T) {
	good := Encoding{[]float64{1000, 0}, []float64{8, 0x1p-1022}}
	if err := good.check(2); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Encoding{
		"nothing":         {},
		"one feature":     {[]float64{1}, []float64{1}},
		"three features":  {[]float64{1, 2, 3}, []float64{1, 2, 3}},
		"no units":        {[]float64{1, 2}, nil},
		"no offsets":      {nil, []float64{1, 2}},
		"offset NaN":      {[]float64{1, math.NaN()}, []float64{1, 1}},
		"infinite offset": {[]float64{1, math.Inf(1)}, []float64{1, 1}},
		"offset -0":       {[]float64{1, math.Copysign(0, -1)}, []float64{1, 1}},
		"unit 0":          {[]float64{1, 1}, []float64{0, 1}},
		"negative unit":   {[]float64{1, 1}, []float64{1, -1}},
		"subnormal unit":  {[]float64{1, 1}, []float64{1, 0x1p-1023}},
		"unit NaN":        {[]float64{1, 1}, []float64{1, math.NaN()}},
		"infinite unit":   {[]float64{1, 1}, []float64{1, math.Inf(1)}},
	} {
		if e.check(2) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEncodingReal(t *testing.T) {
	e := Encoding{[]float64{1000, -0.25}, []float64{8, 0x1p-13}}
	if got, want := e.Real([]int64{1, 0, -127, 2}), []float64{1008, -0.25, -16, -0.25 + 0x1p-12}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, bad := range []struct {
		e Encoding
		v []int64
	}{{e, []int64{1}}, {Encoding{}, []int64{1}}, {Encoding{nil, []float64{1}}, []int64{1}}} {
		if got := bad.e.Real(bad.v); got != nil {
			t.Errorf("%+v of %v: got %v", bad.e, bad.v, got)
		}
	}
}

// TestEncodingJSON keeps every bit of an encoding, and refuses what is none.
//
// Soundness: S22.
func TestEncodingJSON(t *testing.T) {
	st := Statement{Kind: Inference, Version: Semantics, Input: Claim{Visibility: Public, Values: []int64{1, 2},
		Encoding: &Encoding{[]float64{math.Pi * 1e12, -1e-300}, []float64{0x1p-1000, math.Nextafter(3, 4)}}}, Output: Claim{Visibility: Public, Values: []int64{0}}}
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadStatement(strings.NewReader(string(b)), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if back.Input.Encoding.digest() != st.Input.Encoding.digest() || !strings.Contains(back.String(), "2 offsets and units") {
		t.Errorf("%s came back as %v", b, back)
	}
	var fe *FormatError
	for _, bad := range []string{`{"offsets":[1e999],"units":[1]}`, `{"offsets":["1"],"units":[1]}`, `{"offsets":[1],"units":[1],"names":["x"]}`, `[1]`} {
		doc := strings.Replace(string(b), string(b[strings.Index(string(b), `{"offsets"`):strings.Index(string(b), `}},"output"`)+1]), bad, 1)
		if _, err := ReadStatement(strings.NewReader(doc), 1<<16); !errors.As(err, &fe) {
			t.Errorf("%s: got %v, want a FormatError", bad, err)
		}
	}
}
