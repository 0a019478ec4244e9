package fixedpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/signet-ml/signet/ml"
)

const testLimit = 1 << 20

func written(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// small is a model with every op but argmax, and with weights of 1, 2, 4 and 8 bytes.
func small(t testing.TB) *Model {
	t.Helper()
	wide := Interval{-1 << 40, 1 << 40}
	d := definition([]int{1, 4, 4}, Interval{0, 7}, []int{2},
		Conv2d{Label: "conv", Channels: 1, Height: 4, Width: 4, Out: 2, Groups: 1, Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}, Padding: [2]int{1, 1}, Dilation: [2]int{1, 1},
			W: []int64{-128, 127, 0, 1, -1, 2, -3, 4}, B: []int64{-32768, 32767}, WeightRange: Interval{-128, 127}, BiasRange: Interval{-32768, 32767}},
		SumPool2d{"sum", 2, 5, 5, [2]int{2, 2}, [2]int{1, 1}, [2]int{}},
		Rescale{"rescale", 3, 7, Interval{-8, 7}},
		MaxPool2d{"max", 2, 4, 4, [2]int{2, 2}, [2]int{2, 2}, [2]int{}},
		Table{"table", -8, []int64{9, -9, 8, -8, 7, -7, 6, -6, 5, -5, 4, -4, 3, -3, 2, -2}},
		Square{"square"},
		Dense{Label: "dense", In: 8, Out: 2, W: slices.Repeat([]int64{-1 << 31, 1<<31 - 1}, 8), B: []int64{-1 << 40, 1 << 40}, WeightRange: Interval{-1 << 31, 1<<31 - 1}, BiasRange: wide})
	d.Functions = []Function{{"tanh", 4, 9}}
	d.Weights, d.Activations, d.Threshold = 8, 4, 5
	d.Classes = []string{"no", "yes <é>"}
	d.Scales[1], d.Calibrated[1] = 1./3, 0.1
	return build(t, d)
}

func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawChain(t)
		for i := range d.Scales {
			d.Scales[i] = rapid.Float64Range(math.SmallestNonzeroFloat64, math.MaxFloat64).Draw(t, "scale")
			d.Calibrated[i] = rapid.Float64Range(0, math.MaxFloat64).Draw(t, "calibrated")
		}
		m, err := New(d)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(&b, m); err != nil {
			t.Fatal(err)
		}
		back, err := Read(iotest.OneByteReader(bytes.NewReader(b.Bytes())), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v came back as %+v", m.def, back.def)
		}
	})
	m := small(t)
	back, err := Read(bytes.NewReader(written(t, m)), testLimit)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, m) {
		t.Errorf("%+v came back as %+v", m.def, back.def)
	}
}

// TestGoldenFile reads the bytes of version 1, which stay readable for ever.
func TestGoldenFile(t *testing.T) {
	m := small(t)
	path := filepath.Join("testdata", "small_v1.fixedpoint")
	if *update {
		if err := os.WriteFile(path, written(t, m), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	back, err := Read(f, testLimit)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := back.Digest()
	if err != nil {
		t.Fatal(err)
	}
	own, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	const want = "b54ab10b2c81df7e09cf7a5d359fac202c100f89865a7b2854e4440843c8538d"
	if got := hex.EncodeToString(digest[:]); got != want || digest != own {
		t.Errorf("digest %s, of the model in memory %x, want %s", got, own, want)
	}
}

// TestDigestSeesEverything changes one thing at a time.
func TestDigestSeesEverything(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, change := range map[string]func(d *Definition){
		"nothing":     func(*Definition) {},
		"weight":      func(d *Definition) { d.Ops[0].(Conv2d).W[3]++ },
		"bias":        func(d *Definition) { d.Ops[6].(Dense).B[0]++ },
		"table":       func(d *Definition) { d.Ops[4].(Table).Values[15]++ },
		"shift":       func(d *Definition) { d.Ops[2] = Rescale{"rescale", 3, 8, Interval{-8, 7}} },
		"scale":       func(d *Definition) { d.Scales[7] = math.Nextafter(1, 2) },
		"calibrated":  func(d *Definition) { d.Calibrated[7] = 1 },
		"class":       func(d *Definition) { d.Classes[0] = "never" },
		"threshold":   func(d *Definition) { d.Threshold = 6 },
		"function":    func(d *Definition) { d.Functions[0].Range = 2 },
		"input":       func(d *Definition) { d.Input.Hi = 6 },
		"input shape": func(d *Definition) { d.InputShape = []int{16} },
		"label":       func(d *Definition) { d.Ops[5] = Square{"squares"} },
	} {
		d := small(t).def.clone()
		change(&d)
		digest, err := build(t, d).Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[digest] = name
	}
}

// respell returns a file with another header.
func respell(t testing.TB, file []byte, change func(string) string) []byte {
	t.Helper()
	at := len(magic)
	n := int(binary.LittleEndian.Uint64(file[at:]))
	doc := change(string(file[at+8:][:n]))
	out := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(doc)))
	return append(append(out, doc...), file[at+8+n:]...)
}

