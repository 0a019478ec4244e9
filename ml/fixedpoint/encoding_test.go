package fixedpoint

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/signet-ml/signet/ml"
)

// encoded is small with units and offsets, and with a class behind relative scores.
func encoded(t testing.TB) *Model {
	d := definition([]int{2}, Interval{-127, 127}, []int{1},
		Dense{Label: "dense", In: 2, Out: 3, W: []int64{1, 2, 3, 4, 5, 6}, B: []int64{1, -1, 0}, WeightRange: symmetric(8), BiasRange: symmetric(16)},
		Argmax{"argmax"})
	d.Encoding = Encoding{Offsets: []float64{1000, -0.25}, Units: []float64{8, 0x1p-13}}
	d.Relative = true
	return build(t, d)
}

func TestEncodeFeatures(t *testing.T) {
	q := encoded(t)
	x := ml.Tensor{Shape: []int{3, 2}, Data: []float64{1000, -0.25, 1008, -0.25 + 0x1p-13, 1004, -0.25 - 3*0x1p-14}}
	got, err := q.Encode(x)
	if want := []int64{0, 0, 1, 1, 1, -1}; err != nil || !slices.Equal(got, want) { // halves up
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := q.Encode(ml.Tensor{Shape: []int{2}, Data: []float64{1e9, -1e9}}); err != nil || !slices.Equal(got, []int64{127, -127}) {
		t.Errorf("saturated: %v, %v", got, err)
	}
	e := q.Encoding()
	e.Units[0] = 3
	if q.Encoding().Units[0] != 8 || q.InputScale() != 1 {
		t.Error("the encoding is not a copy, or the scale is not 1")
	}
}

func TestEncodingRefused(t *testing.T) {
	for name, change := range map[string]func(d *Definition){
		"one offset":      func(d *Definition) { d.Encoding.Offsets = d.Encoding.Offsets[:1] },
		"no units":        func(d *Definition) { d.Encoding.Units = nil },
		"no offsets":      func(d *Definition) { d.Encoding.Offsets = nil },
		"three features":  func(d *Definition) { d.Encoding = Encoding{make([]float64, 3), []float64{1, 1, 1}} },
		"unit 0":          func(d *Definition) { d.Encoding.Units[1] = 0 },
		"negative unit":   func(d *Definition) { d.Encoding.Units[1] = -1 },
		"subnormal unit":  func(d *Definition) { d.Encoding.Units[1] = 0x1p-1023 },
		"infinite unit":   func(d *Definition) { d.Encoding.Units[1] = math.Inf(1) },
		"unit NaN":        func(d *Definition) { d.Encoding.Units[1] = math.NaN() },
		"offset NaN":      func(d *Definition) { d.Encoding.Offsets[0] = math.NaN() },
		"infinite offset": func(d *Definition) { d.Encoding.Offsets[0] = math.Inf(-1) },
		"offset -0":       func(d *Definition) { d.Encoding.Offsets[0] = math.Copysign(0, -1) },
		"a scale as well": func(d *Definition) { d.Scales[0] = 2 },
		"relative outputs": func(d *Definition) {
			d.Ops, d.OutputShape = d.Ops[:1], []int{3}
			d.Scales, d.Calibrated = d.Scales[:2], d.Calibrated[:2]
		},
	} {
		d := encoded(t).def.clone()
		change(&d)
		if _, err := New(d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestGoldenFile2 reads the bytes of version 2, which stay readable for ever.
func TestGoldenFile2(t *testing.T) {
	m := encoded(t)
	path := filepath.Join("testdata", "encoded_v2.fixedpoint")
	if *update {
		if err := os.WriteFile(path, written(t, m), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(bytes.NewReader(b), testLimit)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, m) {
		t.Errorf("%+v came back as %+v", m.def, back.def)
	}
	digest, err := back.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(digest[:]), "1b008a6a54654adefd011e63c177b5c63b650b0ee8258ec8584bfb3145701004"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}

	seen := map[[32]byte]bool{digest: true}
	for name, change := range map[string]func(d *Definition){
		"offset":   func(d *Definition) { d.Encoding.Offsets[1] = -0.5 },
		"unit":     func(d *Definition) { d.Encoding.Units[0] = 4 },
		"encoding": func(d *Definition) { d.Encoding = Encoding{} },
		"relative": func(d *Definition) { d.Relative = false },
	} {
		d := m.def.clone()
		change(&d)
		other, err := build(t, d).Digest()
		if err != nil {
			t.Fatal(err)
		}
		if seen[other] {
			t.Errorf("the digest does not see another %s", name)
		}
		seen[other] = true
	}

	var fe *FormatError
	for name, file := range map[string][]byte{
		"version 1":  append([]byte(magic), b[len(magic2):]...),
		"-0":         respell(t, b, func(doc string) string { return strings.Replace(doc, "[1000,", "[-0,", 1) }),
		"unit 0":     respell(t, b, func(doc string) string { return strings.Replace(doc, `"units":[8,`, `"units":[0,`, 1) }),
		"few units":  respell(t, b, func(doc string) string { return strings.Replace(doc, `"units":[8,`, `"units":[`, 1) }),
		"huge units": respell(t, b, func(doc string) string { return strings.Replace(doc, `"units":[8,`, `"units":[1e999,`, 1) }),
		"null units": respell(t, b, func(doc string) string { return strings.Replace(doc, `"units":[8,0.0001220703125]`, `"units":null`, 1) }),
	} {
		if bytes.Equal(file, b) {
			t.Errorf("%s: nothing changed", name)
		}
		if _, err := Read(bytes.NewReader(file), testLimit); !errors.As(err, &fe) {
			t.Errorf("%s: got %v, want a FormatError", name, err)
		}
	}
}
