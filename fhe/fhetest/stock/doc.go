// Package stock runs programs on the evaluators of Lattigo v5.0.7 as they come, on one goroutine.
//
// It is written against Lattigo directly and shares no arithmetic with fhe/internal/lattice or any engine, so it serves
// twice: as the oracle that fhetest.RunEngine compares engines with, limb for limb, and, with BestStock, as the peer
// that benchmarks measure engines against.
//
//	ev, err := stock.New(prog, consts, keys)
//	out, err := ev.Run(bundle)
//
// It checks its inputs as an engine does, but has no limits, no cancellation and no protection against panics of the
// library below. Servers use fhe/engine.
package stock
