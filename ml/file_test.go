package ml

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// file assembles a model file from a header and a body.
func file(header string, body ...float64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for _, v := range body {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

func encode(t testing.TB, m *Model) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Write(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// cnn has a layer of every kind that mlp has not.
func cnn(t testing.TB) *Model {
	t.Helper()
	seq := func(shape ...int) Tensor {
		n, err := shapeLen(shape)
		if err != nil {
			t.Fatal(err)
		}
		x := Tensor{Shape: shape, Data: make([]float64, n)}
		for i := range x.Data {
			x.Data[i] = float64(i%7-3) / 4
		}
		return x
	}
	return model(t, []int{6, 6},
		Reshape(1, 6, 6),
		Conv2d(seq(2, 1, 3, 3), []float64{1, -1}, ConvOptions{Stride: [2]int{1, 2}, Padding: [2]int{1, 2}}),
		BatchNorm([]float64{1, 2}, []float64{0.5, 0}, []float64{0, 1}, []float64{1, 3}, 1e-5),
		SiLU(),
		Residual(
			[]Layer{Conv2d(seq(4, 1, 1, 3), nil, ConvOptions{Padding: [2]int{0, 2}, Dilation: [2]int{1, 2}, Groups: 2}), GELU(), Residual([]Layer{Tanh()})},
			Conv2d(seq(4, 2, 1, 1), nil, ConvOptions{})),
		MaxPool2d(2, 0, 0),
		AvgPool2d(2, 1, 1),
		ReLU(), Flatten(), Dense(seq(1, 48), nil), Sigmoid())
}

func TestWriteGolden(t *testing.T) {
	two, err := mlp(t).WithClasses("cat", "dog")
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*Model{"mlp_v1.safetensors": two, "cnn_v1.safetensors": cnn(t)} {
		got := encode(t, m)
		if !bytes.Equal(got, encode(t, m)) {
			t.Fatal("two writes of one model differ")
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("bytes differ from %s:\n%q\n%q", path, got, want)
		}
		back, err := Read(bytes.NewReader(want), int64(len(want)))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, m) {
			t.Errorf("read %v, want %v", back, m)
		}
		if (8+binary.LittleEndian.Uint64(want))%8 != 0 {
			t.Errorf("%s: numbers do not start on 8 bytes", path)
		}
	}
}

func TestLoadPythonF32(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "xor_f32.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Predict(mustTensor(t, []int{4, 2}, 0, 0, 0, 1, 1, 0, 1, 1))
	if err != nil || !reflect.DeepEqual(got, []int{0, 1, 1, 0}) || m.Classes()[1] != "different" {
		t.Errorf("xor: %v, %v, classes %v", got, err, m.Classes())
	}
}

// TestLoadPythonConvolution: the lines are two edges of 6 pixels, and each end of one is
// an edge of 2 pixels the other way.
func TestLoadPythonConvolution(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "lines_f32.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	x := Tensor{Shape: []int{2, 6, 6}, Data: make([]float64, 72)}
	for i := range 6 {
		x.Row(0)[6*i+3], x.Row(1)[6*2+i] = 1, 1
	}
	along, across := (2.*(5*4+2))/49, (2.*2)/49
	y := forward(t, m, x)
	for i, want := range []float64{along, across, across, along} {
		if math.Abs(y.Data[i]-want) > 1e-15 {
			t.Errorf("score %d: %v, want %v", i, y.Data[i], want)
		}
	}
	if c := m.Classes(); m.Labels(y)[0] != 0 || m.Labels(y)[1] != 1 || c[0] != "vertical" || c[1] != "horizontal" {
		t.Errorf("labels %v of %v", m.Labels(y), c)
	}
}

func TestSaveLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	m := mlp(t)
	for range 2 { // the second replaces the first
		if err := Save(path, m); err != nil {
			t.Fatal(err)
		}
	}
	back, err := Load(path)
	if err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("loaded %v, %v", back, err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("temporary files stayed: %v", names)
	}
	if err := Save(filepath.Join(dir, "none", "m"), m); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("save into a missing folder: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("load of a missing file: %v", err)
	}
	if err := Write(failingWriter{}, m); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write error lost: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// one is the metadata of a model with one dense layer "w" of shape [1, 2].
const (
	oneMeta = `"__metadata__":{"signet":"{\"schema\":\"signet/model/v1\",\"input\":[2],\"layers\":[{\"kind\":\"dense\",\"weight\":\"w\"}]}"}`
	oneW    = `"w":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]}`
)

// meta returns metadata with another layer list.
func meta(list string) string {
	return `"__metadata__":{"signet":"` + strings.ReplaceAll(list, `"`, `\"`) + `"}`
}

func TestReadAccepts(t *testing.T) {
	for name, b := range map[string][]byte{
		"plain":          file(`{`+oneMeta+`,`+oneW+`}`, 1, 2),
		"padding":        file(`{`+oneMeta+`,`+oneW+"}   \n", 1, 2),
		"metadata last":  file(`{`+oneW+`,`+oneMeta+`}`, 1, 2),
		"other metadata": file(`{`+strings.Replace(oneMeta, `{"signet"`, `{"format":"pt","signet"`, 1)+`,`+oneW+`}`, 1, 2),
		"no tensors":     file(`{` + meta(`{"schema":"signet/model/v1","input":[3,3],"layers":[{"kind":"square"}]}`) + `}`),
	} {
		if _, err := Read(iotest.OneByteReader(bytes.NewReader(b)), int64(len(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := file(`{`+oneMeta+`,`+oneW+`}`, 1, 2)
	tensor := func(spec string) []byte { return file(`{`+oneMeta+`,`+spec+`}`, 1, 2) }
	list := func(l string) []byte { return file(`{`+meta(l)+`,`+oneW+`}`, 1, 2) }
	huge := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	for _, c := range []struct {
		name, want string // want is part of the message
		b          []byte
	}{
		{"empty", "header length", nil},
		{"short length", "header length", good[:5]},
		{"huge header", "header length", huge},
		{"short header", "header", good[:20]},
		{"truncated", "8 of 16 bytes", good[:len(good)-8]},
		{"trailing", "after the last tensor", append(bytes.Clone(good), 0)},
		{"not an object", "'{'", file(`[1]`)},
		{"space first", "'{'", file(` {}`)},
		{"broken json", "header", file(`{"w":`)},
		{"unclosed", "header", file(`{`+oneMeta+`,`+oneW, 1, 2)},
		{"two objects", "after the JSON object", file(`{`+oneMeta+`,`+oneW+`}{}`, 1, 2)},
		{"no metadata", "no layer list", file(`{`+oneW+`}`, 1, 2)},
		{"null metadata", "object should be", file(`{"__metadata__":null,`+oneW+`}`, 1, 2)},
		{"metadata number", "signet", file(`{"__metadata__":{"signet":1},`+oneW+`}`, 1, 2)},
		{"tensor twice", "twice", file(`{`+oneMeta+`,`+oneW+`,`+oneW+`}`, 1, 2)},
		{"metadata twice", "twice", file(`{`+oneMeta+`,`+oneMeta+`,`+oneW+`}`, 1, 2)},
		{"signet twice", "twice", file(`{"__metadata__":{"signet":"{}","signet":"{}"}}`)},
		{"unknown field", "unknown field", tensor(`"w":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16],"x":1}`)},
		{"dtype", "want F64, F32, F16 or BF16", tensor(`"w":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]}`)},
		{"no shape", "no shape", tensor(`"w":{"dtype":"F64","shape":[],"data_offsets":[0,8]}`)},
		{"zero size", "shape", tensor(`"w":{"dtype":"F64","shape":[0,2],"data_offsets":[0,0]}`)},
		{"negative size", "shape", tensor(`"w":{"dtype":"F64","shape":[-1,-2],"data_offsets":[0,16]}`)},
		{"overflow", "shape", tensor(`"w":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}`)},
		{"size mismatch", "want 24", tensor(`"w":{"dtype":"F64","shape":[1,3],"data_offsets":[0,16]}`)},
		{"offset count", "offsets", tensor(`"w":{"dtype":"F64","shape":[1,2],"data_offsets":[0]}`)},
		{"offsets reversed", "offsets", tensor(`"w":{"dtype":"F64","shape":[1,2],"data_offsets":[16,0]}`)},
		{"negative offset", "offsets", tensor(`"w":{"dtype":"F64","shape":[1,2],"data_offsets":[-8,8]}`)},
		{"gap", "gap of 8", tensor(`"w":{"dtype":"F64","shape":[1,2],"data_offsets":[8,24]}`)},
		{"overlap", "overlaps", tensor(`"v":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},` + oneW)},
		{"unused tensor", "belong to no layer", file(`{`+oneMeta+`,`+oneW+`,"v":{"dtype":"F64","shape":[1],"data_offsets":[16,24]}}`, 1, 2, 3)},
		{"list not json", "layer list", list(`{`)},
		{"schema", `want "signet/model/v1"`, list(`{"schema":"signet/model/v2","new":1}`)},
		{"list field", "unknown field", list(`{"schema":"signet/model/v1","input":[2],"layers":[],"x":1}`)},
		{"list field twice", "twice", list(`{"schema":"signet/model/v1","input":[2],"input":[3],"layers":[]}`)},
		{"layer field twice", "twice", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w","kind":"square"}]}`)},
		{"layer field in capitals", `unknown field "Weight"`, list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w","Weight":"u"}]}`)},
		{"layer not an object", "layer 1: dense where an object", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w"},"dense"]}`)},
		{"no layers", "at least one layer", file(`{` + meta(`{"schema":"signet/model/v1","input":[2]}`) + `}`)},
		{"counter", "PyTorch's counter", tensor(`"1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}`)},
		{"F16 of too many bytes", "want 4", tensor(`"w":{"dtype":"F16","shape":[1,2],"data_offsets":[0,16]}`)},
		{"no kind", "no kind, want one of avgpool2d, batchnorm,",
			list(`{"schema":"signet/model/v1","input":[2],"layers":[{"weight":"w"}]}`)},
		{"unknown kind", "unknown kind, want one of avgpool2d, batchnorm, conv2d, dense,",
			list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"lstm"}]}`)},
		{"missing tensor", "not in the file", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"u"}]}`)},
		{"tensor reused", "used twice", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w"},{"kind":"dense","weight":"w"}]}`)},
		{"square with weight", `unknown field "weight"`, list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"square","weight":"w"}]}`)},
		{"bias of two dimensions", "one dimension", file(`{`+meta(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w","bias":"b"}]}`)+`,`+oneW+`,"b":{"dtype":"F64","shape":[1,1],"data_offsets":[16,24]}}`, 1, 2, 3)},
		{"input", "columns of the weight", list(`{"schema":"signet/model/v1","input":[3],"layers":[{"kind":"dense","weight":"w"}]}`)},
		{"classes", "class names", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w"}],"classes":["a"]}`)},
		{"nan", "is NaN", file(`{`+oneMeta+`,`+oneW+`}`, 1, math.NaN())},
	} {
		_, err := Read(bytes.NewReader(c.b), 1<<20)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want *FormatError with %q", c.name, err, c.want)
		}
	}
	for n := range good {
		if _, err := Read(bytes.NewReader(good[:n]), 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("first %d bytes: %v, want io.ErrUnexpectedEOF", n, err)
		}
	}
	for _, limit := range []int64{-1, 0, 7, 8, int64(len(good)) - 1} {
		if _, err := Read(bytes.NewReader(good), limit); err == nil {
			t.Errorf("limit=%d accepted %d bytes", limit, len(good))
		}
	}
	if _, err := Read(iotest.ErrReader(io.ErrClosedPipe), 1<<20); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reader's error lost: %v", err)
	}
}

// foreignFiles are files that people take for a model, or that arrive in its place.
var foreignFiles = []struct{ name, want, head string }{
	{"web page", "a web page (HTML or XML), not a model: download the file itself",
		"<!DOCTYPE html>\n<html><head><title>Not Found"},
	{"short web page", "a web page", "<html>"},
	{"git-lfs", "a Git LFS pointer, not a model: fetch the file that it stands for with git lfs pull",
		"version https://git-lfs.github.com/spec/v1\n" +
			"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"},
	{"torch", "a PyTorch file (.pt, .pth: a zip archive with a pickle), not a model: write its tensors as safetensors",
		"PK\x03\x04\x00\x00\x08\x08" + strings.Repeat("\x00", 18) + "\x0c\x00\x04\x00net/data.pkl"},
	{"zip", "a zip archive, not a model", "PK\x03\x04\x14\x00\x00\x00"},
	{"pickle", "a Python pickle, not a model: write its tensors as safetensors",
		"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."},
	{"short pickle", "a Python pickle", "\x80\x04N."},
	{"npy", "a NumPy array (.npy)", "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }\n"},
	{"keras", "an HDF5 file (.h5, as Keras writes)", "\x89HDF\r\n\x1a\n\x00\x00\x00\x00\x00\x08\x08"},
	{"onnx", "an ONNX model (protobuf), not a model: write its tensors",
		"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x8f\x01\n"},
	{"gguf", "a GGUF model", "GGUF\x03\x00\x00\x00\x00\x00"},
	// Its first eight bytes are a length of 559,903, which a header could have.
	{"gzip", "a gzip file, not a model: decompress it first", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV"},
	{"json", "a JSON document, not a model: write its tensors", `{"schema":"signet/model/v1","input":[2],"layers":[]}`},
	{"short json", "a JSON document", `{}`},
	{"indented json", "a JSON document", "{\n  \"layers\": []\n}"},
	{"utf-16", "text in UTF-16, not a model", "\xff\xfe{\x00}\x00\x00\x00\x00\x00"},
}

func TestReadNamesForeignFiles(t *testing.T) {
	for _, c := range foreignFiles {
		for _, b := range [][]byte{[]byte(c.head), append([]byte(c.head), make([]byte, 1<<10)...)} {
			_, err := Read(iotest.OneByteReader(bytes.NewReader(b)), 1<<20)
			var fe *FormatError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s of %d bytes: %v, want *FormatError with %q", c.name, len(b), err, c.want)
			}
		}
		// A limit hides the end of the file, never what the start says.
		if _, err := Read(strings.NewReader(c.head), 64); len(c.head) <= 64 && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, limit of 64 bytes: %v, want %q", c.name, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, []byte(foreignFiles[0].head), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path+": ml: model file: a web page") {
		t.Errorf("load: %v, want the path and what the file is", err)
	}
	// A file of ours is not mistaken for another, whatever its length is.
	for _, length := range []int{0x0280, 0x8b1f, 0x4b50} { // starts of a pickle, a gzip file and a zip archive
		header := `{` + oneMeta + `,` + oneW + `}`
		b := file(header+strings.Repeat(" ", length-len(header)), 1, 2)
		if _, err := Read(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Errorf("header of %d bytes: %v", length, err)
		}
	}
}

// TestReadAllocatesByBytesReceived promises 4 GiB and delivers nothing.
func TestReadAllocatesByBytesReceived(t *testing.T) {
	b := file(`{` + oneMeta + `,"w":{"dtype":"F64","shape":[1,536870912],"data_offsets":[0,4294967296]}}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Read(bytes.NewReader(b), math.MaxInt64)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("allocated %d bytes", got)
	}
}

// TestReadNamesTensors: an error about the names of tensors lists those that do not match.
func TestReadNamesTensors(t *testing.T) {
	// The file has the tensors in, each of shape [1, 2], and dense layers for those in layers.
	build := func(in []string, layers ...string) []byte {
		list, header := []string{}, ""
		for _, name := range layers {
			list = append(list, `{"kind":"residual","body":[{"kind":"dense","weight":"`+name+`"}]}`)
		}
		for i, name := range in {
			header += fmt.Sprintf(`,%q:{"dtype":"F64","shape":[1,2],"data_offsets":[%d,%d]}`, name, 16*i, 16*i+16)
		}
		doc := `{"schema":"signet/model/v1","input":[2],"layers":[` + strings.Join(list, ",") + `]}`
		return file(`{`+meta(doc)+header+`}`, make([]float64, 2*len(in))...)
	}
	ten := strings.Split("a b c d e f g h i j", " ")
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"prefix", `layer 0 (residual): body: layer 0 (dense): tensor "fc1" is not in the file; missing are "fc1", "fc2"; ` +
			`the file has "net.fc1", "net.fc2", which no layer names`, build([]string{"net.fc1", "net.fc2"}, "fc1", "fc2")},
		{"one missing", `tensor "b" is not in the file`, build([]string{"a"}, "a", "b")},
		{"ten unused", `10 of 11 tensors belong to no layer: "a", "b", "c", "d", "e", "f", "g", "h", and 2 more; name each`,
			file(`{`+oneMeta+`,`+oneW+func() (s string) {
				for i, name := range ten {
					s += fmt.Sprintf(`,%q:{"dtype":"F64","shape":[1],"data_offsets":[%d,%d]}`, name, 16+8*i, 24+8*i)
				}
				return s
			}()+`}`, make([]float64, 12)...)},
		{"ten missing", `missing are "a", "b", "c", "d", "e", "f", "g", "h", and 2 more`, build([]string{"z"}, ten...)},
	} {
		_, err := Read(bytes.NewReader(c.b), 1<<20)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want *FormatError with %q", c.name, err, c.want)
		}
	}
}

// TestLayerKinds: the kinds that an error lists are those that are read, and the other way
// round.
func TestLayerKinds(t *testing.T) {
	for _, kind := range layerKinds {
		d := layerDecoder{left: 1}
		_, err := d.layers([]json.RawMessage{json.RawMessage(`{"kind":"` + kind + `"}`)}, 0)
		if err != nil && strings.Contains(err.Error(), "unknown kind") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if !slices.IsSorted(layerKinds) {
		t.Errorf("kinds %v are not in order", layerKinds)
	}
	layers := append(slices.Clone(cnn(t).layers), mlp(t).layers...)
	layers = append(layers, Tanh(), GELU(), Square(), Softmax())
	seen := map[string]bool{}
	for _, l := range layers {
		if seen[l.Kind()] = true; !slices.Contains(layerKinds, l.Kind()) {
			t.Errorf("%s is not listed", l.Kind())
		}
	}
	if len(seen) != len(layerKinds) {
		t.Errorf("layers of %d kinds, %d are listed", len(seen), len(layerKinds))
	}
}

// hostileLists are layer lists that ask for much, or for what does not fit. The file has
// one tensor, "w" of shape [1, 1, 2, 2]. An empty want is a list that is read.
var hostileLists = []struct{ name, want, layers string }{
	{"plain conv", "", `[{"kind":"conv2d","weight":"w"}]`},
	{"defaults written out", "", `[{"kind":"conv2d","weight":"w","stride":[1,1],"padding":[0,0],"dilation":[1,1],"groups":1}]`},
	{"huge stride", "stride of 9007199254740993", `[{"kind":"conv2d","weight":"w","stride":[1,9007199254740993]}]`},
	{"stride beyond an int", "stride", `[{"kind":"conv2d","weight":"w","stride":[1,1e300]}]`},
	{"zero stride", "stride of 0", `[{"kind":"conv2d","weight":"w","stride":[0,1]}]`},
	{"one stride", "want [rows, columns]", `[{"kind":"conv2d","weight":"w","stride":[2]}]`},
	{"three strides", "want [rows, columns]", `[{"kind":"conv2d","weight":"w","stride":[2,2,2]}]`},
	{"no strides", "want [rows, columns]", `[{"kind":"conv2d","weight":"w","stride":[]}]`},
	{"stride a number", "stride", `[{"kind":"conv2d","weight":"w","stride":2}]`},
	{"negative padding", "padding of -1", `[{"kind":"conv2d","weight":"w","padding":[-1,0]}]`},
	{"padding beyond the kernel", "at most 1", `[{"kind":"conv2d","weight":"w","padding":[2,2]}]`},
	{"padding and dilation bomb", "at most 134217728 elements", `[{"kind":"conv2d","weight":"w","dilation":[16384,16384],"padding":[16384,16384]}]`},
	{"huge dilation", "dilation", `[{"kind":"conv2d","weight":"w","dilation":[4611686018427387904,1]}]`},
	{"groups", "2 groups for 1", `[{"kind":"conv2d","weight":"w","groups":2}]`},
	{"no groups", "0 groups", `[{"kind":"conv2d","weight":"w","groups":0}]`},
	{"huge groups", "groups", `[{"kind":"conv2d","weight":"w","groups":9223372036854775807}]`},
	{"channels", "1 channels", `[{"kind":"reshape","shape":[2,4,2]},{"kind":"conv2d","weight":"w"}]`},
	{"conv as dense", "[out in]", `[{"kind":"dense","weight":"w"}]`},
	{"conv without weight", "no weight", `[{"kind":"conv2d"}]`},
	{"conv with kernel", "unknown field", `[{"kind":"conv2d","weight":"w","kernel":[2,2]}]`},
	{"weight as bias", "used twice", `[{"kind":"conv2d","weight":"w","bias":"w"}]`},
	{"pool without kernel", "kernel of 0", `[{"kind":"avgpool2d"},{"kind":"conv2d","weight":"w"}]`},
	{"pool padding", "at most 1", `[{"kind":"maxpool2d","kernel":[2,2],"padding":[2,0]},{"kind":"conv2d","weight":"w"}]`},
	{"pool beyond the image", "at least 5 rows", `[{"kind":"maxpool2d","kernel":[5,1]},{"kind":"conv2d","weight":"w"}]`},
	{"pool with dilation", "unknown field", `[{"kind":"avgpool2d","kernel":[2,2],"dilation":[1,1]},{"kind":"conv2d","weight":"w"}]`},
	{"no epsilon", "no epsilon", `[{"kind":"batchnorm"},{"kind":"conv2d","weight":"w"}]`},
	{"batchnorm of an image", "one dimension", `[{"kind":"batchnorm","mean":"w","var":"w","epsilon":1}]`},
	{"batchnorm of nothing", "one number per channel", `[{"kind":"batchnorm","epsilon":1},{"kind":"conv2d","weight":"w"}]`},
	{"reshape", "as many elements", `[{"kind":"reshape","shape":[17]},{"kind":"conv2d","weight":"w"}]`},
	{"reshape overflow", "fits an int", `[{"kind":"reshape","shape":[4294967296,4294967297]},{"kind":"conv2d","weight":"w"}]`},
	{"residual of conv", "", `[{"kind":"residual","body":[{"kind":"conv2d","weight":"w"}],"shortcut":[{"kind":"avgpool2d","kernel":[2,2],"stride":[1,1]}]}]`},
	{"residual of shapes", "the output of the body", `[{"kind":"residual","body":[{"kind":"conv2d","weight":"w"}]}]`},
	{"residual of nothing", "without a body", `[{"kind":"residual"},{"kind":"conv2d","weight":"w"}]`},
	{"weight in two parts", "shortcut: layer 0 (conv2d): tensor \"w\" is used twice", `[{"kind":"residual","body":[{"kind":"conv2d","weight":"w"}],"shortcut":[{"kind":"conv2d","weight":"w"}]}]`},
	{"unknown inside", "body: layer 0 (lstm): unknown kind", `[{"kind":"residual","body":[{"kind":"lstm"}]}]`},
	{"body not a list", "body", `[{"kind":"residual","body":{"kind":"square"}}]`},
	{"layers null", "belong to no layer", `null`},
	{"nested 9 deep", "more than 8 deep", `[` + strings.Repeat(`{"kind":"residual","body":[`, 9) + `{"kind":"square"}` + strings.Repeat(`]}`, 9) + `]`},
	{"nested 4000 deep", "more than 8 deep", `[` + strings.Repeat(`{"kind":"residual","body":[`, 4000) + `{"kind":"square"}` + strings.Repeat(`]}`, 4000) + `]`},
	{"nested bomb", "max depth", `[` + strings.Repeat(`{"kind":"residual","body":[`, 5000) + `{"kind":"square"}` + strings.Repeat(`]}`, 5000) + `]`},
	{"wide bomb", "more than 4096", `[{"kind":"residual","body":[{"kind":"square"}` + strings.Repeat(`,{"kind":"square"}`, 5000) + `]}]`},
}

func hostile(layers string) []byte {
	return file(`{`+meta(`{"schema":"signet/model/v1","input":[1,4,4],"layers":`+layers+`}`)+`,"w":{"dtype":"F64","shape":[1,1,2,2],"data_offsets":[0,32]}}`, 1, 2, 3, 4)
}

func TestReadHostileLists(t *testing.T) {
	for _, c := range hostileLists {
		m, err := Read(bytes.NewReader(hostile(c.layers)), 1<<20)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			} else if y := forward(t, m, Tensor{Shape: []int{1, 4, 4}, Data: make([]float64, 16)}); y.Len() != 9 {
				t.Errorf("%s: shape %v", c.name, y.Shape)
			}
			continue
		}
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want *FormatError with %q", c.name, err, c.want)
		}
	}
}

// TestFloat16 holds every number against the law of the format: successive positive
// numbers of one exponent differ by 2^(exponent-25), and the first of the next follows.
func TestFloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0: 0, 1: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3555: 0.333251953125, 0x3c00: 1, 0x3c01: 1 + 0x1p-10,
		0xc000: -2, 0x7bff: 65504, 0xfbff: -65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := float16(bits); got != want {
			t.Errorf("bits %04x: %v, want %v", bits, got, want)
		}
	}
	if z := float16(0x8000); z != 0 || !math.Signbit(z) {
		t.Errorf("negative zero is %v", z)
	}
	for bits := uint16(1); bits < 0x7c00; bits++ {
		step := math.Ldexp(1, max(int((bits-1)>>10), 1)-25)
		if got, want := float16(bits), float16(bits-1)+step; got != want || float16(bits|0x8000) != -want {
			t.Fatalf("bits %04x: %v, want %v", bits, got, want)
		}
	}
	for bits := 0x7c01; bits < 0x8000; bits++ {
		if v := float16(uint16(bits)); !math.IsNaN(v) {
			t.Fatalf("bits %04x: %v, want NaN", bits, v)
		}
	}
}

// halves is a model file of one dense layer 2→1 whose weights and bias have two bytes each.
func halves(dtype string, words ...uint16) []byte {
	list := `{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w","bias":"b"}]}`
	b := file(`{` + meta(list) + `,"w":{"dtype":"` + dtype + `","shape":[1,2],"data_offsets":[0,4]},` +
		`"b":{"dtype":"` + dtype + `","shape":[1],"data_offsets":[4,6]}}`)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint16(b, w)
	}
	return b
}

func TestReadHalves(t *testing.T) {
	for _, c := range []struct {
		b          []byte
		w0, w1, b0 float64
	}{
		{halves("F16", 0x3555, 0xc000, 0x0001), 0.333251953125, -2, 0x1p-24},
		{halves("BF16", 0x3f80, 0xc049, 0x0001), 1, -3.140625, 0x1p-133},
	} {
		m, err := Read(bytes.NewReader(c.b), 1<<20)
		if err != nil {
			t.Error(err)
			continue
		}
		d := m.layers[0].(*DenseLayer)
		if !slices.Equal(d.W.Data, []float64{c.w0, c.w1}) || !slices.Equal(d.B, []float64{c.b0}) {
			t.Errorf("weights %v, bias %v, want %v, %v and %v", d.W.Data, d.B, c.w0, c.w1, c.b0)
		}
		// Written again it has eight bytes a number and the same numbers.
		if again, err := Read(bytes.NewReader(encode(t, m)), 1<<20); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("round trip: %v, %v", again, err)
		}
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"F16 infinity":  {halves("F16", 0x7c00, 0, 0), "is +Inf"},
		"F16 NaN":       {halves("F16", 0, 0x7e00, 0), "is NaN"},
		"BF16 infinity": {halves("BF16", 0, 0, 0xff80), "is -Inf"},
		"BF16 NaN":      {halves("BF16", 0x7fc0, 0, 0), "is NaN"},
		"truncated":     {halves("F16", 0, 0), "4 of 6 bytes"},
		"trailing":      {halves("BF16", 0, 0, 0, 0), "after the last tensor"},
		"eight bits":    {halves("F8_E4M3", 0, 0, 0), `type "F8_E4M3"`},
	} {
		_, err := Read(bytes.NewReader(c.b), 1<<20)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want *FormatError with %q", name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"mlp_v1.safetensors", "cnn_v1.safetensors", "xor_f32.safetensors", "lines_f32.safetensors"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(file(`{`+oneMeta+`,`+oneW+`}`, 1, 2))
	for _, c := range hostileLists {
		f.Add(hostile(c.layers))
	}
	for _, c := range foreignFiles {
		f.Add([]byte(c.head))
	}
	f.Add(halves("F16", 0x3555, 0xc000, 0x0001))
	f.Add(halves("BF16", 0x3f80, 0xc049, 0x0001))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(bytes.NewReader(b), 1<<16)
		if err != nil {
			var fe *FormatError
			if !errors.As(err, &fe) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		// What was read survives a round trip.
		again, err := Read(bytes.NewReader(encode(t, m)), 1<<20)
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("round trip of %v: %v, %v", m, again, err)
		}
		// It can be evaluated, if that is not too much work for a fuzz target.
		if widest(t, m.shapes, m.layers) > 1<<16 {
			return
		}
		var nf *NonFiniteError
		if _, err := m.Forward(Tensor{Shape: m.InputShape(), Data: make([]float64, m.InputLen())}); err != nil && !errors.As(err, &nf) {
			t.Fatalf("forward of %v: %v", m, err)
		}
	})
}

// widest returns the most elements that one sample has between any two layers.
func widest(t *testing.T, shapes [][]int, layers []Layer) int {
	most := 0
	for _, s := range shapes {
		n, err := shapeLen(s)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	for i, l := range layers {
		if r, ok := l.(*ResidualLayer); ok {
			for _, part := range [][]Layer{r.Body, r.Shortcut} {
				inner, err := chain(shapes[i], part)
				if err != nil {
					t.Fatal(err)
				}
				most = max(most, widest(t, inner, part))
			}
		}
	}
	return most
}
