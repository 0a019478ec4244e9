package fhetest

import (
	"testing"

	"github.com/signet-ml/signet/fhe/program"
)

// TestRandomDecryptable counts what the generator emits: all opcodes, or the linear ones.
func TestRandomDecryptable(t *testing.T) {
	for _, linear := range []bool{false, true} {
		counts := map[program.Opcode]int{}
		for seed := range uint64(24) {
			p, _, err := RandomDecryptable(NewRand(seed), InsecureToyParams(t, Toys[int(seed)%len(Toys)]), 30, linear)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if len(p.Ops()) < 30 {
				t.Errorf("seed %d: %d operations", seed, len(p.Ops()))
			}
			for code, n := range p.Counts() {
				counts[code] += n
			}
		}
		for code := program.Input; code < program.KeySwitch; code++ {
			product := code == program.Mul || code == program.MulRelin || code == program.Relin
			constant := code == program.AddPt || code == program.SubPt || code == program.AddConst
			if code == program.Zero || linear && (product || constant) {
				if counts[code] > 0 {
					t.Errorf("linear %v: %d %v", linear, counts[code], code)
				}
			} else if counts[code] < 5 {
				t.Errorf("linear %v: %d %v of %v", linear, counts[code], code, counts)
			}
		}
		t.Log(counts)
	}
}
