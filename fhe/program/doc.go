// Package program is the waist of Signet: an encrypted computation as data.
//
// A Program is a static list of CKKS operations in single-assignment form. Every value has its level, degree, scale and
// slot count before any key exists, so a program can be hashed, printed, costed, checked against a noise model, shipped
// to a machine that has never heard of the model, run there on any Engine with the same bits, traced and disputed.
// Everything above it (layers, packing, training) only emits programs; everything below only executes them.
//
// Emit one with a Builder:
//
//	b := program.NewBuilder(params)
//	x := b.Input(port)[0]
//	y := b.Rescale(b.MulRelin(x, x))
//	b.Output(outPort, y)
//	p, consts, err := b.Build()
//
// The Builder keeps its first error and Build returns it, naming operation and scope. The meaning of every opcode is
// the bits that Lattigo v5.0.7 computes for it; docs/reference/program.md lists them.
//
// A Program and its Constants show the model to whoever holds them, and protect nothing by themselves.
package program
