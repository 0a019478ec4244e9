package program

import "math"

// Domain is a range that the slots of a value must keep for the program to mean something: a polynomial approximation
// explodes beyond its interval, and nobody sees it under encryption. It is no part of a program. Whoever emits one
// collects the domains; a debug run, which knows the slots, checks them.
type Domain struct {
	Value  Value
	Lo, Hi float64 // the real part of every slot lies in [Lo, Hi]
	Name   string  // of what is evaluated on the value, for messages
}

// Excess returns by how much the real part x of a slot leaves the domain: 0 if it lies inside, +Inf if it is no number.
func (d Domain) Excess(x float64) float64 {
	if math.IsNaN(x) {
		return math.Inf(1)
	}
	return max(d.Lo-x, x-d.Hi, 0)
}
