// Package quickstart holds the first notebook, in three parts: what it is about, a logistic regression, and a network
// with one hidden layer. Both models predict on data that the predicting process never sees.
package quickstart
