package ml

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
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

func TestWriteGolden(t *testing.T) {
	m, err := mlp(t).WithClasses("cat", "dog")
	if err != nil {
		t.Fatal(err)
	}
	got := encode(t, m)
	if !bytes.Equal(got, encode(t, m)) {
		t.Fatal("two writes of one model differ")
	}
	path := filepath.Join("testdata", "mlp_v1.safetensors")
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
		t.Error("numbers do not start on 8 bytes")
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
		{"dtype", "want F64 or F32", tensor(`"w":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]}`)},
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
		{"no layers", "at least one layer", file(`{` + meta(`{"schema":"signet/model/v1","input":[2]}`) + `}`)},
		{"unknown kind", "unknown kind", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"conv2d"}]}`)},
		{"missing tensor", "not in the file", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"u"}]}`)},
		{"tensor reused", "used twice", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"dense","weight":"w"},{"kind":"dense","weight":"w"}]}`)},
		{"square with weight", "no tensors", list(`{"schema":"signet/model/v1","input":[2],"layers":[{"kind":"square","weight":"w"}]}`)},
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

func FuzzRead(f *testing.F) {
	for _, name := range []string{"mlp_v1.safetensors", "xor_f32.safetensors"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(file(`{`+oneMeta+`,`+oneW+`}`, 1, 2))
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
	})
}
