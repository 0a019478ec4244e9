// Package verifier verifies proofs of predictions, and registrations of models. It was written from the page on the proof
// format alone, for tests: to see whether the page says all that is needed, and whether two implementations agree.
package verifier

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Evidence is what a verifier is given, by file. Registration may be absent, and then its key is not looked at. Whether
// the key, the model and the context are those that were agreed on is for the caller to know.
type Evidence struct {
	Key, Statement, Proof         []byte
	RegistrationKey, Registration []byte
	Registrant                    [32]byte
}

// A Refusal names the check that failed: format, statement, registration, envelope, circuit or opening.
type Refusal struct{ Check, Why string }

func (r *Refusal) Error() string { return r.Check + ": " + r.Why }

// A Value is one of the transcript, as a word.
type Value struct {
	Name string
	Word [32]byte
}

// A transcript collects values in the order in which they are computed.
type transcript []Value

func (t *transcript) word(name string, w word) word {
	*t = append(*t, Value{name, w})
	return w
}

func (t *transcript) element(name string, x fr.Element) fr.Element {
	t.word(name, x.Bytes())
	return x
}

var _, _, g1, g2 = bn254.Generators()

// Verify returns nil if the proof proves the statement and the registration, if there is one, that of its model. It
// also returns the values that it computed on the way.
func Verify(e Evidence) ([]Value, error) {
	var t transcript
	err := verify(e, &t)
	if err != nil {
		return t, err
	}
	return t, nil
}

func verify(e Evidence, t *transcript) error {
	refuse := func(check, why string) error { return &Refusal{check, why} }

	// 1. Decode.
	k, bad := readKey(e.Key)
	if bad != "" {
		return refuse("format", "key: "+bad)
	}
	st, bad := readStatement(e.Statement)
	if bad != "" {
		return refuse("format", "statement: "+bad)
	}
	p, bad := readProof(e.Proof, false)
	if bad != "" {
		return refuse("format", "proof: "+bad)
	}
	var regKey key
	var reg proof
	if e.Registration != nil {
		if regKey, bad = readKey(e.RegistrationKey); bad != "" {
			return refuse("format", "registration key: "+bad)
		}
		if reg, bad = readProof(e.Registration, true); bad != "" {
			return refuse("format", "registration: "+bad)
		}
	}

	// 2. Statement.
	var points []bn254.G1Affine
	switch {
	case k.spec.Kind != "inference" || st.Kind != k.spec.Kind || st.Version != k.spec.Version || word(st.VerifyingKey) != k.digest:
		return refuse("statement", "it is for another key")
	case (st.Model != nil) != (k.form != 0) || st.RangeProved && st.Model == nil:
		return refuse("statement", "a model too much or too little")
	}
	inC, bad := st.Input.element("signet/zk/input/v1", k.spec.Input)
	if bad != "" {
		return refuse("statement", "input: "+bad)
	}
	var out fr.Element
	if k.spec.Hashed {
		out, bad = st.Output.element("signet/zk/output/v1", k.spec.Output)
	} else if c := st.Output; c.Visibility != "public" || c.Digest != (hexWord{}) || !k.spec.Output.fits(c.Values) {
		bad = "want one class"
	} else {
		out.SetInt64(c.Values[0])
	}
	if bad != "" {
		return refuse("statement", "output: "+bad)
	}
	var cd word
	if k.form != 0 {
		n := map[byte]int{rows: k.spec.Layout.rows(), compact: 1}[k.form]
		if map[string]byte{"rows": rows, "compact": compact}[st.Model.Form] != k.form || len(st.Model.Points) != n {
			return refuse("statement", "a model of another size or form")
		}
		for _, p := range st.Model.Points {
			points = append(points, p.G1Affine)
		}
		t.word("srsDigest", k.str.digest())
		t.word("layoutDigest", k.spec.Layout.digest())
		cd = t.word("cd", commitmentDigest(k.form, k.str.digest(), k.spec.Layout.digest(), k.circuit, points))
	}
	t.element("inC", inC)
	t.element("out", out)
	subject := t.word("subject", h("signet/zk/subject/v1", number(1), number(1), k.digest, cd, inC, out))
	c := st.Context
	context := t.element("context", h248("signet/zk/context/v1", word(c.Network), word(c.Market), word(c.Task),
		word(c.Specification), word(c.Output), word(c.Worker), subject))

	// 3. Registration.
	if e.Registration == nil && st.RangeProved {
		return refuse("registration", "there is none")
	}
	var ofRegistration transcript
	if e.Registration != nil {
		if bad := verifyRegistration(&ofRegistration, k, regKey, cd, points, e.Registrant, reg); bad != "" {
			return refuse("registration", bad)
		}
	}

	// 4. Envelope.
	if p.target != k.target || p.form != k.form || p.key != k.digest {
		return refuse("envelope", "made for another key")
	}

	// 5. Circuit.
	proof, bad := readGroth16Proof(p.groth16)
	if bad != "" {
		return refuse("circuit", bad)
	}
	elements := []fr.Element{inC, out}
	var g, x fr.Element
	if k.form != 0 {
		g = t.element("g", h248("signet/zk/g/v1", context, cd, inC, point(p.k)))
	}
	x = t.element("h", challenge(k.target, proof.d, context))
	if k.form != 0 {
		elements = append(elements, g, x, p.e1, p.e2)
	}
	public := t.element("statement", p2("signet/zk/statement/v1", elements...))
	if !k.groth16.holds(proof, context, public, x) {
		return refuse("circuit", "the equations do not hold")
	}

	// 6. Opening.
	if k.form != 0 {
		args := []any{number(uint64(k.form)), context, cd, g, x, p.e1, p.e2, point(p.k)}
		if k.form == compact {
			args = append(args, point(p.q1))
		}
		gamma := t.element("gamma", h248("signet/zk/gamma/v1", args...))
		if !k.str.opens(points, p, g, x, gamma) {
			return refuse("opening", "the equation does not hold")
		}
	}
	*t = append(*t, ofRegistration...)
	return nil
}

