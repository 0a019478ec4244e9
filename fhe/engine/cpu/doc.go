// Package cpu executes programs on the processor, with the bits of Lattigo v5.0.7 and all cores: inside one operation
// by limbs, digits and parts, and across operations that do not depend on one another. Neighbouring LINCOMB operations
// over the same operands run as one matrix product; LINTRANS and ROTSUM run as fused loops over blocks that stay in
// cache. The bits do not depend on the number of threads.
//
// Open it through fhe/engine. It holds no secrets: it sees ciphertexts, evaluation keys and the model's constants.
package cpu
