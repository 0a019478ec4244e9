package ml

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/signet-ml/signet/ml/internal/atomicfile"
	"github.com/signet-ml/signet/ml/internal/sniff"
)

const (
	fileSchema  = "signet/model/v1" // value of "schema" in the layer list
	metadataKey = "__metadata__"    // fixed by safetensors
	signetKey   = "signet"          // our entry in the metadata

	maxHeader  = 1 << 20 // bytes; room for about 4,000 dense layers or 2,000 batch normalisations
	maxLayers  = 4096    // of a model, those inside residuals included
	maxFileLen = 8 << 30 // bytes, the limit of Load
)

// tensorInfo is one tensor of the header, as safetensors fixes it.
type tensorInfo struct {
	DType   string  `json:"dtype"`
	Shape   []int64 `json:"shape"`
	Offsets []int64 `json:"data_offsets"` // [begin, end) in bytes after the header
}

// Save writes m to a new file and renames it to path, so that path holds either
// the old content or all of the new one. The format is that of [Write].
func Save(path string, m *Model) error {
	var unwritten error
	err := atomicfile.Write(path, 0o644, func(w io.Writer) error { // a model is an ordinary file
		unwritten = Write(w, m)
		return unwritten
	})
	if err != nil && unwritten == nil {
		err = fmt.Errorf("ml: save model: %w", err)
	}
	return err
}

// Load reads the model in the file at path, which may be up to 8 GiB long. Errors
// are those of [Read], and those of opening the file.
func Load(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ml: load model: %w", err)
	}
	defer f.Close()
	m, err := Read(f, maxFileLen)
	if err != nil {
		return nil, fmt.Errorf("ml: load %s: %w", path, err)
	}
	return m, nil
}

// Write writes m in the format of the package comment. Equal models give equal
// bytes: tensors are in layer order, F64, little-endian, named "<layer>.weight" and
// "<layer>.bias" as PyTorch names the parameters of a Sequential, and
// "<layer>.body.<layer>.weight" inside a residual. It fails when the header would
// exceed 1 MiB.
func Write(w io.Writer, m *Model) error {
	list := layerList{Schema: fileSchema, Input: m.shapes[0], Classes: m.classes}
	var entries bytes.Buffer
	var tensors [][]float64
	var offset int64
	list.Layers = specsOf("", m.layers, func(name string, shape []int, data []float64) {
		end := offset + 8*int64(len(data))
		sizes := strings.ReplaceAll(fmt.Sprint(shape), " ", ",") // as JSON
		fmt.Fprintf(&entries, `,%q:{"dtype":"F64","shape":%s,"data_offsets":[%d,%d]}`, name, sizes, offset, end)
		tensors = append(tensors, data)
		offset = end
	})
	doc, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("ml: write model: %w", err)
	}
	meta, err := json.Marshal(map[string]string{signetKey: string(doc)})
	if err != nil {
		return fmt.Errorf("ml: write model: %w", err)
	}
	header := []byte(`{"` + metadataKey + `":` + string(meta) + entries.String() + "}")
	// safetensors pads with spaces so that the numbers start on 8 bytes.
	header = append(header, bytes.Repeat([]byte{' '}, (8-len(header)%8)%8)...)
	if len(header) > maxHeader {
		return fmt.Errorf("ml: write model: header of %d bytes, limit %d", len(header), maxHeader)
	}

	bw := bufio.NewWriterSize(w, 1<<16)
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(len(header)))
	bw.Write(word[:]) // a bufio.Writer keeps its first error for Flush
	bw.Write(header)
	for _, data := range tensors {
		for _, v := range data {
			binary.LittleEndian.PutUint64(word[:], math.Float64bits(v))
			bw.Write(word[:])
		}
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("ml: write model: %w", err)
	}
	return nil
}

