package program

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Dump writes the program as text: parameters, ports, constants and one line per operation with its level, scale,
// degree, slots and scope. Runs of equal scope are headed by it. The text is for people and goldens, not for parsing.
func (p *Program) Dump(w io.Writer) error {
	bw := bufio.NewWriter(w)
	fmt.Fprintf(bw, "program %s\nparameters %s %v\n", p.digest.Short(), p.params.Digest().Short(), p.params)
	for _, list := range []struct {
		name  string
		ports []Port
	}{{"input", p.inputs}, {"output", p.outputs}} {
		for _, port := range list.ports {
			fmt.Fprintf(bw, "%s %q %d × (level %d, degree %d, scale %v, 2^%d slots), |x| ≤ %.4g, tensor %v in %d runs\n",
				list.name, port.Name, port.Count, port.Level, port.Degree, port.Scale, port.LogSlots, port.Bound, port.Layout.Shape, len(port.Layout.Runs))
			port.Features.dump(bw)
		}
	}
	for i, c := range p.consts {
		kind := "polynomials"
		if c.Kind == Weights {
			kind = "weights"
		}
		fmt.Fprintf(bw, "constant c%d %s %s %d × %d at scale %v\n", i, c.Digest.Short(), kind, c.Rows, c.Width, c.Scale)
	}
	scope := 0
	for i := range p.ops {
		o := &p.ops[i]
		if o.scope != scope {
			scope = o.scope
			fmt.Fprintf(bw, "# %s\n", p.scopes[scope])
		}
		fmt.Fprintf(bw, "%%%d = %s\n", i, p.line(o))
	}
	return bw.Flush()
}

func (p *Program) line(o *Op) string {
	var s strings.Builder
	s.WriteString(o.Code.String())
	for _, v := range o.Args {
		fmt.Fprintf(&s, " %%%d", v)
	}
	for _, r := range o.Ranges {
		if r.Count == 1 {
			fmt.Fprintf(&s, " %%%d", r.First)
		} else {
			fmt.Fprintf(&s, " %%%d…%%%d", r.First, int(r.First)+r.Count-1)
		}
	}
	switch o.Code {
	case Input:
		fmt.Fprintf(&s, " %q[%d]", p.inputs[o.Port].Name, o.Index)
	case Output:
		fmt.Fprintf(&s, " %q[%d]", p.outputs[o.Port].Name, o.Index)
	case AddPt, SubPt, MulPt, Lincomb:
		fmt.Fprintf(&s, " c%d[%d]", o.Const, o.Rows[0])
	case AddConst:
		fmt.Fprintf(&s, " %v + %v·i", o.A, o.B)
	case MulConst:
		fmt.Fprintf(&s, " (%v + %v·i) @ %v", o.A, o.B, o.By)
	case MacConst:
		fmt.Fprintf(&s, " ·%v, (%v + %v·i) @ %v", o.M, o.A, o.B, o.By)
	case Rot, Conj, RotHoisted, Rotsum:
		for _, g := range o.Galois {
			k, conj, _ := p.params.Rotation(g)
			if conj {
				fmt.Fprintf(&s, " conj+%d", k)
			} else {
				fmt.Fprintf(&s, " rot+%d", k)
			}
		}
	case Lintrans:
		fmt.Fprintf(&s, " c%d diagonals %v, %d baby steps", o.Const, o.Diagonals, o.N1)
	}
	if o.Code != Output {
		fmt.Fprintf(&s, "  : level %d, scale %v", o.Level, o.Scale)
		if o.Degree != 1 {
			fmt.Fprintf(&s, ", degree %d", o.Degree)
		}
	}
	return s.String()
}
