package commit

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// wideLayout returns the layout of a network of dense layers of signed bytes.
func wideLayout(widths ...int) Layout {
	l := Layout{Blinds: 8}
	for i := range widths[1:] {
		l.Blocks = append(l.Blocks, Block{Rows: widths[i+1], Columns: widths[i], Weight: Range{-127, 127}, Bias: Range{-1 << 22, 1 << 22}})
		l.Accumulators += widths[i+1]
	}
	return l
}

var benchmarked = []struct {
	name   string
	layout Layout
}{
	{"100k", mlp},
	{"1M", wideLayout(784, 1024, 256, 10)},
	{"10M", wideLayout(784, 3072, 2048, 512, 10)},
}

// zeros returns an opening without blinds whose weights run through their range.
func zeros(b *testing.B, layout Layout) *Opening {
	var weights, bias [][]int64
	for _, block := range layout.Blocks {
		w := make([]int64, block.Rows*block.Columns)
		for i := range w {
			w[i] = int64(i%255) - 127
		}
		weights, bias = append(weights, w), append(bias, make([]int64, block.Rows))
	}
	m, err := NewMatrix(layout, weights, bias)
	if err != nil {
		b.Fatal(err)
	}
	return &Opening{form: Rows, matrix: m, blinds: make([]fr.Element, layout.Rows()*layout.Blinds)}
}

func BenchmarkRow(b *testing.B) {
	for _, tt := range benchmarked {
		b.Run("weights="+tt.name, func(b *testing.B) {
			o := zeros(b, tt.layout)
			g := elements(1, 1)[0]
			for b.Loop() {
				o.Row(g)
			}
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, form := range []Form{Rows, Compact} {
		for _, tt := range benchmarked {
			if form == Compact && tt.layout.Rows() > 128 {
				continue
			}
			b.Run(fmt.Sprintf("form=%v/weights=%s", form, tt.name), func(b *testing.B) {
				m := zeros(b, tt.layout).matrix
				srs, err := NewLocalSRS(form, tt.layout)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, _, err := Commit(b.Context(), srs, form, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, form := range []Form{Rows, Compact} {
		for _, tt := range benchmarked {
			if form == Compact && tt.layout.Rows() > 128 {
				continue
			}
			r := registered{}
			setup := func(b *testing.B) (Transcribe, *OpeningProof) {
				if r.o == nil {
					r = register(b, form, tt.layout, 1)
				}
				return r.prove(b, 1)
			}
			b.Run(fmt.Sprintf("form=%v/weights=%s", form, tt.name), func(b *testing.B) {
				tr, p := setup(b)
				u, v := r.o.Row(tr.G), vector(tt.layout, 1)
				for b.Loop() {
					if _, err := Open(b.Context(), r.srs, r.o, tr, u, v, p.K); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("vector/form=%v/weights=%s", form, tt.name), func(b *testing.B) {
				setup(b)
				v := vector(tt.layout, 1)
				for b.Loop() {
					if _, err := CommitVector(r.srs, v); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("verify/form=%v/weights=%s", form, tt.name), func(b *testing.B) {
				tr, p := setup(b)
				for b.Loop() {
					if err := VerifyOpening(r.srs.VerifyingKey(), r.c, tr, p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for _, n := range []int{7, 40} {
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			elems := elements(1, n)
			for b.Loop() {
				Hash(TagInput, elems...)
			}
		})
	}
}
