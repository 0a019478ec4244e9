package gnarkx

import (
	"slices"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
)

const toySize = 5

// toy imitates the real circuits: Context constrained by one squaring and committed, secret inputs committed, their
// polynomial evaluated at the challenge, and Statement a function of it and of the challenge.
type toy struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	X         [toySize]frontend.Variable
	Product   frontend.Variable
	without   int // this input is left out of the commitment, counted from one
}

func (c *toy) Define(api frontend.API) error {
	api.Mul(c.Context, c.Context)
	secrets := append(slices.Clone(c.X[:]), c.Product)
	if c.without > 0 {
		secrets = slices.Delete(secrets, c.without-1, c.without)
	}
	h, err := api.(frontend.Committer).Commit(append(secrets, c.Context)...)
	if err != nil {
		return err
	}
	api.AssertIsEqual(c.Product, api.Mul(c.X[0], c.X[1]))
	e := frontend.Variable(0)
	for _, x := range c.X {
		e = api.Add(api.Mul(e, h), x)
	}
	sum := api.Add(e, h)
	for range 20 {
		sum = api.Mul(sum, sum)
	}
	api.AssertIsEqual(c.Statement, api.Add(sum, c.Product))
	return nil
}

// values are the secret values of a toy and the public ones of its proofs.
type values struct{ context, product, statement fr.Element }

func element(v uint64) (e fr.Element) {
	e.SetUint64(v)
	return e
}

// assign returns the toy's first pass and what finishes it. The statement is left in v.
func (v *values) assign() (*toy, func(h fr.Element) (frontend.Circuit, error)) {
	pass1 := &toy{Context: v.context, Statement: 0, Product: v.product}
	for i := range pass1.X {
		pass1.X[i] = element(uint64(i + 3))
	}
	return pass1, func(h fr.Element) (frontend.Circuit, error) {
		v.statement = toyStatement(h, v.product)
		pass2 := *pass1
		pass2.Statement = v.statement
		return &pass2, nil
	}
}

// toyStatement is the circuit in Go.
func toyStatement(h, product fr.Element) fr.Element {
	var e fr.Element
	for i := range toySize {
		x := element(uint64(i + 3))
		e.Mul(&e, &h).Add(&e, &x)
	}
	e.Add(&e, &h)
	for range 20 {
		e.Square(&e)
	}
	e.Add(&e, &product)
	return e
}

func good() *values { return &values{context: element(77), product: element(3 * 4)} }

func mustCompile(t testing.TB, c frontend.Circuit) *System {
	t.Helper()
	s, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSetup(t testing.TB, s *System) *Keys {
	t.Helper()
	k, hit, err := Setup(t.Context(), s, "", nil)
	if err != nil || hit {
		t.Fatalf("hit %v, %v", hit, err)
	}
	return k
}

func mustProve(t testing.TB, k *Keys, target Target, v *values) []byte {
	t.Helper()
	pass1, finish := v.assign()
	proof, err := Prove(t.Context(), k, target, pass1, finish)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// toyKeys are made once for all tests that do not care.
var toyKeys = sync.OnceValue(func() *Keys {
	s, err := Compile(&toy{})
	if err != nil {
		panic(err)
	}
	k, err := setup(s)
	if err != nil {
		panic(err)
	}
	return k
})
