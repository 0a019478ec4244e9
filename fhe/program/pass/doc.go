// Package pass rewrites programs into cheaper ones with the same outputs: it drops dead operations, computes equal
// operations once, shares the decomposition of rotations of one value, and computes at the lowest level that serves.
//
// Who should use it: code that emits programs and does not want to think about what it emits twice. Call it after
// Builder.Build:
//
//	p, consts, err := b.Build()
//	p, report, err := pass.Optimize(p)
//	fmt.Print(report)
//
// Constants and keys of the program serve the result. Ports stay as they are, but values have other numbers: Report.Map
// carries over what is keyed by Value. The result has another digest, so encrypt for its ports, not for the old ones.
//
// By default every output has the bits that it had. AllowNewBits adds passes that save more and change bits within the
// error of the computation.
//
// What it does not do: it does not change packing, parameters, the order of operations or the depth of a computation,
// and it does not look into constants, so two constants of equal weights at two digests stay two. A decomposition that
// is shared lives longer, so a program may need more memory than before; engines state it when they load.
package pass
