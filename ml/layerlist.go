package ml

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// layerList is the JSON document under metadataKey/signetKey as [Write] writes it.
type layerList struct {
	Schema  string      `json:"schema"`
	Input   []int       `json:"input"` // shape of one sample
	Layers  []layerSpec `json:"layers"`
	Classes []string    `json:"classes,omitempty"`
}

// layerSpec is one layer as it is written. Fields that a kind does not have, and those
// with the value that an absent field means, are left out.
type layerSpec struct {
	Kind     string      `json:"kind"`
	Weight   string      `json:"weight,omitempty"` // tensor names
	Bias     string      `json:"bias,omitempty"`   // absent means zeros
	Mean     string      `json:"mean,omitempty"`
	Var      string      `json:"var,omitempty"`
	Epsilon  *float64    `json:"epsilon,omitempty"`
	Kernel   []int       `json:"kernel,omitempty"` // rows, columns, as the next three
	Stride   []int       `json:"stride,omitempty"`
	Padding  []int       `json:"padding,omitempty"`
	Dilation []int       `json:"dilation,omitempty"`
	Groups   int         `json:"groups,omitempty"`
	Shape    []int       `json:"shape,omitempty"`
	Body     []layerSpec `json:"body,omitempty"`
	Shortcut []layerSpec `json:"shortcut,omitempty"`
}

// specsOf returns how layers are written, and hands over their tensors in order, named
// as PyTorch names the parameters of a Sequential.
func specsOf(prefix string, layers []Layer, add func(name string, shape []int, data []float64)) []layerSpec {
	var specs []layerSpec
	for i, l := range layers {
		at := prefix + strconv.Itoa(i)
		vector := func(name string, v []float64) string {
			add(at+"."+name, []int{len(v)}, v)
			return at + "." + name
		}
		matrix := func(w Tensor) string {
			add(at+".weight", w.Shape, w.Data)
			return at + ".weight"
		}
		spec := layerSpec{Kind: l.Kind()}
		switch l := l.(type) {
		case *DenseLayer:
			spec.Weight, spec.Bias = matrix(l.W), vector("bias", l.B)
		case *Conv2dLayer:
			spec.Weight, spec.Bias = matrix(l.W), vector("bias", l.B)
			spec.Stride, spec.Padding, spec.Dilation = unless(l.Stride, [2]int{1, 1}), unless(l.Padding, [2]int{}), unless(l.Dilation, [2]int{1, 1})
			if l.Groups != 1 {
				spec.Groups = l.Groups
			}
		case *AvgPool2dLayer:
			spec.Kernel, spec.Stride, spec.Padding = l.Kernel[:], unless(l.Stride, l.Kernel), unless(l.Padding, [2]int{})
		case *MaxPool2dLayer:
			spec.Kernel, spec.Stride, spec.Padding = l.Kernel[:], unless(l.Stride, l.Kernel), unless(l.Padding, [2]int{})
		case *BatchNormLayer:
			spec.Weight, spec.Bias = vector("weight", l.Scale), vector("bias", l.Shift)
			spec.Mean, spec.Var, spec.Epsilon = vector("running_mean", l.Mean), vector("running_var", l.Var), &l.Epsilon
		case *ReshapeLayer:
			spec.Shape = l.Shape
		case *ResidualLayer:
			spec.Body, spec.Shortcut = specsOf(at+".body.", l.Body, add), specsOf(at+".shortcut.", l.Shortcut, add)
		}
		specs = append(specs, spec)
	}
	return specs
}

// unless returns v, or nothing where an absent field means v.
func unless(v, absent [2]int) []int {
	if v == absent {
		return nil
	}
	return v[:]
}

// parsedList is a layer list whose layers are not decoded yet: their tensors come later.
type parsedList struct {
	input   []int
	layers  []json.RawMessage
	classes []string
}

func parseList(doc []byte) (parsedList, error) {
	var list parsedList
	f, err := parseFields(doc)
	if err != nil {
		return list, err
	}
	var schema string
	if err := f.take("schema", &schema); err != nil {
		return list, err
	}
	// The schema first: a later version may have fields that this one does not know.
	if schema != fileSchema {
		return list, fmt.Errorf("schema %q, want %q", schema, fileSchema)
	}
	return list, cmp.Or(f.take("input", &list.input), f.take("layers", &list.layers), f.take("classes", &list.classes), f.end())
}

