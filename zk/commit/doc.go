// Package commit holds the commitments of Signet's proofs: Poseidon2 digests of inputs and outputs, KZG commitments to
// a model's weights, and the transcript hash that binds them to one another.
//
// Most users want package zk, which puts these parts together. Use this one to check a commitment or an opening without
// a prover, to make and check reference strings, or to build another protocol on the same parts.
//
// # Digests
//
// Hash and Packing.Digest have twins, HashVar and Packing.DigestVar, that compute the same digest in a gnark circuit.
// Packing is injective only for values in their range, which natively it checks and in a circuit it does not.
//
// # Weights
//
// A Layout places all linear layers of a model in one matrix W of m rows. Registering it takes a reference string, a
// matrix and fresh blinds:
//
//	srs, err := commit.NewLocalSRS(commit.Rows, layout)      // or ReadPtau, then Check
//	m, err := commit.NewMatrix(layout, weights, biases)
//	c, opening, err := commit.Commit(ctx, srs, commit.Rows, m)
//	cd := c.Digest(srs.VerifyingKey().Digest(), layout.Digest(), circuit, version)
//	budget, err := commit.CreateBudget(path, c.Blinds(), layout.Budget(commit.Rows))
//
// A proof about it fixes a vector v in K, draws g, computes the row u = sum_i g^i W_i, draws h once u and v are fixed,
// and shows that e1 = u(h) and e2 = v(h). The weights appear in no circuit: one that knows u costs a wire a column.
//
//	k, err := commit.CommitVector(srs, v)
//	u := opening.Row(g)
//	proof, err := commit.Open(ctx, srs, opening, transcribe, u, v, k)
//	err = commit.VerifyOpening(key, c, transcribe, proof)
//
// In the form Rows, W has m commitments, and a verifier combines them with powers of g and checks one KZG opening
// [KZG10] of that polynomial and of K, joined by gamma. In the form Compact it has one, and two quotients lead from
// W(X, Y) by way of W(g, Y) to W(g, h) [PST13].
//
// # What this does not protect against
//
// Whoever knows the secret of a reference string forges every proof under it: verifiers pin SRSKey.Digest. A verifier
// that takes cd, g or h from the prover instead of computing them accepts forgeries. A commitment says nothing about
// the size of weights; that takes a range proof at registration. Every proof reveals one equation about the weights,
// which the blinds hide for Layout.Budget proofs and no longer; Budget counts them, and cannot see a disk set back to
// an earlier state. Nothing here runs in constant time: the machine that commits and opens is trusted with the weights.
// Soundness is argued in the algebraic group model with Keccak-256 as a random oracle.
//
// [KZG10]: https://doi.org/10.1007/978-3-642-17373-8_11
// [PST13]: https://eprint.iacr.org/2011/587
//
// [GKS23]: https://eprint.iacr.org/2023/323
package commit
