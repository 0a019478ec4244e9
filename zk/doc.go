// Package zk proves that a model gave a prediction and verifies such proofs.
//
// A circuit (package zk/nn, usually by way of ml/provable) says what is computed. Setup makes its keys, once per
// architecture. A model owner commits to the weights, once per model, and then proves predictions; a verifier holds the
// verifying key, a statement and a proof, and needs neither model nor witness:
//
//	keys, err := zk.Setup(ctx, circuit, zk.CacheDir(dir))
//	res, err := zk.Prove(ctx, keys, witness)          // usually ml/provable's Prove
//	err = zk.Verify(keys.VerifyingKey(), res.Statement, res.Proof)
//
// Everything that crosses between the two has a bounded decoder: ReadVerifyingKey, ReadStatement, ReadProof,
// ReadRegistration.
//
// # What is proved
//
// Kind says it in words; Statement.String prints it for one proof. The proof system is Groth16 on BN254. Private
// weights stay outside the circuit: they are bound by a KZG commitment and one evaluation proof, whose argument is
// docs/explanation/proven-inference.md.
//
// That private weights are small integers, without which sums hold modulo the field's order only, is proved apart and
// once for a model, by Register, under keys of a circuit of its own. Whoever verifies a statement that says RangeProved
// gives Verify that registration:
//
//	reg, err := zk.Register(ctx, regKeys, keys.VerifyingKey(), model, opening, registrant)
//	err = zk.Verify(keys.VerifyingKey(), st, proof, zk.WithRegistration(regKeys.VerifyingKey(), reg, registrant))
//
// # What it does not protect against
//
// Whoever knows the randomness of a setup can forge. Keys made by Setup carry the provenance "local": they convince
// only those who trust the machine that made them. The prover sees the model and the input. Proof bytes can be
// re-randomised by anyone and identify nothing. Predictions themselves reveal something about a model.
package zk
