// Package privatemodel holds the notebook about two owners: a model whose weights are encrypted predicts on samples that
// are encrypted, on a server that can read neither.
package privatemodel
