// Package insecure holds the permit without which fhe builds no parameters below 128 bits of security.
//
// Only fhe (which asks for the permit) and fhe/fhetest (which grants it to tests) may import this package; the
// layering test enforces it, and the compiler keeps every other module out.
package insecure

// Permit is evidence that the caller is test code of this module.
type Permit struct{ granted bool }

// Grant returns a valid permit.
func Grant() *Permit { return &Permit{granted: true} }

// Valid reports whether p came from Grant.
func (p *Permit) Valid() bool { return p != nil && p.granted }
