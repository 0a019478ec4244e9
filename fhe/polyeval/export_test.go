package polyeval

// Polynomials returns the polynomials, the first to evaluate first. Each maps [-1, 1] into itself.
func (c Composite) Polynomials() []Chebyshev { return c.polys }
