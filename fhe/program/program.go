package program

import (
	"slices"

	"github.com/signet-ml/signet/fhe"
)

// Program is an encrypted computation: ports, named constants and operations in single-assignment form. It is
// immutable and safe for concurrent use.
type Program struct {
	params  fhe.Parameters
	inputs  []Port
	outputs []Port
	consts  []ConstantInfo
	ops     []Op
	scopes  []string
	encoded []byte
	digest  fhe.Digest
}

// Parameters returns the parameters that the program is written for.
func (p *Program) Parameters() fhe.Parameters { return p.params }

// Ops returns the operations in order; an operation's index is the Value of its result. The slice is the program's own.
func (p *Program) Ops() []Op { return p.ops }

// Scope returns the label of an operation.
func (p *Program) Scope(v Value) string { return p.scopes[p.ops[v].scope] }

// Inputs returns the input ports, bound to this program. The slices of their layouts are the program's own.
func (p *Program) Inputs() []Port { return p.bound(p.inputs) }

// Outputs returns the output ports, bound to this program.
func (p *Program) Outputs() []Port { return p.bound(p.outputs) }

func (p *Program) bound(ports []Port) []Port {
	out := slices.Clone(ports)
	for i := range out {
		out[i].Program = p.digest
	}
	return out
}

// Constants returns what the program states about the constants that it names.
func (p *Program) Constants() []ConstantInfo { return slices.Clone(p.consts) }

// Digest returns the digest of the canonical encoding.
func (p *Program) Digest() fhe.Digest { return p.digest }

// Bytes returns the size of the encoding.
func (p *Program) Bytes() int64 { return int64(len(p.encoded)) }

// LastUses returns, for every value, the index of the last operation that reads it, or the value's own index if none
// does: after that operation an engine may free it.
func (p *Program) LastUses() []Value {
	last := make([]Value, len(p.ops))
	for i := range p.ops {
		last[i] = Value(i)
		for v := range p.ops[i].Operands() {
			last[v] = Value(i)
		}
		// A hoist's consumers read part 0 of the hoisted value too.
		if o := &p.ops[i]; o.Code == RotHoisted || o.Code == Lintrans || o.Code == Rotsum {
			last[p.ops[o.Args[0]].Args[0]] = Value(i)
		}
	}
	return last
}

// Counts returns how many operations of each code the program has.
func (p *Program) Counts() map[Opcode]int {
	n := make(map[Opcode]int)
	for i := range p.ops {
		n[p.ops[i].Code]++
	}
	return n
}

// Rotations returns how many automorphisms the program applies, those inside Lintrans and Rotsum included.
func (p *Program) Rotations() int {
	n := 0
	for i := range p.ops {
		n += p.RotationsOf(Value(i))
	}
	return n
}

// RotationsOf returns how many automorphisms operation v applies.
func (p *Program) RotationsOf(v Value) int { return len(p.automorphisms(int(v))) }

// automorphism is the use of one Galois element other than 1, at a level.
type automorphism struct {
	galois uint64
	level  int
}

// automorphisms returns those that operation i applies. The baby steps of a Lintrans work at the level of its hoist,
// with all of its digits, even where the product is at a lower one: several products share them.
func (p *Program) automorphisms(i int) []automorphism {
	o := &p.ops[i]
	var out []automorphism
	switch o.Code {
	case Rot, Conj, RotHoisted, Rotsum:
		for _, g := range o.Galois {
			if g != 1 {
				out = append(out, automorphism{g, o.Level})
			}
		}
	case Lintrans:
		seen := make(map[[2]int]bool)
		for _, k := range o.Diagonals {
			baby, giant := BabyGiant(k, o.N1)
			for s, step := range [2]int{baby, giant} {
				if step == 0 || seen[[2]int{step, s}] {
					continue
				}
				seen[[2]int{step, s}] = true
				level := o.Level
				if s == 0 {
					level = p.ops[o.Args[0]].Level
				}
				out = append(out, automorphism{p.params.GaloisElement(step), level})
			}
		}
	}
	return out
}
