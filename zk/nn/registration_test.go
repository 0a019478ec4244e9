package nn

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
)

// uneven has blocks of three heights, and ranges of every kind: odd, with a table of their own, wide, of one value.
func uneven() commit.Layout {
	return commit.Layout{
		Blocks: []commit.Block{
			{Name: "odd", Rows: 3, Columns: 5, Weight: commit.Range{Lo: -127, Hi: 127}, Bias: commit.Range{Lo: -1 << 20, Hi: 1 << 20}},
			{Name: "few", Rows: 4, Columns: 8, Weight: commit.Range{Lo: -2, Hi: 2}, Bias: commit.Range{Lo: 0, Hi: 9}},
			{Name: "wide", Rows: 1, Columns: 3, Weight: commit.Range{Lo: -1 << 31, Hi: 1<<31 - 1}, Bias: commit.Range{Lo: -1 << 55, Hi: 1 << 55}},
			{Name: "one", Rows: 2, Columns: 1, Weight: commit.Range{Lo: 5, Hi: 5}, Bias: commit.Range{}},
		},
		Blinds: 2, Accumulators: 10,
	}
}

// randomMatrix returns weights, biases and blinds of a layout, the ends of the ranges among them.
func randomMatrix(r *rand.Rand, layout commit.Layout) *matrix {
	m := &matrix{blinds: make([]fr.Element, layout.Rows()*layout.Blinds)}
	for i := range m.blinds {
		m.blinds[i] = fr.Element{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64() >> 3}
	}
	for _, k := range layout.Blocks {
		w, b := fill(r, k.Rows*k.Columns, Interval(k.Weight)), fill(r, k.Rows, Interval(k.Bias))
		w[0], w[len(w)-1], b[0], b[len(b)-1] = k.Weight.Lo, k.Weight.Hi, k.Bias.Hi, k.Bias.Lo
		m.weights, m.bias = append(m.weights, w), append(m.bias, b)
	}
	return m
}

// openMatrix is a registration without its last constraint: it takes any Statement.
type openMatrix struct {
	Context   frontend.Variable `gnark:",public"`
	Statement frontend.Variable `gnark:",public"`
	Secret    []frontend.Variable
	r         *Registration
}

func (o *openMatrix) Define(api frontend.API) error {
	w := matrixCircuit{Context: o.Context, Statement: o.Statement, Secret: o.Secret, r: o.r}
	_, err := w.state(api)
	return err
}

// matrixSolver checks the secret inputs of a registration, whatever the statement is.
type matrixSolver struct {
	r      *Registration
	system constraint.ConstraintSystem
}

func newMatrixSolver(t testing.TB, layout commit.Layout) *matrixSolver {
	t.Helper()
	r, err := NewRegistration(layout)
	if err != nil {
		t.Fatal(err)
	}
	return &matrixSolver{r, compile(t, &openMatrix{r: r, Secret: make([]frontend.Variable, r.inputs)})}
}

// inputs returns the secret inputs of a matrix, as a prover who checks nothing computes them.
func (s *matrixSolver) inputs(t testing.TB, m *matrix) []frontend.Variable {
	t.Helper()
	w, err := s.r.fill(m)
	if err != nil {
		t.Fatal(err)
	}
	return w.Secret
}

// solved returns an error unless the inputs satisfy all constraints.
func (s *matrixSolver) solved(t testing.TB, secret []frontend.Variable) error {
	t.Helper()
	w, err := frontend.NewWitness(&openMatrix{Context: 1, Statement: 2, Secret: secret}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return s.system.IsSolved(w)
}

func TestRegistrationSolves(t *testing.T) {
	s := newMatrixSolver(t, uneven())
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		if err := s.solved(t, s.inputs(t, randomMatrix(r, s.r.layout))); err != nil {
			t.Error(err)
		}
	}
}

// TestRegistrationRanges puts every weight and bias just outside its range, and far outside, with the limbs and
// multiplicities that a prover who checks nothing computes.
//
// Soundness: P9, S8.
func TestRegistrationRanges(t *testing.T) {
	s := newMatrixSolver(t, uneven())
	m := randomMatrix(rand.New(rand.NewPCG(1, 2)), s.r.layout)
	for l, k := range s.r.layout.Blocks {
		for _, part := range []struct {
			name   string
			values []int64
			in     commit.Range
		}{{"weight", m.weights[l], k.Weight}, {"bias", m.bias[l], k.Bias}} {
			for i, honest := range part.values {
				if i > 0 && i < len(part.values)-1 && testing.Short() {
					continue
				}
				size := part.in.Hi - part.in.Lo + 1
				for _, x := range []int64{part.in.Lo - 1, part.in.Hi + 1, part.in.Lo - size, part.in.Hi + size, 1 << 60, -1 << 60} {
					part.values[i] = x
					if s.solved(t, s.inputs(t, m)) == nil {
						t.Errorf("block %s: %s %d may be %d", k.Name, part.name, i, x)
					}
				}
				part.values[i] = honest
			}
		}
	}
	if err := s.solved(t, s.inputs(t, m)); err != nil {
		t.Errorf("the honest matrix: %v", err)
	}
}