// Read reads a model from r to its end, and at most limit bytes of it. It accepts
// any safetensors file of F64, F32, F16 and BF16 tensors whose metadata holds a layer
// list of schema "signet/model/v1" that uses every tensor exactly once. Every number of
// these types is a float64, so none is rounded. Memory is bounded by a small multiple of
// the bytes received, whatever the header promises.
//
// It fails with *[FormatError] when the bytes are not such a file, including bytes
// after the last tensor, and with the error of r when reading fails. The error names a
// file of another kind for what it is: a web page, a Git LFS pointer, a file of PyTorch,
// NumPy, Keras or ONNX, JSON without the tensors.
func Read(r io.Reader, limit int64) (*Model, error) {
	if limit < 8 {
		return nil, fmt.Errorf("ml: read model: limit of %d bytes is too small for any model", limit)
	}
	var word [8]byte
	if n, err := readFull(r, word[:], "header length"); err != nil {
		return nil, cmp.Or(foreign(word[:n], nil), err)
	}
	n := binary.LittleEndian.Uint64(word[:])
	if n < 2 || n > maxHeader || int64(n) > limit-8 {
		rest := make([]byte, min(sniff.Len-8, limit-8))
		got, _ := readFull(r, rest, "header") // what is wrong is known already
		length := formatf("header length of %d bytes, want 2 to %d", n, min(maxHeader, limit-8))
		return nil, cmp.Or(foreign(word[:], rest[:got]), length)
	}
	header := make([]byte, n) // at most 1 MiB
	got, err := readFull(r, header, "header")
	// Some files of other kinds start with a length that could be one of ours.
	if got > 0 && header[0] != '{' {
		err = cmp.Or(foreign(word[:], header[:got]), err)
	}
	if err != nil {
		return nil, err
	}
	infos, list, err := parseHeader(header)
	if err != nil {
		return nil, err
	}
	total, err := checkLayout(infos)
	if err != nil {
		return nil, err
	}
	if total > limit-8-int64(n) {
		return nil, formatf("%d bytes of tensors exceed the limit of %d bytes", total, limit)
	}
	// ReadAll grows its buffer with what arrives; a header that promises gigabytes
	// and delivers none costs nothing. The extra byte shows trailing data.
	body, err := io.ReadAll(io.LimitReader(r, total+1))
	if err != nil {
		return nil, fmt.Errorf("ml: read model: %w", err)
	}
	if int64(len(body)) < total {
		return nil, &FormatError{Reason: fmt.Sprintf("%d of %d bytes of tensors", len(body), total), Err: io.ErrUnexpectedEOF}
	}
	if int64(len(body)) > total {
		return nil, formatf("bytes after the last tensor")
	}
	return build(infos, list, body)
}

