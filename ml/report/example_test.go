package report_test

import (
	"fmt"
	"os"

	"github.com/signet-ml/signet/ml/report"
)

func Example() {
	s := report.New("demo")
	s.Add(report.Median("server_ms", "ms", []float64{12, 10, 11}, "Job.Run only").On("cpu", 1))
	s.Add(report.Number("accuracy", "ratio", 0.982, 114, ""))
	s.Check("accuracy above 95 %", true)
	if err := s.Table(os.Stdout); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(s.Failed()), "checks failed")
	// Output:
	//   server_ms  11.0 ms  n=3, 1 thread(s)  Job.Run only
	//   accuracy   98.20 %  n=114
	// 0 checks failed
}