// layerDecoder makes the layers of one list.
type layerDecoder struct {
	infos map[string]tensorInfo
	body  []byte
	used  map[string]bool // a tensor named twice would be copied twice: a short file could ask for any amount of memory
	left  int             // how many layers more are allowed
}

func (d *layerDecoder) layers(docs []json.RawMessage, depth int) ([]Layer, error) {
	if d.left -= len(docs); d.left < 0 {
		return nil, fmt.Errorf("more than %d layers", maxLayers)
	}
	var layers []Layer
	for i, doc := range docs {
		f, err := parseFields(doc)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		var kind string
		if err := f.take("kind", &kind); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		l, err := d.layer(kind, f, depth)
		if err = cmp.Or(err, f.end()); err != nil {
			return nil, fmt.Errorf("layer %d (%s): %w", i, kind, err)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// layerKinds are the kinds that layer knows, as an error lists them.
var layerKinds = []string{
	"avgpool2d", "batchnorm", "conv2d", "dense", "flatten", "gelu", "maxpool2d", "relu",
	"reshape", "residual", "sigmoid", "silu", "softmax", "square", "tanh",
}

// layer makes the layer of a kind and takes its fields.
func (d *layerDecoder) layer(kind string, f fields, depth int) (Layer, error) {
	switch kind {
	case "dense":
		w, b, err := d.weights(f)
		return Dense(w, b), err
	case "conv2d":
		w, b, err := d.weights(f)
		l := &Conv2dLayer{Groups: 1}
		err = cmp.Or(err, f.pair("stride", [2]int{1, 1}, &l.Stride), f.pair("padding", [2]int{}, &l.Padding),
			f.pair("dilation", [2]int{1, 1}, &l.Dilation), f.take("groups", &l.Groups))
		if err != nil {
			return nil, err
		}
		if len(w.Shape) != 4 {
			return nil, &ShapeError{Where: "weight", Got: w.Shape, Want: "[out in/groups rows columns]"}
		}
		if l.W, l.B = w, b; b == nil {
			l.B = zeroBias(w)
		}
		return l, nil
	case "avgpool2d":
		w, err := f.pool()
		return &AvgPool2dLayer{Kernel: w.kernel, Stride: w.stride, Padding: w.padding}, err
	case "maxpool2d":
		w, err := f.pool()
		return &MaxPool2dLayer{Kernel: w.kernel, Stride: w.stride, Padding: w.padding}, err
	case "batchnorm":
		var v [4][]float64
		for i, name := range []string{"weight", "bias", "mean", "var"} {
			var err error
			if v[i], err = d.vector(name, f); err != nil {
				return nil, err
			}
		}
		var epsilon *float64
		if err := f.take("epsilon", &epsilon); err != nil {
			return nil, err
		}
		if epsilon == nil {
			return nil, errors.New("no epsilon")
		}
		return BatchNorm(v[0], v[1], v[2], v[3], *epsilon), nil
	case "residual":
		if depth == maxDepth {
			return nil, fmt.Errorf("residuals nested more than %d deep", maxDepth)
		}
		var docs [2][]json.RawMessage
		if err := cmp.Or(f.take("body", &docs[0]), f.take("shortcut", &docs[1])); err != nil {
			return nil, err
		}
		body, err := d.layers(docs[0], depth+1)
		if err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
		shortcut, err := d.layers(docs[1], depth+1)
		if err != nil {
			return nil, fmt.Errorf("shortcut: %w", err)
		}
		return Residual(body, shortcut...), nil
	case "reshape":
		var shape []int
		err := f.take("shape", &shape)
		return Reshape(shape...), err
	case "square":
		return Square(), nil
	case "sigmoid":
		return Sigmoid(), nil
	case "tanh":
		return Tanh(), nil
	case "relu":
		return ReLU(), nil
	case "silu":
		return SiLU(), nil
	case "gelu":
		return GELU(), nil
	case "softmax":
		return Softmax(), nil
	case "flatten":
		return Flatten(), nil
	}
	if kind == "" {
		return nil, fmt.Errorf("no kind, want one of %s", strings.Join(layerKinds, ", "))
	}
	return nil, fmt.Errorf("unknown kind, want one of %s", strings.Join(layerKinds, ", "))
}

// weights takes the fields weight and bias; b is nil when there is no bias.
func (d *layerDecoder) weights(f fields) (w Tensor, b []float64, err error) {
	var name string
	if err := f.take("weight", &name); err != nil {
		return w, nil, err
	}
	if name == "" {
		return w, nil, errors.New("no weight, want the name of a tensor")
	}
	if w, err = d.tensor(name); err != nil {
		return w, nil, err
	}
	b, err = d.vector("bias", f)
	return w, b, err
}

// vector takes a field that names a tensor of one dimension, or returns nil.
func (d *layerDecoder) vector(field string, f fields) ([]float64, error) {
	var name string
	if err := f.take(field, &name); err != nil || name == "" {
		return nil, err
	}
	t, err := d.tensor(name)
	if err == nil && len(t.Shape) != 1 {
		err = fmt.Errorf("tensor %q: shape %v, want one dimension", name, t.Shape)
	}
	return t.Data, err
}

func (d *layerDecoder) tensor(name string) (Tensor, error) {
	info, ok := d.infos[name]
	if !ok {
		return Tensor{}, &missingTensorError{name}
	}
	if d.used[name] {
		return Tensor{}, fmt.Errorf("tensor %q is used twice", name)
	}
	d.used[name] = true
	return decodeTensor(info, d.body), nil
}

// missingTensorError reports a tensor that a layer names and the file does not hold.
type missingTensorError struct{ name string }

func (e *missingTensorError) Error() string {
	return fmt.Sprintf("tensor %q is not in the file", e.name)
}

// compareNames says which other tensors the layers name in vain, and which ones of the
// file no layer names: names that differ by a prefix show at once.
func compareNames(infos map[string]tensorInfo, layers []json.RawMessage) string {
	named := make(map[string]bool)
	tensorNames(layers, 0, named)
	var missing, unused []string
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if _, ok := infos[name]; !ok {
			missing = append(missing, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		if !named[name] {
			unused = append(unused, name)
		}
	}
	var s string
	if len(missing) > 1 {
		s = fmt.Sprintf("; missing are %s", quoteSome(missing))
	}
	if len(unused) > 0 {
		s += fmt.Sprintf("; the file has %s, which no layer names", quoteSome(unused))
	}
	return s
}

// tensorNames collects the names of tensors in layers. It serves the text of an error, so
// what is malformed it leaves out.
func tensorNames(layers []json.RawMessage, depth int, named map[string]bool) {
	for _, doc := range layers {
		f, err := parseFields(doc)
		if err != nil {
			continue
		}
		for _, field := range []string{"weight", "bias", "mean", "var"} {
			var name string
			if f.take(field, &name) == nil && name != "" {
				named[name] = true
			}
		}
		for _, part := range []string{"body", "shortcut"} {
			var inner []json.RawMessage
			if depth < maxDepth && f.take(part, &inner) == nil {
				tensorNames(inner, depth+1, named)
			}
		}
	}
}

// quoteSome lists names, the first eight of many.
func quoteSome(names []string) string {
	const most = 8
	var quoted []string
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, strconv.Quote(name))
	}
	if len(names) > most {
		quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(quoted, ", ")
}

// fields are the values of a JSON object that nobody has taken yet.
type fields map[string]json.RawMessage

func parseFields(doc []byte) (fields, error) {
	f := make(fields)
	return f, walkObject(doc, func(key string, value json.RawMessage) error {
		f[key] = value
		return nil
	})
}

// take decodes a field into v and removes it; v keeps its value when there is none.
func (f fields) take(name string, v any) error {
	raw, ok := f[name]
	if !ok {
		return nil
	}
	delete(f, name)
	if err := strictJSON(raw, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// pair takes a field of two sizes, rows and columns. encoding/json would fill up or cut
// an array of another length in silence.
func (f fields) pair(name string, absent [2]int, v *[2]int) error {
	var s []int
	if err := f.take(name, &s); err != nil {
		return err
	}
	switch {
	case s == nil:
		*v = absent
	case len(s) != 2:
		return fmt.Errorf("%s %v, want [rows, columns]", name, s)
	default:
		*v = [2]int(s)
	}
	return nil
}

// pool takes the fields of a pool. An absent stride means the kernel.
func (f fields) pool() (w sliding, err error) {
	if err := f.pair("kernel", [2]int{}, &w.kernel); err != nil {
		return w, err
	}
	return w, cmp.Or(f.pair("stride", w.kernel, &w.stride), f.pair("padding", [2]int{}, &w.padding))
}

// end reports a field that nobody took.
func (f fields) end() error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		return fmt.Errorf("unknown field %q", name)
	}
	return nil
}
