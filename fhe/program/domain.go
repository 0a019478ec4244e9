package program

// Domain says where a value has to lie for what follows to mean anything: the interval on which a polynomial stands for
// a function. Nobody sees under encryption that a value left it; a run beside the clear one does, with these.
type Domain struct {
	Value  Value
	Lo, Hi float64 // of the real part of every slot
	Name   string  // of the polynomial, for reports
}
