// Package fhetest holds what tests of encrypted computation share: the conformance suite for engines, toy parameters
// and keys that protect nothing, random programs, and assertions in bits of precision.
//
// A new engine is done when this passes:
//
//	func TestEngine(t *testing.T) {
//		open := func(t *testing.T) program.Engine { return myengine.New(t) }
//		fhetest.RunEngine(t, open)
//		fhetest.RunLaws(t, open)
//	}
//
// The suite compares limbs with package stock, which is written against Lattigo and shares no arithmetic with any
// engine. The laws compare runs of the engine with one another and with package clear, and reduce a program that breaks
// one to the smallest that does. Keys and ciphertexts of the suite are mostly random words: bits are compared, so
// nothing has to decrypt.
package fhetest
