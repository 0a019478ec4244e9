// Package quickstart holds the first example: two small models, a logistic regression and a network with one hidden
// layer, predict on data that the predicting process never sees.
package quickstart