// verifyRegistration returns why a registration is refused, "" if it is not.
func verifyRegistration(t *transcript, k, regKey key, cd word, points []bn254.G1Affine, registrant word, reg proof) string {
	switch {
	case k.form == 0 || regKey.spec.Kind != "range proof" || regKey.spec.Version != k.spec.Version ||
		regKey.spec.Layout.digest() != k.spec.Layout.digest() || regKey.form != k.form || regKey.str.digest() != k.str.digest():
		return "a key for other weights"
	case reg.target != regKey.target || reg.form != regKey.form || reg.key != regKey.digest:
		return "made for another key"
	}
	proof, bad := readGroth16Proof(reg.groth16)
	if bad != "" {
		return bad
	}
	subject := t.word("registration subject", h("signet/zk/subject/v1", number(2), number(1), regKey.digest, cd, registrant))
	var zero word
	context := t.element("registration context", h248("signet/zk/context/v1", zero, zero, zero, zero, zero, zero, subject))
	x := t.element("registration h", challenge(regKey.target, proof.d, context))
	g := t.element("registration g", p2("signet/zk/rows/v1", x))
	public := t.element("registration statement", p2("signet/zk/registration/v1", x, reg.e1))
	if !regKey.groth16.holds(proof, context, public, x) {
		return "the circuit's equations do not hold"
	}
	if !k.str.opens(points, reg, g, x, fr.Element{}) {
		return "the opening's equation does not hold"
	}
	return ""
}

// digest is srsDigest.
func (k stringKey) digest() word {
	args := []any{number(uint64(k.form)), point(g1), point2(g2), point2(k.s)}
	if k.form == compact {
		args = append(args, point2(k.t))
	}
	return h("signet/zk/srs/v1", args...)
}

// commitmentDigest is cd.
func commitmentDigest(form byte, srs, layout, circuit word, points []bn254.G1Affine) word {
	var all []byte
	for _, p := range points {
		all = append(all, point(p)...)
	}
	return h("signet/zk/cd/v1", number(uint64(form)), srs, layout, circuit, number(1), keccak(all))
}

// times returns x p.
func times(x fr.Element, p bn254.G1Affine) (q bn254.G1Affine) {
	return *q.ScalarMultiplication(&p, x.BigInt(new(big.Int)))
}

func plus(points ...bn254.G1Affine) (sum bn254.G1Affine) {
	for i := range points {
		sum.Add(&sum, &points[i])
	}
	return sum
}

func minus(p bn254.G1Affine) (q bn254.G1Affine) { return *q.Neg(&p) }

// one reports whether the product of e(p_i, q_i) is 1.
func one(p []bn254.G1Affine, q []bn254.G2Affine) bool {
	ok, err := bn254.PairingCheck(p, q)
	return err == nil && ok
}

// holds reports whether the two equations of a circuit hold.
func (k *groth16Key) holds(p groth16Proof, context, statement, h fr.Element) bool {
	l := plus(k.k[0], times(context, k.k[1]), times(statement, k.k[2]), times(h, k.k[3]), p.d)
	return one([]bn254.G1Affine{p.d, p.pok}, []bn254.G2Affine{k.pedersenS, k.pedersenG}) &&
		one([]bn254.G1Affine{p.a, minus(k.alpha), minus(l), minus(p.c)}, []bn254.G2Affine{p.b, k.beta, k.gamma, k.delta})
}

// opens reports whether an opening's equation holds. A registration has no K and an e₂ of zero.
func (k stringKey) opens(points []bn254.G1Affine, p proof, g, h, gamma fr.Element) bool {
	var c bn254.G1Affine
	for i := len(points) - 1; i >= 0; i-- {
		c = plus(times(g, c), points[i])
	}
	var value fr.Element
	value.Mul(&gamma, &p.e2).Add(&value, &p.e1)
	left := plus(c, times(gamma, p.k), minus(times(value, g1)), times(h, p.q2))
	if k.form == compact {
		left = plus(left, times(g, p.q1))
		return one([]bn254.G1Affine{left, minus(p.q1), minus(p.q2)}, []bn254.G2Affine{g2, k.t, k.s})
	}
	return one([]bn254.G1Affine{left, minus(p.q2)}, []bn254.G2Affine{g2, k.s})
}
