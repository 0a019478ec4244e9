package cpu_test

import (
	"context"
	"testing"

	"github.com/signet-ml/signet/fhe"
	"github.com/signet-ml/signet/fhe/engine/cpu"
	"github.com/signet-ml/signet/fhe/fhetest"
	"github.com/signet-ml/signet/fhe/fhetest/stock"
	"github.com/signet-ml/signet/fhe/program"
)

func TestDebug(t *testing.T) {
	params := fhetest.InsecureToyParams(t, fhetest.Toys[0])
	t.Log(params)
	for _, d := range [][]int{{0}, {1}, {2}, {0, 1}, {0, 4}, {4}, {4,5}, {1,4}} {
		for _, n1 := range []int{1, 2, 4} {
			for _, ls := range []int{params.LogMaxSlots(), 2, 3} {
			for b := params.MaxLevel(); b >= 0; b-- {
				bl := program.NewBuilder(params)
				x := bl.Input(program.Port{Name: "x", Count: 1, Level: params.MaxLevel(), Degree: 1, LogSlots: ls, Scale: fhe.PowerOfTwo(20), Bound: 1, Layout: program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}})[0]
				if d[len(d)-1] >= 1<<ls { continue }
				rows := make([][]int64, len(d))
				idx := make([]int, len(d))
				for i := range rows {
					idx[i] = i
					rows[i] = make([]int64, 2<<ls)
					for j := range rows[i] { rows[i][j] = (int64(i*1000 + j*j*7919%100003)-50000)<<uint(j%40) }
				}
				c, err := program.NewPolynomials(rows, ls, fhe.PowerOfTwo(20))
				if err != nil { t.Fatal(err) }
				h := bl.Hoist(x, params.MaxLevel())
				y := bl.Lintrans(h, c, idx, d, n1, b)
				bl.Output(bl.OutputPort("y", y, 1, program.Layout{Shape: []int{1}, Runs: []program.Run{{Length: 1}}}), y)
				p, cs, err := bl.Build()
				if err != nil { t.Fatal(err) }
				reqs := p.Keys()
				for i := range reqs { reqs[i].Level = params.MaxLevel() }
				keys, err := fhetest.RandomKeys(fhetest.NewRand(3), params, fhe.KeyID{}, reqs); if err != nil { t.Fatal(err) }
				in, err := fhetest.RandomBundle(fhetest.NewRand(1), p, keys.Key()); if err != nil { t.Fatal(err) }
				st, err := stock.New(p, cs, keys)
				if err != nil { t.Fatal(err) }
				want, err := st.Run(in)
				if err != nil { t.Fatal(err) }
				e, _ := cpu.Open(cpu.Config{})
				j, err := e.Load(context.Background(), p, cs, keys)
				if err != nil { t.Fatal(err) }
				got, err := j.Run(context.Background(), in)
				if err != nil { t.Fatal(err) }
				if got.Digest() != want.Digest() {
					t.Errorf("d=%v n1=%d slots=%d b=%d", d, n1, ls, b)
				}
			}
			}
		}
	}
}