func TestReadRefuses(t *testing.T) {
	file := written(t, small(t))
	replace := func(old, new string) []byte {
		return respell(t, file, func(doc string) string {
			if !strings.Contains(doc, old) {
				t.Fatalf("no %s in %s", old, doc)
			}
			return strings.Replace(doc, old, new, 1)
		})
	}
	long := slices.Clone(file)
	binary.LittleEndian.PutUint64(long[len(magic):], math.MaxUint64)
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"empty", "first line", nil},
		{"another magic", "does not start", append([]byte("signet/fixedpoint/v3\n"), file[len(magic):]...)},
		{"version 2", "version 1 has no encoding", append([]byte(magic2), file[len(magic):]...)},
		{"length", "header of", long},
		{"trailing", "bytes after the last weight", append(slices.Clone(file), 0)},
		{"space", "spelled", respell(t, file, func(doc string) string { return doc + " " })},
		{"inner space", "spelled", replace(`{"architecture"`, `{ "architecture"`)},
		{"twice", "spelled", replace(`"scales":`, `"scales":[2],"scales":`)},
		{"case", "spelled", replace(`"scales":`, `"Scales":`)},
		{"float", "spelled", replace(`"scales":[1,`, `"scales":[1.0,`)},
		{"escape", "spelled", replace(`"no"`, `"\u006eo"`)},
		{"long pair", "spelled", replace(`"kernel":[2,2]`, `"kernel":[2,2,2]`)},
		{"two kinds", "2 kinds", replace(`{"square":{"label":"square"}}`, `{"square":{"label":"square"},"argmax":{"label":"a"}}`)},
		{"no kind", "0 kinds", replace(`{"square":{"label":"square"}}`, `{}`)},
		{"null op", "0 kinds", replace(`{"square":{"label":"square"}}`, `null`)},
		{"unknown kind", `unknown kind "cube"`, replace(`{"square":{"label":"square"}}`, `{"cube":{"label":"square"}}`)},
		{"unknown field", "unknown field", replace(`{"square":{"label":"square"}}`, `{"square":{"label":"square","power":3}}`)},
		{"not an op", "cannot unmarshal", replace(`{"square":{"label":"square"}}`, `{"square":7}`)},
		{"not JSON", "invalid character", replace(`{"architecture"`, `architecture`)},
		{"null", "spelled", respell(t, file, func(string) string { return "null" })},
		{"semantics", "semantics version 3", replace(`"semantics":1`, `"semantics":3`)},
		{"wrong sizes", "in front", replace(`"in":8`, `"in":9`)},
		{"many weights", "exceed the limit", respell(t, file, func(doc string) string {
			doc = strings.Replace(doc, `"output_shape":[2]`, `"output_shape":[100000000]`, 1)
			return strings.Replace(doc, `"out":2,"weights":{"lo":-2147483648`, `"out":100000000,"weights":{"lo":-2147483648`, 1)
		})},
		{"weights outside", "weight 0 lies outside", replace(`{"lo":-128,"hi":127}`, `{"lo":-127,"hi":127}`)},
		{"scales", "7 scales", replace(`"scales":[1,`, `"scales":[`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.file), testLimit)
			var fe *FormatError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a FormatError with %q", err, c.want)
			}
		})
	}
	for n := range len(file) {
		if _, err := Read(bytes.NewReader(file[:n]), testLimit); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: got %v, want an unexpected EOF", n, len(file), err)
		}
	}
	for _, limit := range []int64{-1, 0, 10, int64(len(magic)) + 8, int64(len(file)) - 1} {
		if _, err := Read(bytes.NewReader(file), limit); err == nil {
			t.Errorf("limit %d for %d bytes: no error", limit, len(file))
		}
	}
	broken := errors.New("broken")
	for _, n := range []int{0, len(magic) + 20, len(file) - 1, len(file)} {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken))
		if _, err := Read(r, testLimit); !errors.Is(err, broken) {
			t.Errorf("a reader that breaks at byte %d: %v", n, err)
		}
	}
	for _, n := range []int{0, 100, len(file) - 1} {
		if err := Write(&shortWriter{n}, small(t)); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("a writer that breaks at byte %d: %v", n, err)
		}
	}
}

