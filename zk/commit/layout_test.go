package commit

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestLayoutSizes(t *testing.T) {
	for _, tt := range []struct {
		l                             Layout
		rows, columns, powers, budget int
	}{
		{toy, 5, 3 + 1 + 5 + 1 + 3, 23, 9},
		{mlp, 128, 784 + 1 + 128 + 1 + 8, 922, 895},
		{Layout{Blocks: []Block{{Rows: 1, Columns: 30}}, Blinds: 9, Accumulators: 1}, 1, 40, 40, 7},
	} {
		if m, n, p, b := tt.l.Rows(), tt.l.Columns(), tt.l.Powers(), tt.l.Budget(Rows); m != tt.rows || n != tt.columns || p != tt.powers || b != tt.budget {
			t.Errorf("%d rows, %d columns, %d powers, budget %d; want %d, %d, %d, %d", m, n, p, b, tt.rows, tt.columns, tt.powers, tt.budget)
		}
		if err := tt.l.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// TestLayoutRefuses breaks every rule of a layout, among them that there are blinds for a proof.
//
// Soundness: S19.
func TestLayoutRefuses(t *testing.T) {
	for name, spoil := range map[string]func(l *Layout){
		"no blocks":           func(l *Layout) { l.Blocks = nil },
		"too many blocks":     func(l *Layout) { l.Blocks = make([]Block, maxBlocks+1) },
		"no rows":             func(l *Layout) { l.Blocks[0].Rows = 0 },
		"negative rows":       func(l *Layout) { l.Blocks[0].Rows = -1 },
		"no columns":          func(l *Layout) { l.Blocks[1].Columns = 0 },
		"huge columns":        func(l *Layout) { l.Blocks[1].Columns = math.MaxInt },
		"many cells":          func(l *Layout) { l.Blocks[1] = Block{Rows: maxSide, Columns: 100} },
		"empty weight range":  func(l *Layout) { l.Blocks[0].Weight = Range{1, 0} },
		"wide weights":        func(l *Layout) { l.Blocks[0].Weight = Range{0, 1 << 31} },
		"empty bias range":    func(l *Layout) { l.Blocks[0].Bias = Range{1, 0} },
		"wide biases":         func(l *Layout) { l.Blocks[0].Bias = Range{-maxBias - 1, 0} },
		"extreme biases":      func(l *Layout) { l.Blocks[0].Bias = Range{math.MinInt64, math.MaxInt64} },
		"long name":           func(l *Layout) { l.Blocks[0].Name = strings.Repeat("x", maxName+1) },
		"no blinds":           func(l *Layout) { l.Blinds = 0 },
		"one blind":           func(l *Layout) { l.Blinds = 1 },
		"negative blinds":     func(l *Layout) { l.Blinds = -8 },
		"many blinds":         func(l *Layout) { l.Blinds = maxBlinds + 1 },
		"no budget":           func(l *Layout) { l.Blocks, l.Blinds = []Block{{Rows: 1, Columns: 1}}, 2 },
		"no accumulators":     func(l *Layout) { l.Accumulators = 0 },
		"many accumulators":   func(l *Layout) { l.Accumulators = maxSide + 1 },
		"overflowing columns": func(l *Layout) { l.Blocks = slicesRepeat(Block{Rows: 1, Columns: maxSide}, maxBlocks) },
	} {
		l := toy.clone()
		spoil(&l)
		if err := l.Validate(); err == nil {
			t.Errorf("%s: valid", name)
		}
		if _, err := NewMatrix(l, nil, nil); err == nil {
			t.Errorf("%s: a matrix", name)
		}
		if _, err := UnmarshalCommitment(nil, l); err == nil {
			t.Errorf("%s: a commitment", name)
		}
	}
}

func slicesRepeat(b Block, n int) []Block {
	out := make([]Block, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// TestLayoutDigest changes every field: each but the name changes the digest.
func TestLayoutDigest(t *testing.T) {
	want := toy.Digest()
	for name, change := range map[string]func(l *Layout){
		"blinds":       func(l *Layout) { l.Blinds++ },
		"accumulators": func(l *Layout) { l.Accumulators++ },
		"rows":         func(l *Layout) { l.Blocks[1].Rows++ },
		"columns":      func(l *Layout) { l.Blocks[1].Columns++ },
		"weight lo":    func(l *Layout) { l.Blocks[1].Weight.Lo++ },
		"weight hi":    func(l *Layout) { l.Blocks[1].Weight.Hi++ },
		"bias lo":      func(l *Layout) { l.Blocks[1].Bias.Lo-- },
		"bias hi":      func(l *Layout) { l.Blocks[1].Bias.Hi++ },
		"order":        func(l *Layout) { l.Blocks[0], l.Blocks[1] = l.Blocks[1], l.Blocks[0] },
		"one more":     func(l *Layout) { l.Blocks = append(l.Blocks, l.Blocks[1]) },
	} {
		l := toy.clone()
		change(&l)
		if l.Digest() == want {
			t.Errorf("%s: the same digest", name)
		}
	}
	l := toy.clone()
	l.Blocks[0].Name = "another"
	if l.Digest() != want {
		t.Error("the name changes the digest")
	}
	var b bytes.Buffer
	for _, l := range []Layout{toy, mlp} {
		fmt.Fprintf(&b, "%x\n", l.Digest())
	}
	golden(t, "layout.txt", b.Bytes())
}

func TestNewMatrixRefuses(t *testing.T) {
	for name, spoil := range map[string]func(w, b [][]int64) ([][]int64, [][]int64){
		"no weights":       func(w, b [][]int64) ([][]int64, [][]int64) { return nil, b },
		"no biases":        func(w, b [][]int64) ([][]int64, [][]int64) { return w, nil },
		"a block short":    func(w, b [][]int64) ([][]int64, [][]int64) { return w[:1], b[:1] },
		"a block more":     func(w, b [][]int64) ([][]int64, [][]int64) { return append(w, nil), append(b, nil) },
		"a weight short":   func(w, b [][]int64) ([][]int64, [][]int64) { w[1] = w[1][1:]; return w, b },
		"a weight more":    func(w, b [][]int64) ([][]int64, [][]int64) { w[1] = append(w[1], 0); return w, b },
		"a bias short":     func(w, b [][]int64) ([][]int64, [][]int64) { b[0] = b[0][1:]; return w, b },
		"narrow weight":    func(w, b [][]int64) ([][]int64, [][]int64) { w[0][3] = 7777; return w, b },
		"-128":             func(w, b [][]int64) ([][]int64, [][]int64) { w[0][3] = -128; return w, b },
		"wraps to 0":       func(w, b [][]int64) ([][]int64, [][]int64) { w[0][3] = 256; return w, b },
		"wide weight":      func(w, b [][]int64) ([][]int64, [][]int64) { w[1][3] = 77777; return w, b },
		"wraps to 0, wide": func(w, b [][]int64) ([][]int64, [][]int64) { w[1][3] = 1 << 32; return w, b },
		"bias":             func(w, b [][]int64) ([][]int64, [][]int64) { b[1][0] = 7777; return w, b },
	} {
		w, b := spoil(random(toy, 1))
		_, err := NewMatrix(toy, w, b)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "7777") {
			t.Errorf("%s: the error tells a weight: %v", name, err)
		}
	}
}

func TestMatrixIsCompact(t *testing.T) {
	m := randomMatrix(t, toy, 1)
	if m.blocks[0].narrow == nil || m.blocks[0].wide != nil || m.blocks[1].narrow != nil || m.blocks[1].wide == nil {
		t.Error("weights are not kept in the width that their range allows")
	}
	got := m.Layout()
	got.Blocks[0].Rows = 99
	if m.Layout().Blocks[0].Rows == 99 {
		t.Error("Layout hands out the matrix's own blocks")
	}
}
