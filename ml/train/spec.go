package train

import (
	"fmt"
	"slices"
)

// Spec is an architecture: layers in order, without weights. Inputs that are not flat
// (images) are flattened first; Fit adds that layer itself.
//
// The last dense layer gives the scores (logits). It has one unit for two classes, or
// one unit per class. It may be followed by [Sigmoid] or [Softmax], which turn scores
// into probabilities; training is the same with and without, because the loss is always
// computed from the scores. Leave it out when the model will run encrypted and the owner
// of the data can apply it after decryption.
type Spec struct {
	Layers []LayerSpec
}

// LayerSpec is one layer of a [Spec]. Make it with [Dense], [Square], [ReLU],
// [Sigmoid] or [Softmax].
type LayerSpec struct {
	kind  string
	units int // outputs of a dense layer
}

// Dense returns a fully connected layer with the given number of units and a bias.
func Dense(units int) LayerSpec { return LayerSpec{kind: "dense", units: units} }

// Square returns the activation x².
func Square() LayerSpec { return LayerSpec{kind: "square"} }

// ReLU returns the activation max(x, 0).
func ReLU() LayerSpec { return LayerSpec{kind: "relu"} }

// Sigmoid returns the activation 1/(1+e^-x), or, at the end of a model with one unit,
// the probability of class 1.
func Sigmoid() LayerSpec { return LayerSpec{kind: "sigmoid"} }

// Softmax returns the last layer of a model that gives class probabilities.
func Softmax() LayerSpec { return LayerSpec{kind: "softmax"} }

func (l LayerSpec) String() string {
	if l.kind == "dense" {
		return fmt.Sprintf("dense %d", l.units)
	}
	return l.kind
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

// maxUnits bounds a layer, so that a typing error does not ask for terabytes.
const maxUnits = 1 << 20

// check reports whether the spec can be trained for the given number of classes, and
// returns the layers up to the scores and the layer after them, if there is one.
func (s Spec) check(classes int) (body []LayerSpec, head LayerSpec, err error) {
	fail := func(layer int, format string, args ...any) ([]LayerSpec, LayerSpec, error) {
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
		case "softmax":
			if i != len(s.Layers)-1 {
				return fail(i, "softmax is allowed at the end only")
			}
		case "square", "relu", "sigmoid":
		default:
			return fail(i, "made without a constructor")
		}
	}
	body = slices.Clone(s.Layers)
	last := len(body) - 1
	if k := body[last].kind; k == "softmax" || k == "sigmoid" {
		head, body = body[last], body[:last]
		last--
	}
	if last < 0 || body[last].kind != "dense" {
		return fail(-1, "the scores must come from a dense layer")
	}
	switch units := body[last].units; {
	case head.kind == "softmax" && units < 2:
		return fail(last, "softmax needs one unit per class, not %d", units)
	case head.kind == "sigmoid" && units != 1:
		return fail(last, "a final sigmoid needs one unit, not %d", units)
	case units == 1 && classes > 2:
		return fail(last, "one unit separates two classes, the set has %d", classes)
	case units > 1 && units != classes:
		return fail(last, "%d units for %d classes", units, classes)
	}
	return body, head, nil
}
