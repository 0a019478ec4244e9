package zk_test

import (
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// These tests forge proofs of false statements about the registry's model by rows. Everything in a forgery is valid but
// for the one step that the test is about: the circuit's proof verifies, and so does the opening, for a verifier who
// takes that step from the prover.

// A forgery is a run of the protocol by a prover who deviates where a field is set.
type forgery struct {
	keys  *zk.Keys
	model *commit.Commitment // the registry's
	trace [][]int64          // what the circuit gets
	held  []int64            // the accumulators behind the K that g hashes; nil: those of the trace
	named *zk.Word           // the cd that the challenges hash; nil: the model's
	more  []fr.Element       // added to the polynomial behind K
	// bend changes what the circuit gets after g is known: the row, and the vector with its two blinds.
	bend func(g fr.Element, row, vector []fr.Element)
	// settle changes what the statement is about, for a circuit that changes its inputs by itself.
	settle func(*forged)
}

// A forged proof is what comes out of a forgery.
type forged struct {
	keys      *zk.Keys
	st        *zk.Statement
	bound     zk.Bound
	t         commit.Transcribe
	k         bn254.G1Affine // that g hashed
	circuit   []byte
	row, v    []fr.Element // in the circuit
	statement fr.Element
}

// forge runs the protocol to the circuit's proof.
func (r *registry) forge(t *testing.T, f forgery) *forged {
	t.Helper()
	if f.keys == nil {
		f.keys = r.keys
	}
	if f.model == nil {
		f.model = r.model
	}
	vk := f.keys.VerifyingKey()
	last := f.trace[len(f.trace)-1]
	out := &forged{keys: f.keys, st: &zk.Statement{Kind: zk.Inference, Version: zk.Semantics, VerifyingKey: vk.Digest(), Model: f.model,
		Input:  zk.Claim{Visibility: zk.Public, Values: f.trace[0]},
		Output: zk.Claim{Visibility: zk.Public, Values: last}}}
	var err error
	if out.bound, err = vk.Bind(out.st); err != nil {
		t.Fatal(err)
	}
	if f.named != nil {
		out.bound.Model = *f.named
	}
	a := zk.Assignment{Context: out.bound.Context, Trace: f.trace, Blinds: [2]fr.Element{fr.NewElement(1 << 60), fr.NewElement(3 << 60)}}
	if f.held == nil {
		f.held = slices.Concat(f.trace[1], f.trace[3])
	}
	out.v = elements(f.held, a.Blinds[:]...)
	out.k = committedTo(t, f.keys, out.v)
	if f.more != nil {
		more := committedTo(t, f.keys, f.more)
		out.k.Add(&out.k, &more)
	}
	out.t = out.bound.Transcribe(out.k, fr.Element{})
	out.row = r.opening.Row(out.t.G)
	copy(out.v, elements(slices.Concat(f.trace[1], f.trace[3])))
	if f.bend != nil {
		f.bend(out.t.G, out.row, out.v)
	}
	a.G, a.Row = out.t.G, slices.Clone(out.row)
	copy(a.Blinds[:], out.v[len(out.v)-2:])
	if f.settle != nil {
		f.settle(out)
	}
	out.circuit, err = f.keys.ProveCircuit(t.Context(), &a, func(h fr.Element) fr.Element {
		out.t.H = h
		out.statement = out.bound.Statement(out.t, evaluateAt(out.row, h), evaluateAt(out.v, h))
		return out.statement
	})
	if err != nil {
		t.Fatalf("the circuit's part: %v", err)
	}
	if err := vk.VerifyCircuit(out.circuit, out.bound.Context, out.statement); err != nil {
		t.Fatal(err)
	}
	return out
}

// open opens row and vector of the circuit, as if they were the polynomials behind the model and k.
func (f *forged) open(t *testing.T, r *registry, k bn254.G1Affine) *commit.OpeningProof {
	t.Helper()
	p, err := commit.Open(t.Context(), f.keys.ReferenceString(), r.opening, f.t, f.row, f.v, k)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// naive verifies like Verify, but takes the challenges from the prover.
func (f *forged) naive(model *commit.Commitment, p *commit.OpeningProof) error {
	vk := f.keys.VerifyingKey()
	return errors.Join(vk.VerifyCircuit(f.circuit, f.bound.Context, f.bound.Statement(f.t, p.E1, p.E2)),
		commit.VerifyOpening(vk.ReferenceString(), model, f.t, p))
}

// refuses checks that Verify refuses the proof, in the part of it that want names.
func (f *forged) refuses(t *testing.T, name string, st zk.Statement, p *commit.OpeningProof, want string) {
	t.Helper()
	vk := f.keys.VerifyingKey()
	err := zk.Verify(vk, &st, zk.NewProof(vk, f.circuit, p))
	if !errors.Is(err, zk.ErrProof) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v", name, err)
	}
}

// elements returns integers, then more, as elements.
func elements(xs []int64, more ...fr.Element) []fr.Element {
	out := make([]fr.Element, len(xs))
	for i, x := range xs {
		out[i].SetInt64(x)
	}
	return append(out, more...)
}

func committedTo(t *testing.T, k *zk.Keys, v []fr.Element) bn254.G1Affine {
	t.Helper()
	p, err := commit.CommitVector(k.ReferenceString(), v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// times returns p times x.
func times(p bn254.G1Affine, x fr.Element) (out bn254.G1Affine) {
	return *out.ScalarMultiplication(&p, x.BigInt(new(big.Int)))
}

// The columns of biases in the layout of the network 5-4-2.
const bias1, bias2 = 5, 10

// run returns the trace of the network 5-4-2 with modest weights, after edits of its two layers' sums.
func (r *registry) run(x []int64, edit ...func(hidden, scores []int64)) [][]int64 {
	w, b := modest(r.layout)
	hidden := dense(w[0], b[0], x)
	for _, f := range edit {
		f(hidden, nil)
	}
	active := make([]int64, len(hidden))
	for i, v := range hidden {
		active[i] = min(max((v+32)>>6, 0), 127)
	}
	scores := dense(w[1], b[1], active)
	for _, f := range edit {
		f(nil, scores)
	}
	class := int64(0)
	if scores[1] > scores[0] {
		class = 1
	}
	return [][]int64{x, hidden, active, scores, {class}}
}

// flip is an edit of the scores that makes the other class win. It returns by how much it changed them.
func flip(by *[2]int64) func(hidden, scores []int64) {
	return func(_, scores []int64) {
		if scores != nil {
			*by = [2]int64{2 * (scores[1] - scores[0]), 0}
			scores[0] += by[0]
		}
	}
}

// pay adds what errors in the scores add to one side of the last layer's identity to the other side: the bias's column.
func pay(by [2]int64) func(g fr.Element, row, vector []fr.Element) {
	return func(g fr.Element, row, _ []fr.Element) {
		e := elements(by[:])
		row[bias2].Add(&row[bias2], new(fr.Element).Add(&e[0], e[1].Mul(&e[1], &g)))
	}
}

var sample = []int64{0, 127, -3, 64, 100}

func rowsRegistry(t *testing.T) *registry {
	t.Helper()
	r, err := byRows()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestForgerIsHonest checks the forger: without a cheat its proof is a proof, and with one it names the other class.
func TestForgerIsHonest(t *testing.T) {
	r := rowsRegistry(t)
	f := r.forge(t, forgery{trace: r.run(sample)})
	if err := zk.Verify(r.keys.VerifyingKey(), f.st, zk.NewProof(r.keys.VerifyingKey(), f.circuit, f.open(t, r, f.k))); err != nil {
		t.Fatal(err)
	}
	var by [2]int64
	if f.st.Output.Values[0] == r.run(sample, flip(&by))[4][0] {
		t.Fatal("the errors do not change the class")
	}
}

// TestForgedRow puts a row into the circuit that is not the model's, chosen after g so that false scores fit it. The
// opening is of the circuit's row, or true, with either evaluation in the proof.
//
// Soundness: P2, P23.
func TestForgedRow(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		var by [2]int64
		trace := r.run(sample, flip(&by))
		f := r.forge(t, forgery{trace: trace, bend: pay(by)})
		f.refuses(t, "the circuit's row", *f.st, f.open(t, r, f.k), "opening")
		inCircuit := f.row
		f.row = r.opening.Row(f.t.G)
		p := f.open(t, r, f.k)
		f.refuses(t, "the true row", *f.st, p, "circuit")
		p.E1 = evaluateAt(inCircuit, f.t.H)
		f.refuses(t, "the true row, the circuit's value", *f.st, p, "opening")
	})
}

// TestModelAfterChallenges solves for a model after g, and after h, and leaves the challenges what they were.
//
// Soundness: P2, P7.
func TestModelAfterChallenges(t *testing.T) {
	r := rowsRegistry(t)
	vk := r.keys.VerifyingKey()
	cd, err := vk.ModelDigest(r.model)
	if err != nil {
		t.Fatal(err)
	}
	var by [2]int64
	f := r.forge(t, forgery{trace: r.run(sample, flip(&by)), bend: pay(by)})
	p := f.open(t, r, f.k)
	power := committedTo(t, r.keys, monomial(bias2))
	e := elements(by[:])
	for name, change := range map[string][]fr.Element{
		"another bias in every row": e,
		"one row solved for":        {*new(fr.Element).Add(&e[0], new(fr.Element).Mul(&e[1], &f.t.G))},
	} {
		model := &commit.Commitment{Form: commit.Rows, Points: slices.Clone(r.model.Points)}
		for i, x := range change {
			d := times(power, x)
			model.Points[i].Add(&model.Points[i], &d)
		}
		if err := f.naive(model, p); err != nil {
			t.Fatalf("%s: no forgery: %v", name, err)
		}
		st := *f.st
		st.Model = model
		f.refuses(t, name, st, p, "circuit")
		f.refuses(t, name+", under its old name", *f.st, p, "opening")
		// The context holds cd as well: a forger who names it in one hash and not in the other gets no further.
		stale := r.forge(t, forgery{model: model, named: &cd, trace: r.run(sample, flip(&by)), bend: pay(by)})
		stale.refuses(t, name+", with the old name in g", *stale.st, stale.open(t, r, stale.k), "circuit")
	}
}

// bent is a circuit whose inputs are changed after they are computed.
type bent struct {
	zk.Circuit
	edit func([]frontend.Variable)
}

func (b bent) Assign(a zk.Assignment) (frontend.Circuit, error) {
	w, err := b.Circuit.Assign(a)
	if err == nil {
		b.edit(reflect.ValueOf(w).Elem().FieldByName("Secret").Interface().([]frontend.Variable))
	}
	return w, err
}

// TestAccumulatorsAfterChallenge chooses accumulators after g: errors that cancel under its powers, which no constraint
// can see, and which make the other class win. The model's true row is in the circuit.
//
// Soundness: P2.
func TestAccumulatorsAfterChallenge(t *testing.T) {
	r := rowsRegistry(t)
	honest := r.run(sample)
	var by [2]int64
	trace := r.run(sample, flip(&by))
	if trace[3][0] == trace[3][1] || by[1] != 0 {
		t.Fatal("the test needs another sample")
	}
	var shift, was, is fr.Element // of both scores: (by[0] + shift) + g shift = 0
	edits := 0
	keys := r.keys.With(bent{r.keys.Circuit(), func(secret []frontend.Variable) {
		edits = 0
		for i, x := range secret {
			x := x.(fr.Element)
			for _, s := range elements(trace[3]) {
				if x == s {
					secret[i] = *new(fr.Element).Add(&x, &shift)
					edits++
				}
			}
			if x == was {
				secret[i] = is
				edits++
			}
		}
	}})
	f := r.forge(t, forgery{keys: keys, trace: trace, held: slices.Concat(honest[1], honest[3]),
		bend: func(g fr.Element, row, vector []fr.Element) {
			one := fr.One()
			shift.Add(&one, &g).Inverse(&shift).Mul(&shift, &elements(by[:1])[0]).Neg(&shift)
			is = row[bias2]
			pay(by)(g, row, vector) // for the assignment's own checks; undone in the circuit
			was = row[bias2]
			for i := range 2 {
				vector[4+i].Add(&vector[4+i], &shift)
			}
		}, settle: func(f *forged) { f.row[bias2] = is }})
	if edits != 4 { // two scores, the maximum, and the bias's column
		t.Fatalf("%d edits, want 4", edits)
	}
	after := committedTo(t, r.keys, f.v)
	p := f.open(t, r, after)
	if err := f.naive(r.model, p); err != nil {
		t.Fatalf("no forgery: %v", err)
	}
	f.refuses(t, "the K that was chosen last", *f.st, p, "circuit")
	p = f.open(t, r, f.k)
	f.refuses(t, "the K that g hashed", *f.st, p, "opening")
}

// monomial returns the coefficients of Y^n.
func monomial(n int) []fr.Element {
	out := make([]fr.Element, n+1)
	out[n].SetOne()
	return out
}

// sum returns f + x g.
func sum(f []fr.Element, x fr.Element, g []fr.Element) []fr.Element {
	out := make([]fr.Element, max(len(f), len(g)))
	copy(out, f)
	for i := range g {
		var t fr.Element
		out[i].Add(&out[i], t.Mul(&x, &g[i]))
	}
	return out
}

// quotient returns the quotient of f by Y - x.
func quotient(f []fr.Element, x fr.Element) []fr.Element {
	out := make([]fr.Element, len(f)-1)
	var carry fr.Element
	for i := len(out) - 1; i >= 0; i-- {
		carry.Mul(&carry, &x).Add(&carry, &f[i+1])
		out[i] = carry
	}
	return out
}

// gamma is the opening's last challenge, by rows.
func gamma(t commit.Transcribe, p *commit.OpeningProof) fr.Element {
	return commit.NewTranscript("signet/zk/gamma/v1").Uint(uint64(commit.Rows)).Element(t.Context).Word(t.CD).
		Element(t.G).Element(t.H).Element(p.E1).Element(p.E2).Point(p.K).Challenge()
}

// TestOneEvaluation pays for false accumulators, chosen after g, with the row: the sum of the two polynomials stays
// that of the model's row and of what K holds. A verifier of one evaluation of that sum is taken in.
//
// Soundness: P4.
func TestOneEvaluation(t *testing.T) {
	r := rowsRegistry(t)
	honest := r.run(sample)
	// Places 0 to 3 of v are the hidden sums and 4, 5 the scores. d moves from score 1 to hidden sum 0, whose input is
	// 0.
	d := 2 * (honest[3][1] - honest[3][0])
	if d <= 0 {
		d -= 2
	}
	trace := r.run(sample, func(hidden, scores []int64) {
		if hidden != nil {
			hidden[0] += d
		} else {
			copy(scores, []int64{honest[3][0], honest[3][1] - d})
		}
	})
	if trace[4][0] == honest[4][0] || trace[2][1] == 0 {
		t.Fatal("the test needs another sample")
	}
	f := r.forge(t, forgery{trace: trace, held: slices.Concat(honest[1], honest[3]), bend: func(g fr.Element, row, vector []fr.Element) {
		by := elements([]int64{d})[0]
		row[0].Sub(&row[0], &by)
		row[bias1].Add(&row[bias1], &by)
		// The second layer's identity takes a third term, at the place of v's last blind, which is a weight's column.
		scores, active := elements(trace[3]), elements(trace[2])
		rest := *new(fr.Element).Mul(&g, &scores[1])
		rest.Add(&rest, &scores[0]).Sub(&rest, &row[bias2])
		for j, x := range active {
			rest.Sub(&rest, x.Mul(&x, &row[bias1+1+j]))
		}
		rest.Div(&rest, &active[1])
		row[7].Add(&row[7], &rest)
		vector[7].Sub(&vector[7], &rest)
	}})
	p := f.open(t, r, f.k)
	joint := &commit.Commitment{Form: commit.Rows, Points: slices.Clone(r.model.Points)}
	joint.Points[0].Add(&joint.Points[0], &f.k)
	o := &commit.MatrixOpening{Q2: committedTo(t, r.keys, quotient(sum(f.row, fr.One(), f.v), f.t.H))}
	o.E.Add(&p.E1, &p.E2)
	if err := commit.VerifyMatrixOpening(r.keys.VerifyingKey().ReferenceString(), joint, f.t.G, f.t.H, o); err != nil {
		t.Fatalf("no forgery under one evaluation: %v", err)
	}
	f.refuses(t, "two evaluations", *f.st, p, "opening")
}

// TestLongReferenceString has a string longer than the layout takes: an honest proof is accepted, and terms beyond the
// layout in the model or in K are not, whether their values are told or not.
//
// Soundness: P5.
func TestLongReferenceString(t *testing.T) {
	rows := rowsRegistry(t)
	long := rows.layout
	long.Accumulators += 40
	srs, err := commit.NewLocalSRS(commit.Rows, long)
	if err != nil {
		t.Fatal(err)
	}
	r := &registry{layout: rows.layout}
	if r.keys, err = rows.keys.Under(srs); err != nil {
		t.Fatal(err)
	}
	weights, bias := modest(r.layout)
	if r.model, r.opening, err = committed(srs, r.layout, weights, bias); err != nil {
		t.Fatal(err)
	}
	vk := r.keys.VerifyingKey()
	res, err := zk.Prove(t.Context(), r.keys, zk.Witness{Trace: r.run(sample), Input: zk.Committed, Output: zk.Public,
		Model: r.model, Opening: r.opening, Budget: &counter{r.model, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := zk.Verify(vk, res.Statement, res.Proof); err != nil {
		t.Fatalf("honest: %v", err)
	}

	for _, at := range []int{max(r.layout.Columns(), r.layout.Vector()), srs.Powers() - 1} {
		for _, inModel := range []bool{false, true} {
			f := forgery{trace: r.run(sample), model: r.model}
			extra := monomial(at)
			if inModel {
				f.model = &commit.Commitment{Form: commit.Rows, Points: slices.Clone(r.model.Points)}
				more := committedTo(t, r.keys, extra)
				f.model.Points[0].Add(&f.model.Points[0], &more)
			} else {
				f.more = extra
			}
			out := r.forge(t, f)
			u, v := out.row, out.v
			if inModel {
				u = sum(u, fr.One(), extra)
			} else {
				v = sum(v, fr.One(), extra)
			}
			for _, told := range []bool{true, false} {
				p := &commit.OpeningProof{K: out.k, E1: evaluateAt(out.row, out.t.H), E2: evaluateAt(out.v, out.t.H)}
				want := "opening"
				if told {
					p.E1, p.E2, want = evaluateAt(u, out.t.H), evaluateAt(v, out.t.H), "circuit"
				}
				p.Q2 = committedTo(t, r.keys, quotient(sum(u, gamma(out.t, p), v), out.t.H))
				if err := commit.VerifyOpening(vk.ReferenceString(), f.model, out.t, p); (err == nil) != told {
					t.Errorf("power %d, in the model %t, told %t: the opening: %v", at, inModel, told, err)
				}
				out.refuses(t, "a term too many", *out.st, p, want)
			}
		}
	}
}

// TestKnownSecret has a prover who knows the secret of a reference string. Under a key with that string it proves what
// it likes about anybody's model; under the verifier's own key it does not.
//
// Soundness: P6, S16.
func TestKnownSecret(t *testing.T) {
	r := rowsRegistry(t)
	s := fr.NewElement(1234567)
	var key commit.SRSKey
	key.Form, key.G2 = commit.Rows, r.keys.VerifyingKey().ReferenceString().G2
	key.S2.ScalarMultiplicationBase(s.BigInt(new(big.Int)))
	var by [2]int64
	trace := r.run(sample, flip(&by))
	_, _, one, _ := bn254.Generators()
	// solve returns an opening of whatever f claims: its quotient is what has to be opened, over s - h.
	solve := func(f *forged) *commit.OpeningProof {
		p := &commit.OpeningProof{K: f.k, E1: evaluateAt(f.row, f.t.H), E2: evaluateAt(f.v, f.t.H)}
		c, value := gamma(f.t, p), p.E1
		value.Add(&value, new(fr.Element).Mul(&c, &p.E2)).Neg(&value)
		p.Q2 = times(p.K, c)
		g := fr.One()
		for _, point := range f.st.Model.Points {
			term := times(point, g)
			p.Q2.Add(&p.Q2, &term)
			g.Mul(&g, &f.t.G)
		}
		term := times(one, value)
		p.Q2.Add(&p.Q2, &term)
		p.Q2 = times(p.Q2, *new(fr.Element).Inverse(new(fr.Element).Sub(&s, &f.t.H)))
		return p
	}

	theirs, err := r.keys.VerifyingKey().Under(key)
	if err != nil {
		t.Fatal(err)
	}
	f := r.forge(t, forgery{keys: r.keys.Verified(theirs), trace: trace, bend: pay(by)})
	p := solve(f)
	forgedProof := zk.NewProof(theirs, f.circuit, p)
	if err := zk.Verify(theirs, f.st, forgedProof); err != nil {
		t.Fatalf("no forgery under the known secret: %v", err)
	}
	vk := r.keys.VerifyingKey()
	if err := zk.Verify(vk, f.st, forgedProof); !errors.Is(err, zk.ErrStatement) {
		t.Errorf("another key's statement: %v", err)
	}
	st := *f.st
	st.VerifyingKey = vk.Digest()
	if err := zk.Verify(vk, &st, forgedProof); !errors.Is(err, zk.ErrProof) {
		t.Errorf("another key's proof: %v", err)
	}
	if err := zk.Verify(vk, &st, zk.NewProof(vk, f.circuit, p)); !errors.Is(err, zk.ErrProof) {
		t.Errorf("another key's proof under a new name: %v", err)
	}
	f = r.forge(t, forgery{trace: trace, bend: pay(by)})
	f.refuses(t, "the known secret, under the verifier's key", *f.st, solve(f), "opening")
}

// TestOtherArchitecture uses a model that was committed to for another circuit, or for another layout of the same
// height. Its points are a model here as well, but not the one of that name.
//
// Soundness: P8, S16, S20.
func TestOtherArchitecture(t *testing.T) {
	r := rowsRegistry(t)
	vk := r.keys.VerifyingKey()
	layout := r.layout
	layout.Blocks = slices.Clone(layout.Blocks)
	layout.Blocks[0].Columns, layout.Blocks[1].Columns = 4, 5
	circuit := vk.Circuit()
	circuit[0] ^= 1
	for name, other := range map[string]func() (*zk.VerifyingKey, error){
		"circuit": func() (*zk.VerifyingKey, error) { return vk.Of(r.layout, circuit) },
		"layout":  func() (*zk.VerifyingKey, error) { return vk.Of(layout, vk.Circuit()) },
	} {
		there, err := other()
		if err != nil {
			t.Fatal(err)
		}
		agreed, err := there.ModelDigest(r.model)
		if err != nil {
			t.Fatal(err)
		}
		if here, err := vk.ModelDigest(r.model); err != nil || here == agreed {
			t.Errorf("another %s: the model has the same name, or none: %v", name, err)
		}
		f := r.forge(t, forgery{trace: r.run(sample), named: &agreed})
		p := f.open(t, r, f.k)
		if err := f.naive(r.model, p); err != nil {
			t.Fatalf("another %s: no forgery: %v", name, err)
		}
		f.refuses(t, "another "+name, *f.st, p, "circuit")
		st := *f.st
		st.VerifyingKey = there.Digest()
		if err := zk.Verify(there, &st, zk.NewProof(there, f.circuit, p)); !errors.Is(err, zk.ErrProof) {
			t.Errorf("another %s: the other key takes it: %v", name, err)
		}
	}
}

// TestFractionalWeight commits to a weight of one half, modulo the field's order. Without a registration that is a
// model like any other: the claim is about sums modulo the order, and the statement says so. A statement that says more
// is refused.
//
// Soundness: P26.
func TestFractionalWeight(t *testing.T) {
	r := rowsRegistry(t)
	half := fr.NewElement(2)
	half.Inverse(&half)
	const row, column = 2, 3 // its input, 64, is even
	f := forgery{model: &commit.Commitment{Form: commit.Rows, Points: slices.Clone(r.model.Points)}}
	more := times(committedTo(t, r.keys, monomial(column)), half)
	f.model.Points[row].Add(&f.model.Points[row], &more)
	f.trace = r.run(sample, func(hidden, _ []int64) {
		if hidden != nil {
			hidden[row] += sample[column] / 2
		}
	})
	f.bend = func(g fr.Element, u, _ []fr.Element) {
		g.Square(&g).Mul(&g, &half)
		u[column].Add(&u[column], &g)
	}
	out := r.forge(t, f)
	vk := r.keys.VerifyingKey()
	pf := zk.NewProof(vk, out.circuit, out.open(t, r, out.k))
	if err := zk.Verify(vk, out.st, pf); err != nil {
		t.Errorf("weights that are not range-proved: %v", err)
	}
	if !strings.Contains(out.st.String(), "not range-proved") {
		t.Error("the statement does not say that weights are not range-proved")
	}
	st := *out.st
	st.RangeProved = true
	if err := zk.Verify(vk, &st, pf); !errors.Is(err, zk.ErrRegistration) {
		t.Errorf("said to be range-proved: %v", err)
	}
	if err := zk.Verify(vk, &st, pf, zk.WithRegistration(r.reg.VerifyingKey(), r.proof, registrant)); !errors.Is(err, zk.ErrRegistration) {
		t.Errorf("with another model's registration: %v", err)
	}
}

// TestProveCharges looks at the budget when there is no proof: without one nothing is proved, and an attempt that could
// have shown something counts, whatever became of it.
//
// Soundness: S19, P11, P25.
func TestProveCharges(t *testing.T) {
	r := rowsRegistry(t)
	weights, bias := modest(r.layout)
	other, _, err := committed(r.keys.ReferenceString(), r.layout, weights, bias)
	if err != nil {
		t.Fatal(err)
	}
	var by [2]int64
	good, wrong := r.run(sample), r.run(sample, flip(&by))
	malformed := append(slices.Clone(good[:4]), []int64{1 - good[4][0]})
	for _, c := range []struct {
		name   string
		trace  [][]int64
		budget *counter
		proved bool
		left   int
	}{
		{"a proof", good, &counter{r.model, 5}, true, 4},
		{"a second proof", good, &counter{r.model, 4}, true, 3},
		{"scores that the weights do not give", wrong, &counter{r.model, 5}, false, 4},
		{"an op that does not give its output", malformed, &counter{r.model, 5}, false, 5},
		{"another commitment's budget", good, &counter{other, 5}, false, 5},
		{"a spent budget", good, &counter{r.model, 0}, false, 0},
		{"no budget", good, nil, false, 0},
	} {
		w := zk.Witness{Trace: c.trace, Input: zk.Committed, Output: zk.Public, Model: r.model, Opening: r.opening}
		if c.budget != nil {
			w.Budget = c.budget
		}
		res, err := zk.Prove(t.Context(), r.keys, w)
		if (err == nil) != c.proved || (res != nil) != c.proved {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.budget != nil && c.budget.left != c.left {
			t.Errorf("%s: %d left, want %d", c.name, c.budget.left, c.left)
		}
	}
}
