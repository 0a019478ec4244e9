package fhetest

import (
	"testing"
	"time"
)

func TestCasesCoverEveryOpcode(t *testing.T) {
	for _, f := range families {
		start := time.Now()
		cases, err := casesOf[f.name]()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, tc := range cases {
			n += len(tc.prog.Ops())
		}
		t.Log(f.name, len(cases), n, time.Since(start))
	}
}
