package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/ml/report"
)

// TestLoad measures a small program for all numbers of clients, and beside a process that is not there.
func TestLoad(t *testing.T) {
	defer goleak.VerifyNone(t)
	s, err := newSynthesiser(12, []int{38, 28}, []int{40})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.build("a square", func(e *emitter) {
		x := e.input(1, 1)[0]
		e.output(e.MulRelin(x, x))
	})
	if err != nil {
		t.Fatal(err)
	}
	started, stopped := 0, 0
	cfg := config{n: 2, log: io.Discard, spin: func(context.Context) (func() error, error) {
		started++
		return func() error { stopped++; return nil }, nil
	}}
	of, err := find("load")
	if err != nil {
		t.Fatal(err)
	}
	sum := report.New(of.Name)
	if err := measureLoad(context.Background(), of, cfg, sum, p); err != nil {
		t.Fatal(err)
	}
	if started != 2 || stopped != 2 {
		t.Errorf("%d processes started, %d stopped", started, stopped)
	}
	for c := 1; c <= mostClients; c *= 2 {
		rate, _ := sum.Get(fmt.Sprintf("throughput_%d", c))
		took, _ := sum.Get(fmt.Sprintf("latency_%d_ms", c))
		p99, _ := sum.Get(fmt.Sprintf("latency_%d_p99_ms", c))
		if work, ok := sum.Get(fmt.Sprintf("processor_%d_ms", c)); !ok || len(work.Samples) != 2 {
			t.Errorf("%d clients: processor time %+v", c, work)
		}
		if len(rate.Samples) != 2 || len(took.Samples) < 6*c || took.Value <= 0 || p99.Value < took.Value {
			t.Errorf("%d clients: %d rates, %d latencies, median %v, 99th percentile %v",
				c, len(rate.Samples), len(took.Samples), took.Value, p99.Value)
		}
	}
	for _, name := range strings.Fields("throughput_kept latency_spread throughput_alone throughput_beside fair_share") {
		if f, ok := sum.Get(name); !ok || f.Value <= 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for _, c := range sum.Checks {
		if c.Name == "every run gave the same bits" && !c.Pass { // the others depend on the machine
			t.Error(c.Name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := measureLoad(ctx, of, cfg, sum, p); err == nil {
		t.Error("cancelled: no error")
	}
}
