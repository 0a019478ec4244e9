// Package proveninference holds the notebook about a prediction with a proof: the model stays private, and a stranger
// checks that the prediction is that model's.
package proveninference
