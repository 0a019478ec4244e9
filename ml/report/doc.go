// Package report writes what a run found out: figures with units, checks that passed or failed, the machine, the
// parameters and the digests of the files beside, as one JSON file, "signet/summary/v1".
//
// Programs that measure or demonstrate encrypted inference should use it, so that a reader meets one format:
//
//	s := report.New("quickstart")
//	s.Parameters = report.ParametersOf(plan.Parameters())
//	s.Add(report.Median("server_ms", "ms", samples, "Job.Run only"))
//	s.Check("labels agree", agreement >= 0.99)
//	err := s.Write("out/summary.json")
//
// A figure's value is the median of its samples. Times of one machine say little about another, so the machine is part
// of the file. It protects nothing: whoever holds a summary sees accuracies, which follow from decrypted values, and
// belongs on the data owner's side.
package report
