// Package sniff recognises files that are often taken for a model or a table, so that a
// reader can say what it was given instead of what the bytes would mean in its own format.
package sniff

import (
	"bytes"
	"encoding/binary"
)

// Len is how many bytes of a file [Of] looks at. Fewer do, when the file is shorter.
const Len = 512

// Kind is what a file is. The zero value is [Unknown].
type Kind int

// Kinds of files.
const (
	Unknown Kind = iota
	HTML
	LFSPointer
	Gzip
	UTF16
	JSON
	Zip
	TorchZip
	NumPyZip
	Workbook
	Pickle
	NumPy
	HDF5
	ONNX
	TFLite
	GGUF
	Parquet
	SafeTensors
)

var names = [...]string{
	Unknown:     "an unknown file",
	HTML:        "a web page (HTML or XML)",
	LFSPointer:  "a Git LFS pointer",
	Gzip:        "a gzip file",
	UTF16:       "text in UTF-16",
	JSON:        "a JSON document",
	Zip:         "a zip archive",
	TorchZip:    "a PyTorch file (.pt, .pth: a zip archive with a pickle)",
	NumPyZip:    "a NumPy archive (.npz)",
	Workbook:    "a workbook (.xlsx)",
	Pickle:      "a Python pickle",
	NumPy:       "a NumPy array (.npy)",
	HDF5:        "an HDF5 file (.h5, as Keras writes)",
	ONNX:        "an ONNX model (protobuf)",
	TFLite:      "a TensorFlow Lite model",
	GGUF:        "a GGUF model",
	Parquet:     "a Parquet file",
	SafeTensors: "a safetensors file",
}

// String returns what a file of the kind is, with an article: "a web page (HTML or XML)".
func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return names[Unknown]
	}
	return names[k]
}

// Remedy returns what to do about a file of the kind: where the file itself is, when
// these bytes only stand for it, and otherwise convert, which is the caller's advice.
func (k Kind) Remedy(convert string) string {
	switch k {
	case HTML:
		return "download the file itself, not the page about it (a link to the raw file)"
	case LFSPointer:
		return "fetch the file that it stands for with git lfs pull"
	case Gzip:
		return "decompress it first, with gunzip"
	case UTF16:
		return "save it as UTF-8"
	}
	return convert
}

// Of returns the kind of a file that starts with head, or [Unknown]. A text of numbers
// and names is Unknown, and so is a safetensors file without an object behind its length.
// A safetensors file may start with any eight bytes: a reader of such files asks only
// after it found the file malformed.
func Of(head []byte) Kind {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case len(head) > 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32:
		return SafeTensors
	case has(0, "\x1f\x8b"):
		return Gzip
	case has(0, "PK\x03\x04"):
		return zipped(head)
	case has(0, "PK\x05\x06"): // an archive without files
		return Zip
	case has(0, "\x93NUMPY"):
		return NumPy
	case has(0, "\x89HDF\r\n\x1a\n"):
		return HDF5
	case has(0, "GGUF"):
		return GGUF
	case has(0, "PAR1"):
		return Parquet
	case has(4, "TFL3"):
		return TFLite
	// Opcode PROTO and a version, which an opcode follows, never a zero.
	case len(head) > 2 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5 && head[2] != 0:
		return Pickle
	// ModelProto: field 1 is a small version number; a field of text, bytes or a number
	// between 2 and 25 follows, whose tag is at least 0x12.
	case len(head) > 3 && head[0] == 0x08 && 1 <= head[1] && head[1] <= 64 && onnxTag(head[2]):
		return ONNX
	case has(0, "\xff\xfe"), has(0, "\xfe\xff"), halfZero(head):
		return UTF16
	}
	return text(head)
}

// onnxTag reports whether b is the tag of a field that a ModelProto may have second:
// producer name and version, domain, model version, documentation, graph, operator sets.
func onnxTag(b byte) bool {
	return bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42}, b) >= 0
}

// zipped tells archives apart by the name of the first file in them.
func zipped(head []byte) Kind {
	if len(head) < 30 {
		return Zip
	}
	name := head[30:min(len(head), 30+int(binary.LittleEndian.Uint16(head[26:])))]
	switch {
	case bytes.HasSuffix(name, []byte("/data.pkl")):
		return TorchZip
	case bytes.HasSuffix(name, []byte(".npy")):
		return NumPyZip
	case bytes.HasPrefix(name, []byte("[Content_Types]")), bytes.HasPrefix(name, []byte("_rels/")),
		bytes.HasPrefix(name, []byte("xl/")):
		return Workbook
	}
	return Zip
}

// halfZero reports whether head is UTF-16 without a mark: of each pair of bytes, the same
// one is always zero and the other never is.
func halfZero(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	zeros := [2]int{}
	for i, b := range head[:len(head)&^1] {
		if b == 0 {
			zeros[i&1]++
		}
	}
	pairs := len(head) / 2
	return zeros[0] == 0 && zeros[1] == pairs || zeros[1] == 0 && zeros[0] == pairs
}

// text recognises documents of text by their first words.
func text(head []byte) Kind {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if bytes.HasPrefix(head, []byte("version https://git-lfs")) {
		return LFSPointer
	}
	if len(head) == 0 {
		return Unknown
	}
	low := bytes.ToLower(head[:min(len(head), 16)])
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<?xml", "<!--", "<script"} {
		if bytes.HasPrefix(low, []byte(tag)) {
			return HTML
		}
	}
	// A JSON value starts with a bracket. What follows it keeps a name in brackets apart.
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	next := func(set string) bool { return len(rest) > 0 && bytes.IndexByte([]byte(set), rest[0]) >= 0 }
	if head[0] == '{' && next(`"}`) || head[0] == '[' && next(`{["]`) {
		return JSON
	}
	return Unknown
}
