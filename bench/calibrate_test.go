package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/signet-ml/signet/fhe/program/cost"
)

// small is the cheapest ring that all kinds of work occur in.
var small = ring{logN: 13, logQ: []int{50, 36, 36, 36}, logP: []int{56}, batch: []int{44, 44}, operands: 16, diagonals: 16, level: 3, full: true}

// TestCalibrate measures one ring and reads back what it wrote.
func TestCalibrate(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of measuring")
	}
	defer goleak.VerifyNone(t)
	var log, b bytes.Buffer
	table, err := calibrate(context.Background(), &log, []ring{small})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := cost.ReadTable(&b, cost.MaxBytes); err != nil {
		t.Fatal(err)
	}
	if ns := table.Nanos(cost.Transform, 13, 1); ns < 0.1 || ns > 1000 {
		t.Errorf("a word of a transform takes %v ns", ns)
	}
	if !strings.Contains(log.String(), "the table explains") {
		t.Errorf("log %q", log.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := calibrate(ctx, io.Discard, []ring{small}); err == nil {
		t.Error("cancelled: no error")
	}
}

// TestRingCoversKinds: every kind of work occurs.
func TestRingCoversKinds(t *testing.T) {
	progs, err := small.programs()
	if err != nil {
		t.Fatal(err)
	}
	have := map[cost.Kind]bool{}
	for _, p := range progs {
		run, load := works(p.prog, 2)
		for _, k := range cost.Kinds() {
			have[k] = have[k] || run[k] > 0 || load[k] > 0
		}
	}
	for _, k := range cost.Kinds() {
		if !have[k] {
			t.Errorf("no program has %v", k)
		}
	}
}