// TestRegistrationElements puts field elements that are no small integers into every input in turn. Only a blind may
// have any value.
//
// Soundness: P9, S8.
func TestRegistrationElements(t *testing.T) {
	layout := uneven()
	s := newMatrixSolver(t, layout)
	m := randomMatrix(rand.New(rand.NewPCG(3, 4)), layout)
	secret := s.inputs(t, m)
	blind := make(map[fr.Element]bool)
	for _, x := range m.blinds {
		blind[x] = true
	}
	var half fr.Element
	half.SetUint64(2).Inverse(&half)
	blinds := 0
	for i, honest := range secret {
		is := blind[honest.(fr.Element)]
		if is {
			blinds++
		}
		for _, delta := range []fr.Element{half, fr.One()} {
			x := honest.(fr.Element)
			secret[i] = *x.Add(&x, &delta)
			if err := s.solved(t, secret); (err == nil) != is {
				t.Errorf("input %d of %d, a blind is %t: %v", i, len(secret), is, err)
			}
		}
		secret[i] = honest
	}
	if blinds != len(m.blinds) {
		t.Errorf("%d inputs are blinds, want %d", blinds, len(m.blinds))
	}
}

// TestRegistrationInputs counts inputs where ranges take no limbs and no tables: what is below a block's rows has none.
//
// Soundness: P9.
func TestRegistrationInputs(t *testing.T) {
	one := commit.Range{Lo: 3, Hi: 3}
	layout := commit.Layout{Blinds: 2, Accumulators: 1, Blocks: []commit.Block{
		{Rows: 7, Columns: 2, Weight: one, Bias: one},
		{Rows: 3, Columns: 4, Weight: one, Bias: one},
	}}
	r, err := NewRegistration(layout)
	if err != nil {
		t.Fatal(err)
	}
	if want := 7*3 + 3*5 + 7*2; r.Inputs() != want {
		t.Errorf("%d inputs, want %d", r.Inputs(), want)
	}
}

func TestRegistrationAssign(t *testing.T) {
	layout := uneven()
	r, err := NewRegistration(layout)
	if err != nil {
		t.Fatal(err)
	}
	m := randomMatrix(rand.New(rand.NewPCG(5, 6)), layout)
	opening := func(layout commit.Layout) *commit.Opening {
		srs, err := commit.NewLocalSRS(commit.Rows, layout)
		if err != nil {
			t.Fatal(err)
		}
		w, err := commit.NewMatrix(layout, m.weights, m.bias)
		if err != nil {
			t.Fatal(err)
		}
		_, o, err := commit.Commit(t.Context(), srs, commit.Rows, w)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := opening(layout)
	got, err := r.Assign(zk.Assignment{Context: element(3), Statement: element(4), Opening: o})
	if err != nil {
		t.Fatal(err)
	}
	m.blinds = o.Blinds()
	want, err := r.fill(m)
	if err != nil {
		t.Fatal(err)
	}
	w := got.(*matrixCircuit)
	if w.Context != element(3) || w.Statement != element(4) {
		t.Error("other public inputs")
	}
	for i := range want.Secret {
		if w.Secret[i] != want.Secret[i] {
			t.Fatalf("secret input %d differs", i)
		}
	}

	wider := uneven()
	wider.Blocks[0].Weight.Lo--
	for name, o := range map[string]*commit.Opening{"none": nil, "wider": opening(wider)} {
		if _, err := r.Assign(zk.Assignment{Opening: o}); err == nil {
			t.Errorf("assigned an opening: %s", name)
		}
	}
	if _, err := r.Accumulators(nil); err == nil {
		t.Error("accumulators")
	}
}

func TestNewRegistrationRefuses(t *testing.T) {
	tall := uneven()
	tall.Blocks[0].Rows = maxTensor/tall.Columns() + 1
	blind := uneven()
	blind.Blinds = 1
	empty := uneven()
	empty.Blocks[1].Weight = commit.Range{Lo: 1, Hi: 0}
	for name, layout := range map[string]commit.Layout{"zero": {}, "too many cells": tall, "no blinds": blind, "empty range": empty} {
		if _, err := NewRegistration(layout); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRegistrationConstraints keeps the constraints of some layouts and compares those of small ones with gnark's.
func TestRegistrationConstraints(t *testing.T) {
	const path = "testdata/registration.csv"
	var got bytes.Buffer
	w := csv.NewWriter(&got)
	rows := [][]string{{"layout", "part", "cause", "constraints"}}
	mlp := build1(t, mlp(1, 784, 128, 10)).Spec().Layout
	lenet := build1(t, lenet()).Spec().Layout
	logistic := build1(t, logistic()).Spec().Layout
	for _, n := range []struct {
		name   string
		layout commit.Layout
	}{{"uneven", uneven()}, {"logistic 30-1", logistic}, {"mlp 784-128-10", mlp}, {"lenet", lenet}} {
		r, err := NewRegistration(n.layout)
		if err != nil {
			t.Fatal(err)
		}
		if r.Constraints() < 10_000 {
			if c := compile(t, r.Blank()).GetNbConstraints(); c != r.Constraints() {
				t.Errorf("%s: %d constraints, counted %d", n.name, c, r.Constraints())
			}
		}
		for _, x := range r.Costs() {
			rows = append(rows, []string{n.name, x.Part, x.Cause.String(), fmt.Sprint(x.Constraints)})
		}
		rows = append(rows, []string{n.name, "total", "", fmt.Sprint(r.Constraints())})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("constraints changed (run with -update to accept):\n%s", got.Bytes())
	}
}
