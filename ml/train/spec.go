package train

import "fmt"

// Spec is an architecture: layers in order, without weights. Images become flat in front
// of the first dense layer; Fit adds that layer itself, and the one that makes images
// [height, width] one channel.
//
// The last dense layer gives the scores (logits). It has one unit for two classes, or
// one unit per class. It may be followed by [Sigmoid] or [Softmax], which turn scores
// into probabilities; training is the same with and without, because the loss is always
// computed from the scores. Leave it out when the model will run encrypted and the owner
// of the data can apply it after decryption.
type Spec struct {
	Layers []LayerSpec
}

// LayerSpec is one layer of a [Spec]. Make it with [Dense], [Conv2d], [AvgPool2d],
// [MaxPool2d], [BatchNorm], [Square], [ReLU], [Sigmoid], [Tanh], [SiLU], [GELU] or
// [Softmax].
type LayerSpec struct {
	kind  string
	units int      // outputs of a dense layer
	conv  ConvSpec // of a convolution; kernel, stride and padding of a pool
}

// ConvSpec describes a convolution with a square kernel.
type ConvSpec struct {
	Out     int // channels of the output
	Kernel  int // rows and columns of the kernel
	Stride  int // default 1
	Padding int // zeros around the image, default 0
	Groups  int // into which channels are cut; default 1
}

// Dense returns a fully connected layer with the given number of units and a bias.
func Dense(units int) LayerSpec { return LayerSpec{kind: "dense", units: units} }

// Conv2d returns a convolution with a bias, on images [channels, height, width], or
// [height, width], which become one channel. Sizes follow [ml.Conv2d].
func Conv2d(c ConvSpec) LayerSpec {
	if c.Stride == 0 {
		c.Stride = 1
	}
	if c.Groups == 0 {
		c.Groups = 1
	}
	return LayerSpec{kind: "conv2d", conv: c}
}

// AvgPool2d returns the layer of means over square windows of images. A stride of 0
// means the kernel. Sizes follow [ml.AvgPool2d].
func AvgPool2d(kernel, stride, padding int) LayerSpec {
	return pool2d("avgpool2d", kernel, stride, padding)
}

// MaxPool2d returns the layer of maxima over square windows of images, with the sizes of
// [AvgPool2d].
func MaxPool2d(kernel, stride, padding int) LayerSpec {
	return pool2d("maxpool2d", kernel, stride, padding)
}

func pool2d(kind string, kernel, stride, padding int) LayerSpec {
	if stride == 0 {
		stride = kernel
	}
	return LayerSpec{kind: kind, conv: ConvSpec{Kernel: kernel, Stride: stride, Padding: padding}}
}

// BatchNorm returns batch normalisation with a scale and a shift per channel of images,
// or per feature of flat samples [IS15]. Training uses the statistics of each batch, the
// model their running means; batches of a few samples make these differ.
func BatchNorm() LayerSpec { return LayerSpec{kind: "batchnorm"} }

// Square returns the activation x².
func Square() LayerSpec { return LayerSpec{kind: "square"} }

// ReLU returns the activation max(x, 0).
func ReLU() LayerSpec { return LayerSpec{kind: "relu"} }

// Sigmoid returns the activation 1/(1+e^-x), or, at the end of a model with one unit,
// the probability of class 1.
func Sigmoid() LayerSpec { return LayerSpec{kind: "sigmoid"} }

// Tanh returns the activation tanh x.
func Tanh() LayerSpec { return LayerSpec{kind: "tanh"} }

// SiLU returns the activation x/(1+e^-x).
func SiLU() LayerSpec { return LayerSpec{kind: "silu"} }

// GELU returns the activation x·Φ(x), the exact form with erf.
func GELU() LayerSpec { return LayerSpec{kind: "gelu"} }

// Softmax returns the last layer of a model that gives class probabilities.
func Softmax() LayerSpec { return LayerSpec{kind: "softmax"} }

func (l LayerSpec) String() string {
	switch l.kind {
	case "dense":
		return fmt.Sprintf("dense %d", l.units)
	case "conv2d":
		return fmt.Sprintf("conv2d %d of %d×%[2]d", l.conv.Out, l.conv.Kernel)
	case "avgpool2d", "maxpool2d":
		return fmt.Sprintf("%s %d×%[2]d", l.kind, l.conv.Kernel)
	}
	return l.kind
}

// ofImages reports whether the layer needs samples [channels, height, width].
func (l LayerSpec) ofImages() bool {
	return l.kind == "conv2d" || l.kind == "avgpool2d" || l.kind == "maxpool2d"
}

// SpecError reports an architecture that cannot be trained on a set.
type SpecError struct {
	Layer  int // position of the layer, or -1 when the whole is meant
	Reason string
}

func (e *SpecError) Error() string {
	if e.Layer < 0 {
		return "train: spec: " + e.Reason
	}
	return fmt.Sprintf("train: spec: layer %d: %s", e.Layer, e.Reason)
}

const (
	// maxUnits bounds a layer, so that a typing error does not ask for terabytes.
	maxUnits = 1 << 20
	// maxConvWeights bounds a convolution: 1 GiB of float32.
	maxConvWeights = 1 << 28
)

// check reports whether the spec can be trained on samples of the given shape and number
// of classes, and returns the layers up to the scores and the layer after them, if there
// is one.
func (s Spec) check(sample []int, classes int) (body []stage, head LayerSpec, err error) {
	fail := func(layer int, format string, args ...any) ([]stage, LayerSpec, error) {
		return nil, LayerSpec{}, &SpecError{Layer: layer, Reason: fmt.Sprintf(format, args...)}
	}
	if len(s.Layers) == 0 {
		return fail(-1, "no layers")
	}
	for i, l := range s.Layers {
		switch l.kind {
		case "dense":
			if l.units < 1 || l.units > maxUnits {
				return fail(i, "%d units, want 1 to %d", l.units, maxUnits)
			}
		case "conv2d":
			if l.conv.Out < 1 || l.conv.Out > maxUnits {
				return fail(i, "%d channels of output, want 1 to %d", l.conv.Out, maxUnits)
			}
		case "softmax":
			if i != len(s.Layers)-1 {
				return fail(i, "softmax is allowed at the end only")
			}
		case "avgpool2d", "maxpool2d", "batchnorm", "square", "relu", "sigmoid", "tanh", "silu", "gelu":
		default:
			return fail(i, "made without a constructor")
		}
	}
	layers := s.Layers
	last := len(layers) - 1
	if k := layers[last].kind; k == "softmax" || k == "sigmoid" {
		head, layers = layers[last], layers[:last]
		last--
	}
	if last < 0 || layers[last].kind != "dense" {
		return fail(-1, "the scores must come from a dense layer")
	}
	switch units := layers[last].units; {
	case head.kind == "softmax" && units < 2:
		return fail(last, "softmax needs one unit per class, not %d", units)
	case head.kind == "sigmoid" && units != 1:
		return fail(last, "a final sigmoid needs one unit, not %d", units)
	case units == 1 && classes > 2:
		return fail(last, "one unit separates two classes, the set has %d", classes)
	case units > 1 && units != classes:
		return fail(last, "%d units for %d classes", units, classes)
	}
	body, err = stages(layers, sample)
	return body, head, err
}
