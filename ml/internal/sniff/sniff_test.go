package sniff

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// archive is a zip file whose first file has the given name.
func archive(t testing.TB, name string) string {
	t.Helper()
	var buf bytes.Buffer
	zw := zip.NewWriter(&buf)
	w, err := zw.Create(name)
	if err == nil {
		_, err = w.Write([]byte("content"))
	}
	if err == nil {
		err = zw.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func wide(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       Kind
	}{
		{"doctype", "<!DOCTYPE html>\n<html>", HTML},
		{"html after space", "\r\n  <HTML lang=en>", HTML},
		{"html after mark", "\ufeff<!doctype html>", HTML},
		{"xml", `<?xml version="1.0"?><Error><Code>AccessDenied`, HTML},
		{"pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", LFSPointer},
		{"gzip", "\x1f\x8b\x08\x00", Gzip},
		{"utf-16le with mark", "\xff\xfe1\x00", UTF16},
		{"utf-16be with mark", "\xfe\xff\x001", UTF16},
		{"utf-16le", wide("1,2,0\n3,4,1\n", binary.LittleEndian), UTF16},
		{"utf-16be", wide("1,2,0\n3,4,1\n", binary.BigEndian), UTF16},
		{"object", `{"schema":1}`, JSON},
		{"empty object", "{ }", JSON},
		{"array of objects", "[\n {\"a\":1}]", JSON},
		{"empty archive", "PK\x05\x06" + strings.Repeat("\x00", 18), Zip},
		{"archive", archive(t, "readme.txt"), Zip},
		{"short archive", "PK\x03\x04\x14", Zip},
		{"torch", archive(t, "net/data.pkl"), TorchZip},
		{"npz", archive(t, "x.npy"), NumPyZip},
		{"workbook", archive(t, "[Content_Types].xml"), Workbook},
		{"pickle 2", "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", Pickle}, // how torch.save began before 1.6
		{"pickle 4", "\x80\x04\x95\x10\x00", Pickle},
		{"npy", "\x93NUMPY\x01\x00v\x00{'descr'", NumPy},
		{"hdf5", "\x89HDF\r\n\x1a\n\x00", HDF5},
		{"onnx", "\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x8f", ONNX},
		{"onnx, graph second", "\x08\x03:\x8f\x01", ONNX},
		{"tflite", "\x1c\x00\x00\x00TFL3", TFLite},
		{"gguf", "GGUF\x03\x00\x00\x00", GGUF},
		{"parquet", "PAR1\x15\x04", Parquet},
		{"safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{\"w\":{}}", SafeTensors},

		{"empty", "", Unknown},
		{"blank", " \n", Unknown},
		{"numbers", "5.1,3.5,1.4,0.2,0\n", Unknown},
		{"names", "length,width\n", Unknown},
		{"name in brackets", "[cm],{kg},<5\n", Unknown},
		{"less than", "<5,>6\n", Unknown},
		{"version", "version,https\n", Unknown},
		{"name like a magic", "PARITY,GGU\n", Unknown},
		{"idx", "\x00\x00\x08\x03\x00\x00\x00\x02", Unknown},
		{"safetensors of 640 bytes", "\x80\x02\x00\x00\x00\x00\x00\x00", Unknown},
		{"safetensors of 520 bytes", "\x08\x02\x00\x00\x00\x00\x00\x00", Unknown},
		{"letters beyond ASCII", "größe,länge\n1,2\n", Unknown},
	} {
		if got := Of([]byte(c.head)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestStrings(t *testing.T) {
	for k := Unknown; k <= SafeTensors; k++ {
		if s := k.String(); !strings.HasPrefix(s, "a") && !strings.HasPrefix(s, "text") {
			t.Errorf("kind %d is %q", k, s)
		}
		if k.Remedy("convert it") == "" {
			t.Errorf("%v: no remedy", k)
		}
	}
	if got := Kind(-1).String() + Kind(99).String(); got != "an unknown filean unknown file" {
		t.Errorf("kinds out of range are %q", got)
	}
	if HTML.Remedy("convert it") == "convert it" || Zip.Remedy("convert it") != "convert it" {
		t.Error("the remedies are mixed up")
	}
}

// FuzzOf: no bytes crash it, and the answer is one of the kinds.
func FuzzOf(f *testing.F) {
	for _, s := range []string{
		"", "<html>", "PK\x03\x04", "\x80\x04\x95", "\x08\x08\x12\x07", "{\"a\":1}", "[", "\xff\xfe",
	} {
		f.Add([]byte(s))
	}
	f.Add([]byte(archive(f, "net/data.pkl")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k := Of(b); k < Unknown || k > SafeTensors {
			t.Fatalf("kind %d", k)
		}
	})
}
