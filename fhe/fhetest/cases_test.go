package fhetest

import (
	"testing"

	"github.com/signet-ml/signet/fhe/program"
)

// TestCasesCoverTheWaist checks what the suite promises: every opcode at every level it can have, every degree, hoists
// consumed at and below their level.
func TestCasesCoverTheWaist(t *testing.T) {
	type at struct {
		code          program.Opcode
		level, degree int
	}
	seen := make(map[string]map[at]bool)
	below := make(map[program.Opcode]bool)
	for _, f := range families {
		cases, err := casesOf[f.name]()
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range cases {
			params := tc.prog.Parameters().String()
			if seen[params] == nil {
				seen[params] = make(map[at]bool)
			}
			ops := tc.prog.Ops()
			for i := range ops {
				o := &ops[i]
				seen[params][at{o.Code, o.Level, o.Degree}] = true
				if len(o.Args) > 0 && ops[o.Args[0]].Code == program.Hoist && o.Level < ops[o.Args[0]].Level {
					below[o.Code] = true
				}
			}
		}
	}
	for _, toy := range Toys {
		if large(toy) {
			continue
		}
		params, err := insecureToy(toy)
		if err != nil {
			t.Fatal(err)
		}
		for code := program.Input; code < program.KeySwitch; code++ {
			degrees, top, keys := []int{1}, params.MaxLevel(), false
			switch code {
			case program.Zero, program.Add, program.Sub, program.Neg, program.AddPt, program.SubPt, program.MulPt,
				program.AddConst, program.MulConst, program.MacConst:
				degrees = []int{0, 1, 2}
			case program.Lincomb:
				degrees = []int{0, 1, 2}
			case program.Rescale:
				degrees, top = []int{0, 1, 2}, top-1
			case program.Drop:
				degrees, top = []int{1}, 0
			case program.SetScale, program.Output:
				degrees, top = nil, 0
			case program.Mul:
				degrees = []int{2}
			case program.Relin, program.MulRelin, program.Rot, program.Conj:
				keys = true
			case program.Hoist, program.RotHoisted, program.Lintrans, program.Rotsum:
				if keys = true; toy.Name == "large ring" {
					continue // random programs only
				}
			}
			if keys && params.PCount() == 0 {
				continue
			}
			for level := 0; level <= top; level++ {
				for _, d := range degrees {
					if !seen[params.String()][at{code, level, d}] {
						t.Errorf("toy %q: no %v at level %d, degree %d", toy.Name, code, level, d)
					}
				}
			}
		}
	}
	for _, code := range []program.Opcode{program.RotHoisted, program.Lintrans, program.Rotsum} {
		if !below[code] {
			t.Errorf("no %v below its hoist", code)
		}
	}
}

// TestRandomProgramsAreReproducible: a seed names a program, for ever within one version of the suite.
func TestRandomProgramsAreReproducible(t *testing.T) {
	params := InsecureToyParams(t, Toys[0])
	codes := make(map[program.Opcode]int)
	for seed := range uint64(30) {
		p, c, err := RandomProgram(NewRand(seed), params, 40)
		if err != nil {
			t.Fatal(err)
		}
		q, _, err := RandomProgram(NewRand(seed), params, 40)
		if err != nil {
			t.Fatal(err)
		}
		AssertDigest(t, q.Digest(), p.Digest())
		if err := p.CheckConstants(c); err != nil {
			t.Fatal(err)
		}
		for code, n := range p.Counts() {
			codes[code] += n
		}
	}
	for code := program.Input; code < program.KeySwitch; code++ {
		if codes[code] == 0 {
			t.Errorf("30 random programs without %v", code)
		}
	}
}
