// Package gnarkx is the only code of Signet that calls gnark's backends: it compiles circuits, makes and caches keys,
// proves in two passes, and verifies bytes from strangers. Package zk gives it to users.
//
// Every circuit has the two public inputs Context and Statement and one commitment to the context and all secret
// inputs. The prover learns the commitment's challenge in a first pass, evaluates what it needs there, and proves in a
// second pass under the same blinding mask. The proof system is [Groth16] on BN254, with gnark's commitments [BSB22].
//
// Importing the package silences gnark's logger, which prints to standard output, for the whole process.
//
// [Groth16]: https://eprint.iacr.org/2016/260
// [BSB22]: https://eprint.iacr.org/2022/1072
package gnarkx
