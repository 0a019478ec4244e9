// Package provable compiles an ml.Model into a circuit whose proofs say: this committed model gave this prediction.
//
// It takes the very model that ml/encrypted compiles. Package ml/fixedpoint turns it into exact integers (the twin),
// package zk/nn constrains them, package zk proves:
//
//	c, err := provable.Compile(m, provable.Options{Calibration: sample})
//	k, err := zk.Setup(ctx, c.Circuit(), zk.CacheDir(dir))
//	commitment, opening, err := c.Commit(k)                      // once per model
//	proof, pred, err := c.Prove(ctx, k, opening, x, zk.Context{}) // once per prediction
//	err = zk.Verify(k.VerifyingKey(), c.Statement(commitment, x, pred), proof)
//
// What is proved is the twin, not the float model: Fidelity says how close they are on the calibration set, and
// fixedpoint's Compare on any other. Samples far outside of the calibration set are refused, because the twin would cut
// them. See package zk for what else a proof does not say.
package provable
