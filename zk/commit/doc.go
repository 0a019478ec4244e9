// Package commit holds the commitments of Signet's proofs: Poseidon2 digests of inputs and outputs, KZG commitments to
// a model's weights, and the transcript hash that binds them to one another.
//
// [GKS23]: https://eprint.iacr.org/2023/323
package commit
