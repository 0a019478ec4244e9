// Package solidity writes the contracts that verify proofs of zk on a chain, and calls of them. Use it if a contract is
// to pay for, record or depend on a model's prediction:
//
//	keys, err := zk.Setup(ctx, circuit, zk.For(zk.Solidity), zk.CompactModel()) // without CompactModel for public weights
//	contracts, err := solidity.Export(keys.VerifyingKey())                      // compile and deploy Inference.sol
//	args, err := solidity.ConstructorArguments(keys.VerifyingKey(), model)      // private weights: which model
//	call, err := solidity.Calldata(keys.VerifyingKey(), res.Statement, res.Proof)
//
// The contract repeats everything that zk.Verify computes: the model commitment's digest, the subject, the context, the
// challenges and the statement. A caller gives it a context from its own storage, a digest of the input, an output and
// proof bytes, and gets a bool.
//
// All pairing equations of a proof are checked by one call of the pairing precompile: their product, each to another
// power of a digest of the whole proof. That is what makes a verification cost 348,000 gas with public weights and
// 502,000 with private ones; the tests of the module zk/solidity/evmtest measure it and compare the answers with those
// of gnark's own contract, which Inference.sol inherits.
//
// It does not protect against a caller that takes the context from the prover, against whoever knows the randomness of
// the setup or of the reference string, or against forks that change what the code means. The contracts have had no
// independent review. See docs/howto/verify-on-chain.md.
package solidity