// shortWriter takes so many bytes.
type shortWriter struct{ left int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if n := min(len(p), w.left); n < len(p) {
		return n, io.ErrShortWrite
	}
	w.left -= len(p)
	return len(p), nil
}

func TestArchitectureJSONRefuses(t *testing.T) {
	a := small(t).Architecture()
	doc, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for old, new := range map[string]string{
		`"semantics":1`: `"semantics":0`, `"ops":`: `"opz":`, `"label":"square"`: `"label":""`, `"shift":7`: `"shift":77`, `{"square"`: `{"cube"`, `"in":8`: `"in":-8`,
	} {
		if !bytes.Contains(doc, []byte(old)) {
			t.Fatalf("no %s in %s", old, doc)
		}
		back := Architecture{Threshold: 9}
		if err := json.Unmarshal(bytes.Replace(doc, []byte(old), []byte(new), 1), &back); err == nil {
			t.Errorf("%s for %s: no error", new, old)
		}
		if back.Threshold != 9 {
			t.Errorf("%s for %s: the receiver changed", new, old)
		}
	}
}

// FuzzRead feeds bytes to the decoder: what it accepts, it writes again to the byte, and
// evaluates without leaving its intervals.
func FuzzRead(f *testing.F) {
	file := written(f, small(f))
	f.Add(file)
	f.Add(respell(f, file, func(doc string) string { return strings.Replace(doc, `"padding":[1,1]`, `"padding":[16383,1]`, 1) }))
	f.Add(respell(f, file, func(doc string) string { return strings.Replace(doc, `"stride":[1,1]`, `"stride":[1,9]`, 1) }))
	f.Add(respell(f, file, func(doc string) string { return strings.Replace(doc, `"groups":1`, `"groups":0`, 1) }))
	r := seeded(20)
	m, err := ml.SequentialFor([]int{3}, r.dense(3, 2), ml.Tanh(), r.dense(2, 2))
	if err != nil {
		f.Fatal(err)
	}
	q, err := Quantize(m, Options{Calibration: r.tensor(-1, 1, 4, 3), Class: true, TableBits: 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(written(f, q))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(b), 1<<16)
		if err != nil {
			return
		}
		if again := written(t, m); !bytes.Equal(again, b) {
			t.Fatalf("%q is written as %q", b, again)
		}
		if slices.Max(m.sizes) > 1<<16 {
			return
		}
		in := slices.Repeat([]int64{m.Input().Hi, m.Input().Lo}, m.InputLen())[:m.InputLen()]
		trace, err := m.Trace(in, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Intervals(false) {
			for _, x := range trace[i] {
				if !v.Contains(x) {
					t.Fatalf("tensor %d: %d outside %v", i, x, v)
				}
			}
		}
		m.Ranges()
	})
}

// FuzzArchitecture does the same for the JSON of an architecture.
func FuzzArchitecture(f *testing.F) {
	doc, err := json.Marshal(small(f).Architecture())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, back Architecture
		if json.Unmarshal(b, &a) != nil {
			return
		}
		doc, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(doc, &back); err != nil {
			t.Fatal(err)
		}
		if err := a.differs(back); err != nil {
			t.Fatal(err)
		}
	})
}
