// Package window walks the places where a kernel stops on an image: the copying that
// convolutions and pools have in common, for the evaluation of models in float64 and for
// their training in float32.
package window
