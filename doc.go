// Package signet is the root of a library for private and provable machine learning. It holds no code: import the
// packages below it. This version does encrypted inference and proves inference on plaintext; GPUs, encrypted training
// and networks of workers are to come.
//
// # The hourglass
//
//	ml, ml/train, ml/encrypted     models, training in the clear, the compiler
//	        │ emits
//	fhe/program.Program            a static list of operations on encrypted vectors: the waist
//	        │ is executed by
//	fhe/engine                     engines; every one gives the same ciphertext bits
//
// A program is data. Level, scale and slot count of every value are known before any key exists, so a program can be
// hashed, printed, costed and sent to a machine that has never heard of the model. What lies above the waist emits
// programs, what lies below executes them. An engine's bits are fixed, so two machines compare their work by a digest.
//
// # Who uses which package
//
// The model owner has a model in the clear: ml describes it, ml/train trains it, ml/data loads data sets, and
// ml/encrypted compiles it to a plan: parameters, program, constants, and what they will cost.
//
// The data owner has the secret key: fhe/client makes keys, encrypts and decrypts. Nothing else does, and nothing that
// runs on a server imports it, through any chain; a test checks that.
//
// The server has neither: fhe/engine loads program, constants and evaluation keys, and runs on ciphertexts.
//
// What crosses between them is in fhe (parameters, ciphertexts in bundles, evaluation keys) and fhe/program (programs
// and constants). Each has WriteTo and a reader that takes a size limit. To write programs by hand, or to build a
// compiler, use fhe/program, fhe/lintrans for matrix products and fhe/polyeval for polynomials. fhe/fhetest tests
// engines.
//
// Proofs have three parties too: the model owner compiles with ml/provable, commits to the weights and proves
// predictions (zk.Prove); a maker of keys runs zk.Setup; a verifier needs zk.Verify alone, or a contract from
// zk/solidity.
//
// # Example
//
// With errors left out, m a model, sample typical inputs and x one input:
//
//	plan, err := encrypted.Compile(m, encrypted.Target{Calibration: sample})
//	kg, err := client.NewKeyGenerator(plan.Parameters())
//	sk := kg.GenSecretKey()                                        // stays with the data owner
//	keys, err := kg.GenEvaluationKeys(ctx, sk, plan.Keys())        // for the server
//	in, err := client.NewEncryptor(sk).Encrypt(plan.Input(), x)    // for the server
//
//	eng, err := engine.Open(ctx, engine.Auto)                      // the server
//	job, err := eng.Load(ctx, plan.Program(), plan.Constants(), keys)
//	out, err := job.Run(ctx, in)
//
//	s, err := client.NewDecryptor(sk).ForOwner(plan.Output(), out) // the data owner, and nobody else
//	y, err := plan.Unpack(s, 1)                                    // what the model gives, with its sigmoid
//
// README.md has the same with errors handled, docs/tutorials the same step by step.
//
// # Compatibility
//
// Stored bytes decode for ever. That holds for every format with a version in docs/reference/wire.md, program.md and
// proofs.md (parameters, ciphertexts, bundles, keys, programs, constants, statements, proofs, commitments), for model
// files of ml and ml/fixedpoint, and for summaries of ml/report. A new version of a format gets a new number, golden
// files of the old one stay in the tests, and digests of equal values stay equal.
//
// Go names may move while the version is 0.x. A minor version may rename or remove an exported name after one version
// in which the old name is deprecated and forwards. What a compiler chooses may change with any version: parameters,
// programs, predicted costs, and so the digests of newly compiled programs. Packages internal, examples and bench
// promise nothing.
//
// # What it does not protect against
//
// The server sees the model, unless weights are encrypted: constants are weights in the clear. It always sees the shape
// of the model and ranges of the calibration set. It can answer wrongly: what runs on ciphertexts is not proved yet,
// and a prover of plaintext inference sees the input. A decrypted value holds noise that depends on the secret key, so
// it must reach nobody but the key's owner. Results say something about the model and its training data. Nothing is
// constant-time throughout, and stored keys are as safe as their files. Security is 128 bits against classical
// attackers, by tables that are estimates. The library has had no independent review. Read docs/SECURITY.md before you
// trust it with data that matters.
package signet
