// Command bench measures encrypted inference, and proofs of inference in the clear.
//
//	go run ./bench list
//	go run ./bench run mlp-single -json /tmp/mlp-single.json
//	go run ./bench run mlp-batch -data /path/to/mnist -json bench/results/mlp-batch.json
//	go run ./bench run zk-mlp -cold -json bench/results/zk-mlp.json
//	go run ./bench accuracy -data /path/to/tables -json bench/results/accuracy.json
//	go run ./bench results                                   # bench/RESULTS.md from bench/results
//	go run ./bench inspect public/program --json
//
// A figure's value is the median of its samples, which stand beside it. Server time is Job.Run alone; loading keys and
// weights, encryption and decryption have figures of their own. Comparisons with Lattigo's stock evaluators, and of one
// thread with several, take turns in one process, and their ratio is that of each turn.
//
// Scenarios zk-… prove what a network says. A cache keeps their keys, -cache DIR; -cold makes them anew, which is the
// only way to measure a setup whose keys are cached. Processes of their own make keys and measure the peak of memory.
// Each scenario prints its report first, which was known before there were keys, and its predictions stand beside the
// measured figures.
//
// Scenario load lets 1 to 64 clients share one job, and one client work beside a process that never waits.
//
// Accuracy compares labels of models on tables, as measured, with those of the models in float64: encrypted one sample at a
// time or in a batch, and in the integers that proofs are about. It fails where fewer than 99 in 100 agree and no compiler
// refused the model.
//
// Without -data models are trained and tried on the embedded subsets, and the figures say so. Times are those of one
// machine; the file names it.
package main