func formatf(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// readFull fills p and returns how much of it, which is all unless there is an error.
func readFull(r io.Reader, p []byte, what string) (int, error) {
	n, err := io.ReadFull(r, p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, &FormatError{Reason: "reading the " + what, Err: io.ErrUnexpectedEOF}
	}
	return n, fmt.Errorf("ml: read model: %w", err)
}

// foreign returns an error that names the kind of a file which is not a model, or nil
// when the kind is unknown. The file starts with word and rest.
func foreign(word, rest []byte) error {
	head := append(slices.Clone(word), rest...)
	kind := sniff.Of(head[:min(len(head), sniff.Len)])
	if kind == sniff.Unknown || kind == sniff.SafeTensors {
		return nil
	}
	return formatf("%s, not a model: %s", kind, kind.Remedy(
		"write its tensors as safetensors with a layer list, as docs/howto/bring-your-own-model.md shows"))
}

// parseHeader returns the tensors and the layer list that a header declares.
func parseHeader(header []byte) (map[string]tensorInfo, parsedList, error) {
	var list parsedList
	fail := func(format string, args ...any) (map[string]tensorInfo, parsedList, error) {
		return nil, list, formatf(format, args...)
	}
	if header[0] != '{' {
		return fail("header does not start with '{'")
	}
	infos := make(map[string]tensorInfo)
	meta := make(map[string]string)
	err := walkObject(header, func(name string, value json.RawMessage) error {
		if name != metadataKey {
			var info tensorInfo
			if err := strictJSON(value, &info); err != nil {
				return fmt.Errorf("tensor %q: %w", name, err)
			}
			infos[name] = info
			return nil
		}
		return walkObject(value, func(key string, value json.RawMessage) error {
			var text string
			if err := strictJSON(value, &text); err != nil {
				return fmt.Errorf("%s: %q: %w", metadataKey, key, err)
			}
			meta[key] = text
			return nil
		})
	})
	if err != nil {
		return nil, list, &FormatError{Reason: "header", Err: err}
	}
	doc, ok := meta[signetKey]
	if !ok {
		return fail("no layer list: %s has no key %q (a safetensors file of bare weights does not say how they connect)", metadataKey, signetKey)
	}
	list, err = parseList([]byte(doc))
	if err != nil {
		return nil, list, &FormatError{Reason: "layer list", Err: err}
	}
	return infos, list, nil
}

// walkObject calls f for every key of a JSON object and refuses a key that occurs
// twice. encoding/json keeps the last of several equal keys in silence, so that two
// readers could see two different models in one file.
func walkObject(doc []byte, f func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	if tok != json.Delim('{') {
		return fmt.Errorf("%v where an object should be", tok)
	}
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key := tok.(string) // the decoder accepts nothing else as a key
		if seen[key] {
			return fmt.Errorf("key %q occurs twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("data after the JSON object")
	}
	return nil
}

// strictJSON decodes one JSON value, refusing unknown fields and anything after it.
func strictJSON(doc []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("data after the JSON value")
	}
	return nil
}

// checkLayout checks every tensor's type, shape and place, and that the tensors
// cover [0, total) without gap or overlap. It returns total.
func checkLayout(infos map[string]tensorInfo) (int64, error) {
	names := make([]string, 0, len(infos))
	for name := range infos {
		names = append(names, name)
	}
	slices.Sort(names) // so that the error does not depend on map order
	for _, name := range names {
		t := infos[name]
		size := t.elemSize()
		if size == 0 {
			hint := ""
			if strings.HasSuffix(name, "num_batches_tracked") {
				hint = ": PyTorch's counter of training steps, leave it out"
			}
			return 0, formatf("tensor %q: type %q, want F64, F32, F16 or BF16%s", name, t.DType, hint)
		}
		if len(t.Shape) == 0 {
			return 0, formatf("tensor %q: no shape", name)
		}
		n := int64(1)
		for _, d := range t.Shape {
			if d < 1 || n > math.MaxInt64/8/d || n*d > math.MaxInt/8 {
				return 0, formatf("tensor %q: shape %v", name, t.Shape)
			}
			n *= d
		}
		if len(t.Offsets) != 2 || t.Offsets[0] < 0 || t.Offsets[1] < t.Offsets[0] {
			return 0, formatf("tensor %q: offsets %v", name, t.Offsets)
		}
		if got := t.Offsets[1] - t.Offsets[0]; got != n*size {
			return 0, formatf("tensor %q: %d bytes for shape %v of %s, want %d", name, got, t.Shape, t.DType, n*size)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(infos[a].Offsets[0], infos[b].Offsets[0])
	})
	end := int64(0)
	for _, name := range names {
		switch t := infos[name]; {
		case t.Offsets[0] < end:
			return 0, formatf("tensor %q overlaps the one before it at byte %d", name, t.Offsets[0])
		case t.Offsets[0] > end:
			return 0, formatf("gap of %d bytes before tensor %q", t.Offsets[0]-end, name)
		default:
			end = t.Offsets[1]
		}
	}
	return end, nil
}

func (t tensorInfo) elemSize() int64 {
	switch t.DType {
	case "F64":
		return 8
	case "F32":
		return 4
	case "F16", "BF16":
		return 2
	}
	return 0
}

// build makes the model of a checked layout.
func build(infos map[string]tensorInfo, list parsedList, body []byte) (*Model, error) {
	d := layerDecoder{infos: infos, body: body, used: make(map[string]bool), left: maxLayers}
	layers, err := d.layers(list.layers, 0)
	if err != nil {
		var missing *missingTensorError
		if errors.As(err, &missing) {
			err = fmt.Errorf("%w%s", err, compareNames(infos, list.layers))
		}
		return nil, &FormatError{Reason: "layer list", Err: err}
	}
	if len(d.used) != len(infos) {
		unused := slices.DeleteFunc(slices.Sorted(maps.Keys(infos)), func(name string) bool { return d.used[name] })
		return nil, formatf("%d of %d tensors belong to no layer: %s; name each in a layer or leave it out of the file",
			len(unused), len(infos), quoteSome(unused))
	}
	m, err := SequentialFor(list.input, layers...)
	if err != nil {
		return nil, &FormatError{Reason: "layer list", Err: err}
	}
	if len(list.classes) == 0 {
		return m, nil
	}
	if m, err = m.WithClasses(list.classes...); err != nil {
		return nil, &FormatError{Reason: "layer list", Err: err}
	}
	return m, nil
}

func decodeTensor(info tensorInfo, body []byte) Tensor {
	raw := body[info.Offsets[0]:info.Offsets[1]]
	t := Tensor{Shape: make([]int, len(info.Shape))}
	for i, d := range info.Shape {
		t.Shape[i] = int(d)
	}
	size := int(info.elemSize())
	t.Data = make([]float64, len(raw)/size)
	for i := range t.Data {
		switch b := raw[size*i:]; info.DType {
		case "F64":
			t.Data[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case "F32":
			t.Data[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case "F16":
			t.Data[i] = float16(binary.LittleEndian.Uint16(b))
		case "BF16": // the upper half of a float32
			t.Data[i] = float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}
	}
	return t
}

// float16 returns the number with the bits of an IEEE 754 binary16: one bit of sign, five
// of exponent, ten of fraction.
func float16(bits uint16) float64 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	v := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0: // zero and the numbers below 2^-14
		v = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		v = math.Inf(1)
	case exponent == 31:
		return math.NaN()
	}
	if bits>>15 == 1 {
		return -v // keeps the sign of a zero
	}
	return v
}
