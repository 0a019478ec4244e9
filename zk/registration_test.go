package zk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/nn"
)

// registrable returns a network 5-4-2 with private weights, whose layers have different heights, and an argmax.
func registrable(weight, bias int64, shift int) (*nn.Circuit, error) {
	w, b := nn.Interval{Lo: -weight, Hi: weight}, nn.Interval{Lo: -bias, Hi: bias}
	return nn.New(nn.Graph{Batch: 1, InputLen: 5, Input: nn.Interval{Lo: -127, Hi: 127}, Blinds: 4, Ops: []nn.Op{
		nn.Dense{In: 5, Out: 4, WeightRange: w, BiasRange: b},
		nn.Rescale{Multiplier: 1, Shift: shift, Out: nn.Interval{Lo: 0, Hi: 127}},
		nn.Dense{In: 4, Out: 2, WeightRange: w, BiasRange: b},
		nn.Argmax{},
	}})
}

// A registry is a model with the keys that its registration takes.
type registry struct {
	keys, reg *zk.Keys
	layout    commit.Layout
	model     *commit.Commitment
	opening   *commit.Opening
	proof     *zk.Registration
}

var registrant = zk.Word{31: 7}

// modest returns weights and biases of a layout, all small, none zero.
func modest(layout commit.Layout) (weights, bias [][]int64) {
	for _, k := range layout.Blocks {
		w, b := make([]int64, k.Rows*k.Columns), make([]int64, k.Rows)
		for i := range w {
			w[i] = int64(i%7)*18 - 53
		}
		for i := range b {
			b[i] = int64(i)*100 + 1
		}
		weights, bias = append(weights, w), append(bias, b)
	}
	return weights, bias
}

// committed returns a commitment and its opening, of a layout that srs serves.
func committed(srs *commit.SRS, layout commit.Layout, weights, bias [][]int64) (*commit.Commitment, *commit.Opening, error) {
	m, err := commit.NewMatrix(layout, weights, bias)
	if err != nil {
		return nil, nil, err
	}
	return commit.Commit(context.Background(), srs, srs.Form(), m)
}

// newRegistry makes everything for a circuit, and registers a model. srs may be nil.
func newRegistry(c *nn.Circuit, srs *commit.SRS, opts ...zk.Option) (*registry, error) {
	ctx := context.Background()
	r := &registry{layout: c.Spec().Layout}
	var err error
	if srs != nil {
		opts = append(opts, zk.ReferenceString(srs))
	}
	if r.keys, err = zk.Setup(ctx, c, opts...); err != nil {
		return nil, err
	}
	circuit, err := nn.NewRegistration(r.layout)
	if err != nil {
		return nil, err
	}
	if r.reg, err = zk.Setup(ctx, circuit, append(opts, zk.ReferenceString(r.keys.ReferenceString()))...); err != nil {
		return nil, err
	}
	weights, bias := modest(r.layout)
	if r.model, r.opening, err = committed(r.keys.ReferenceString(), r.layout, weights, bias); err != nil {
		return nil, err
	}
	r.proof, err = zk.Register(ctx, r.reg, r.keys.VerifyingKey(), r.model, r.opening, registrant)
	return r, err
}

// verify verifies a registration of the registry's model under its own keys and name.
func (r *registry) verify(reg *zk.Registration) error {
	return zk.VerifyRegistration(r.reg.VerifyingKey(), r.keys.VerifyingKey(), r.model, registrant, reg)
}

var (
	byRows = sync.OnceValues(func() (*registry, error) {
		c, err := registrable(127, 1000, 6)
		if err != nil {
			return nil, err
		}
		return newRegistry(c, nil)
	})
	inOnePoint = sync.OnceValues(func() (*registry, error) {
		c, err := registrable(127, 1000, 6)
		if err != nil {
			return nil, err
		}
		return newRegistry(c, nil, zk.CompactModel(), zk.For(zk.Solidity))
	})
)

// registries runs a test in both forms, the compact one with keys for contracts.
func registries(t *testing.T, f func(t *testing.T, r *registry)) {
	for _, form := range []struct {
		name string
		make func() (*registry, error)
	}{{"rows", byRows}, {"compact", inOnePoint}} {
		t.Run("form="+form.name, func(t *testing.T) {
			r, err := form.make()
			if err != nil {
				t.Fatal(err)
			}
			f(t, r)
		})
	}
}

func TestRegister(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		b, err := r.proof.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want := map[commit.Form]int{commit.Rows: 296, commit.Compact: 328}[r.model.Form]; len(b) != want {
			t.Errorf("%d bytes, want %d", len(b), want)
		}
		reg, err := zk.ReadRegistration(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		key, err := r.reg.VerifyingKey().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		regKey, err := zk.ReadVerifyingKey(bytes.NewReader(key), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		if regKey.Spec().Kind != zk.RangeProof || regKey.Digest() != r.reg.VerifyingKey().Digest() {
			t.Error("the decoded key differs")
		}
		if err := zk.VerifyRegistration(regKey, r.keys.VerifyingKey(), r.model, registrant, reg); err != nil {
			t.Error(err)
		}
	})
}

func TestRegisterRefuses(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		vk := r.keys.VerifyingKey()
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		wider := r.wider(t, func(l *commit.Layout) { l.Blocks[0].Weight.Hi++ })
		points := &commit.Commitment{Form: r.model.Form, Points: append(r.model.Points, bn254.G1Affine{})}
		another, _, err := committed(r.keys.ReferenceString(), r.layout, wider.weights, wider.bias)
		if err != nil {
			t.Fatal(err)
		}
		register := func(k *zk.Keys, vk *zk.VerifyingKey, model *commit.Commitment, o *commit.Opening) error {
			_, err := zk.Register(t.Context(), k, vk, model, o, registrant)
			return err
		}
		for _, c := range []struct {
			name string
			err  error
			want error
		}{
			{"inference keys", register(r.keys, vk, r.model, r.opening), zk.ErrRegistration},
			{"registration key for inference", register(r.reg, r.reg.VerifyingKey(), r.model, r.opening), zk.ErrRegistration},
			{"no inference key", register(r.reg, nil, r.model, r.opening), zk.ErrRegistration},
			{"no model", register(r.reg, vk, nil, r.opening), zk.ErrStatement},
			{"more points", register(r.reg, vk, points, r.opening), zk.ErrStatement},
			{"no opening", register(r.reg, vk, r.model, nil), nil},
			{"opening of another layout", register(r.reg, vk, r.model, wider.opening), nil},
			{"opening of another model", register(r.reg, vk, another, r.opening), zk.ErrRegistration},
		} {
			if c.err == nil || c.want != nil && !errors.Is(c.err, c.want) {
				t.Errorf("%s: %v", c.name, c.err)
			}
		}
		if _, err := zk.Register(cancelled, r.reg, vk, r.model, r.opening, registrant); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// loose is a model that a layout like the registry's, but with more room, can hold.
type loose struct {
	layout        commit.Layout
	weights, bias [][]int64
	model         *commit.Commitment
	opening       *commit.Opening
}

// wider returns a model committed to in the registry's reference string under a layout of the same size and other
// limits. edit changes the layout, and its values when given.
func (r *registry) wider(t *testing.T, edit func(*commit.Layout), values ...func(weights, bias [][]int64)) *loose {
	t.Helper()
	w := &loose{layout: r.layout}
	w.layout.Blocks = append([]commit.Block(nil), r.layout.Blocks...)
	w.weights, w.bias = modest(r.layout)
	edit(&w.layout)
	for l, k := range w.layout.Blocks { // rows that edit added
		w.weights[l] = append(w.weights[l], make([]int64, k.Rows*k.Columns-len(w.weights[l]))...)
		w.bias[l] = append(w.bias[l], make([]int64, k.Rows-len(w.bias[l]))...)
	}
	for _, f := range values {
		f(w.weights, w.bias)
	}
	var err error
	if w.model, w.opening, err = committed(r.keys.ReferenceString(), w.layout, w.weights, w.bias); err != nil {
		t.Fatal(err)
	}
	return w
}

// refused checks that a forger who puts the weights of wires into the circuit cannot register a model: neither with
// the value of the model's own opening, nor with the circuit's.
func (r *registry) refused(t *testing.T, name string, model *commit.Commitment, wires *commit.Opening, open func(g, h fr.Element) (*commit.MatrixOpening, error)) {
	t.Helper()
	for _, lie := range []bool{false, true} { // about the value
		reg, err := zk.ForgeRegistration(t.Context(), r.reg, r.keys.VerifyingKey(), model, registrant, wires, func(g, h fr.Element) (*commit.MatrixOpening, error) {
			o, err := open(g, h)
			if err == nil && lie {
				o.E = evaluateAt(wires.Row(g), h)
			}
			return o, err
		})
		if err != nil {
			t.Errorf("%s, lie=%t: the forger failed early: %v", name, lie, err)
			continue
		}
		err = zk.VerifyRegistration(r.reg.VerifyingKey(), r.keys.VerifyingKey(), model, registrant, reg)
		if what := map[bool]string{false: "circuit", true: "opening"}[lie]; !errors.Is(err, zk.ErrRegistration) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s, lie=%t: %v", name, lie, err)
		}
	}
}

// opens returns what opens o's commitment truly.
func opens(t *testing.T, r *registry, o *commit.Opening) func(g, h fr.Element) (*commit.MatrixOpening, error) {
	return func(g, h fr.Element) (*commit.MatrixOpening, error) {
		return commit.OpenMatrix(t.Context(), r.keys.ReferenceString(), o, g, h, o.Row(g))
	}
}

func evaluateAt(f []fr.Element, x fr.Element) (y fr.Element) {
	for i := len(f) - 1; i >= 0; i-- {
		y.Mul(&y, &x).Add(&y, &f[i])
	}
	return y
}

// TestRegistrationForgedWeights commits to matrices that are not of the layout and proves about one that is.
//
// Soundness: P9, S8.
func TestRegistrationForgedWeights(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		roomy := func(l *commit.Layout) {
			for i := range l.Blocks {
				l.Blocks[i].Weight, l.Blocks[i].Bias = commit.Range{Lo: -1 << 20, Hi: 1 << 20}, commit.Range{Lo: -1 << 50, Hi: 1 << 50}
			}
		}
		for i, c := range []struct {
			name   string
			layout func(*commit.Layout)
			values func(w, b [][]int64)
		}{
			{"weight -128", roomy, func(w, b [][]int64) { w[0][3] = -128 }},
			{"weight 128", roomy, func(w, b [][]int64) { w[1][0] = 128 }},
			{"huge bias", roomy, func(w, b [][]int64) { b[1][1] = 1 << 50 }},
			{"bias above", roomy, func(w, b [][]int64) { b[0][0] = 1001 }},
			{"weights swapped", roomy, func(w, b [][]int64) { w[0][0], w[0][1] = w[0][1], w[0][0] }},
			{"rows swapped", roomy, func(w, b [][]int64) {
				for j := range 5 {
					w[0][j], w[0][5+j] = w[0][5+j], w[0][j]
				}
			}},
			{"carried between rows", roomy, func(w, b [][]int64) { w[0][2], w[0][5+2] = w[0][2]+500, w[0][5+2]-500 }},
			{"carried between columns", roomy, func(w, b [][]int64) { w[0][2], w[0][3] = w[0][2]+500, w[0][3]-500 }},
			{"padding weight", func(l *commit.Layout) { l.Blocks[1].Rows = 4 }, func(w, b [][]int64) { w[1][3*4+1] = 1 }},
			{"padding bias", func(l *commit.Layout) { l.Blocks[1].Rows = 3 }, func(w, b [][]int64) { b[1][2] = -1 }},
		} {
			if testing.Short() && i%4 != int(r.model.Form)%2 {
				continue // the same check refuses them all
			}
			bad := r.wider(t, c.layout, c.values)
			r.refused(t, c.name, bad.model, r.opening, opens(t, r, bad.opening))
			if _, err := zk.Register(t.Context(), r.reg, r.keys.VerifyingKey(), bad.model, bad.opening, registrant); err == nil {
				t.Errorf("%s: registered", c.name)
			}
		}
	})
}

// A change adds value to one cell of a committed matrix.
type change struct {
	row, column int
	value       int64
}

// changed returns the registry's model by rows after changes, which may lie beyond the layout's columns, and what
// opens it: everything else, the blinds too, is the registered model's.
func (r *registry) changed(t *testing.T, changes ...change) (*commit.Commitment, func(g, h fr.Element) (*commit.MatrixOpening, error)) {
	t.Helper()
	srs := r.keys.ReferenceString()
	vector := func(v []fr.Element) bn254.G1Affine {
		p, err := commit.CommitVector(srs, v)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	model := &commit.Commitment{Form: commit.Rows, Points: append([]bn254.G1Affine(nil), r.model.Points...)}
	for _, c := range changes {
		v := make([]fr.Element, c.column+1)
		v[c.column].SetInt64(c.value)
		p := vector(v)
		model.Points[c.row].Add(&model.Points[c.row], &p)
	}
	return model, func(g, h fr.Element) (*commit.MatrixOpening, error) {
		u := make([]fr.Element, srs.Powers())
		copy(u, r.opening.Row(g))
		for _, c := range changes {
			var x fr.Element
			x.SetInt64(c.value)
			for range c.row {
				x.Mul(&x, &g)
			}
			u[c.column].Add(&u[c.column], &x)
		}
		q := make([]fr.Element, len(u)-1)
		var carry fr.Element
		for i := len(q) - 1; i >= 0; i-- {
			carry.Mul(&carry, &h).Add(&carry, &u[i+1])
			q[i] = carry
		}
		return &commit.MatrixOpening{E: evaluateAt(u, h), Q2: vector(q)}, nil
	}
}

// TestRegistrationForgedRows changes a registered model by rows in single cells, blinds and all else equal, and opens
// it truly.
//
// Soundness: P9, S8.
func TestRegistrationForgedRows(t *testing.T) {
	c, err := registrable(127, 1000, 6)
	if err != nil {
		t.Fatal(err)
	}
	layout := c.Spec().Layout
	long := layout
	long.Accumulators = layout.Columns() + 20 // a string with powers to spare
	srs, err := commit.NewLocalSRS(commit.Rows, long)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRegistry(c, srs)
	if err != nil {
		t.Fatal(err)
	}
	model, open := r.changed(t)
	honest, err := zk.ForgeRegistration(t.Context(), r.reg, r.keys.VerifyingKey(), model, registrant, r.opening, open)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.verify(honest); err != nil {
		t.Fatalf("without a change: %v", err)
	}
	// The layout's columns: 5 weights and a bias, 4 weights and a bias, 4 blinds.
	const blind = 11
	for name, changes := range map[string][]change{
		"weight":                 {{1, 2, 1}},
		"bias":                   {{0, 5, 1}},
		"padding weight":         {{2, 6, 1}},
		"padding bias":           {{3, 10, 1}},
		"blind":                  {{0, blind, 1}},
		"beyond the columns":     {{0, layout.Columns(), 1}},
		"last power":             {{3, srs.Powers() - 1, 1}},
		"plus and minus in rows": {{0, 2, 300}, {1, 2, -300}},
		"plus and minus, blinds": {{0, blind, 300}, {3, blind, -300}},
	} {
		if testing.Short() && len(changes) < 2 {
			continue // TestRegistrationForgedWeights changes single weights
		}
		model, open := r.changed(t, changes...)
		r.refused(t, name, model, r.opening, open)
	}
	// What the powers of g are for: the sum of all rows does not show the last two.
	_, open = r.changed(t, change{0, 2, 300}, change{1, 2, -300})
	one, h := fr.One(), fr.NewElement(5)
	o, err := open(one, h)
	if err != nil {
		t.Fatal(err)
	}
	if o.E != evaluateAt(r.opening.Row(one), h) {
		t.Error("the plus and minus shows in the sum of rows: the test tests nothing")
	}
}

// TestRegistrationForgedBlinds puts other blinds into the circuit than into the commitment.
//
// Soundness: P9.
func TestRegistrationForgedBlinds(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		weights, bias := modest(r.layout)
		_, again, err := committed(r.keys.ReferenceString(), r.layout, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		r.refused(t, "other blinds", r.model, again, opens(t, r, r.opening))
	})
}

// TestRegistrationCopied shows an honest registration for everything that it is not for.
//
// Soundness: P9, S20.
func TestRegistrationCopied(t *testing.T) {
	if testing.Short() {
		t.Skip("long: TestVectors verifies stored registrations under other keys, models and names")
	}
	cache := zk.CacheDir(t.TempDir())
	registries(t, func(t *testing.T, r *registry) {
		vk, regKey := r.keys.VerifyingKey(), r.reg.VerifyingKey()
		srs := r.keys.ReferenceString()
		options := []zk.Option{zk.For(vk.Target())}
		sibling := func(weight, bias int64, shift int, srs *commit.SRS, opts ...zk.Option) *registry {
			c, err := registrable(weight, bias, shift)
			if err != nil {
				t.Fatal(err)
			}
			out, err := newRegistry(c, srs, append(options, opts...)...)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		circuit, again := sibling(127, 1000, 7, srs, cache), sibling(127, 1000, 6, srs)
		weight, bias := sibling(128, 1000, 6, srs, cache), sibling(127, 1<<30, 6, srs, cache)
		local, err := commit.NewLocalSRS(r.model.Form, r.layout)
		if err != nil {
			t.Fatal(err)
		}
		secrets := sibling(127, 1000, 6, local, cache)
		other, target := byRows, zk.Native
		if r.model.Form == commit.Rows {
			other, target = inOnePoint, zk.Solidity
		}
		form, err := other()
		if err != nil {
			t.Fatal(err)
		}
		layout, err := nn.NewRegistration(r.layout)
		if err != nil {
			t.Fatal(err)
		}
		retargeted, err := zk.Setup(t.Context(), layout, cache, zk.For(target), zk.ReferenceString(srs))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name       string
			regKey, vk *zk.VerifyingKey
			model      *commit.Commitment
			registrant zk.Word
			reg        *zk.Registration
			want       error
		}{
			{"itself", regKey, vk, r.model, registrant, r.proof, nil},
			{"another registrant", regKey, vk, r.model, zk.Word{31: 8}, r.proof, zk.ErrRegistration},
			{"no registrant", regKey, vk, r.model, zk.Word{}, r.proof, zk.ErrRegistration},
			{"another model", regKey, vk, circuit.model, registrant, r.proof, zk.ErrRegistration},
			{"another circuit", regKey, circuit.keys.VerifyingKey(), r.model, registrant, r.proof, zk.ErrRegistration},
			{"the keys of another setup", again.reg.VerifyingKey(), vk, r.model, registrant, r.proof, zk.ErrRegistration},
			{"a wider range of weights", weight.reg.VerifyingKey(), vk, weight.model, registrant, weight.proof, zk.ErrRegistration},
			{"a wider range of biases", bias.reg.VerifyingKey(), vk, bias.model, registrant, bias.proof, zk.ErrRegistration},
			{"another reference string", secrets.reg.VerifyingKey(), vk, r.model, registrant, secrets.proof, zk.ErrRegistration},
			{"another reference string for inference", regKey, secrets.keys.VerifyingKey(), r.model, registrant, r.proof, zk.ErrRegistration},
			{"another form", form.reg.VerifyingKey(), vk, r.model, registrant, form.proof, zk.ErrRegistration},
			{"another form of registration", regKey, vk, r.model, registrant, form.proof, zk.ErrRegistration},
			{"another form of model", regKey, vk, form.model, registrant, r.proof, zk.ErrStatement},
			{"another target", retargeted.VerifyingKey(), vk, r.model, registrant, r.proof, zk.ErrRegistration},
			{"inference key for both", vk, vk, r.model, registrant, r.proof, zk.ErrRegistration},
			{"registration key for both", regKey, regKey, r.model, registrant, r.proof, zk.ErrRegistration},
			{"nothing", regKey, vk, r.model, registrant, nil, zk.ErrRegistration},
			{"no keys", nil, nil, r.model, registrant, r.proof, zk.ErrRegistration},
			{"no model", regKey, vk, nil, registrant, r.proof, zk.ErrStatement},
		} {
			err := zk.VerifyRegistration(c.regKey, c.vk, c.model, c.registrant, c.reg)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		// Registrations that are true and say another thing: of wider ranges, and under keys with secrets of another
		// string. A forger makes them for this very model.
		wide := r.wider(t, func(l *commit.Layout) {
			for i := range l.Blocks {
				l.Blocks[i].Weight = commit.Range{Lo: -128, Hi: 128}
			}
		}, func(w, b [][]int64) { w[0][0] = -128 })
		for _, c := range []struct {
			name  string
			keys  *zk.Keys
			model *commit.Commitment
			of    *commit.Opening
		}{{"a wider range", weight.reg, wide.model, wide.opening}, {"another reference string", secrets.reg, r.model, r.opening}} {
			reg, err := zk.ForgeRegistration(t.Context(), c.keys, vk, c.model, registrant, c.of, opens(t, r, c.of))
			if err != nil {
				t.Fatal(err)
			}
			if err := zk.VerifyRegistration(c.keys.VerifyingKey(), vk, c.model, registrant, reg); !errors.Is(err, zk.ErrRegistration) {
				t.Errorf("forged with %s: %v", c.name, err)
			}
		}
		// The registration itself is sound for every model key of its own circuit and string.
		if err := zk.VerifyRegistration(regKey, again.keys.VerifyingKey(), r.model, registrant, r.proof); err != nil {
			t.Errorf("keys of another setup for inference: %v", err)
		}
	})
}

// TestRegistrationMauled flips one bit of every byte.
//
// Soundness: P9, S22.
func TestRegistrationMauled(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		good, err := r.proof.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		step := 1
		if testing.Short() {
			step = 5
		}
		for i := 0; i < len(good); i += step {
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			reg, err := zk.ReadRegistration(bytes.NewReader(b))
			if err != nil {
				var bad *zk.FormatError
				if !errors.As(err, &bad) {
					t.Errorf("byte %d: %v", i, err)
				}
				continue
			}
			if err := r.verify(reg); !errors.Is(err, zk.ErrRegistration) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	})
}

// Soundness: S22.
func TestReadRegistrationRefuses(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		good, err := r.proof.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		change := func(at int, x byte) []byte {
			b := bytes.Clone(good)
			b[at] = x
			return b
		}
		for name, b := range map[string][]byte{
			"empty":         nil,
			"header":        good[:36],
			"no opening":    good[:232],
			"short":         good[:len(good)-1],
			"long":          append(bytes.Clone(good), 0),
			"endless":       append(bytes.Clone(good), make([]byte, 1<<20)...),
			"version":       change(0, 2),
			"system":        change(1, 2),
			"target":        change(2, 3),
			"no form":       change(3, 0),
			"another form":  change(3, byte(commit.Rows+commit.Compact-r.model.Form)),
			"unknown form":  change(3, 3),
			"value above p": change(232, 0xff),
		} {
			var bad *zk.FormatError
			if _, err := zk.ReadRegistration(bytes.NewReader(b)); !errors.As(err, &bad) || bad.What != "registration" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A counter is a budget that counts in memory.
type counter struct {
	model *commit.Commitment
	left  int
}

// Covers names the commitment.
func (c *counter) Covers() [32]byte { return c.model.Blinds() }

// Reserve takes one proof.
func (c *counter) Reserve() (int, error) {
	if c.left == 0 {
		return 0, commit.ErrBudgetSpent
	}
	c.left--
	return c.left, nil
}

// TestVerifyRangeProved proves a prediction and verifies statements that do and do not say that weights are
// range-proved.
//
// Soundness: P9.
func TestVerifyRangeProved(t *testing.T) {
	registries(t, func(t *testing.T, r *registry) {
		vk, regKey := r.keys.VerifyingKey(), r.reg.VerifyingKey()
		with := func(reg *zk.Registration, by zk.Word) zk.VerifyOption { return zk.WithRegistration(regKey, reg, by) }
		says, silent := r.prediction(t, true), r.prediction(t, false)
		class := says.Statement.Output.Values[0]
		for _, c := range []struct {
			name string
			res  *zk.Result
			opts []zk.VerifyOption
			want error
		}{
			{"said and shown", says, []zk.VerifyOption{with(r.proof, registrant)}, nil},
			{"said and not shown", says, nil, zk.ErrRegistration},
			{"said and nothing shown", says, []zk.VerifyOption{with(nil, registrant)}, zk.ErrRegistration},
			{"said, shown by another", says, []zk.VerifyOption{with(r.proof, zk.Word{1})}, zk.ErrRegistration},
			{"neither", silent, nil, nil},
			{"shown and not said", silent, []zk.VerifyOption{with(r.proof, registrant)}, nil},
			{"wrong one shown and not said", silent, []zk.VerifyOption{with(r.proof, zk.Word{1})}, zk.ErrRegistration},
		} {
			if err := zk.Verify(vk, c.res.Statement, c.res.Proof, c.opts...); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		// A proof is still needed, and keys of a registration verify none.
		st := *says.Statement
		st.Output.Values = []int64{1 - class}
		if err := zk.Verify(vk, &st, says.Proof, with(r.proof, registrant)); !errors.Is(err, zk.ErrProof) {
			t.Errorf("another output: %v", err)
		}
		st = *says.Statement
		st.VerifyingKey, st.Kind = regKey.Digest(), zk.RangeProof
		if err := zk.Verify(regKey, &st, says.Proof, with(r.proof, registrant)); !errors.Is(err, zk.ErrStatement) {
			t.Errorf("under the registration's key: %v", err)
		}
		if _, err := regKey.ModelDigest(r.model); !errors.Is(err, zk.ErrStatement) {
			t.Errorf("the registration's key names models: %v", err)
		}
	})
}

// dense returns Wx + b.
func dense(w, b, x []int64) []int64 {
	out := append([]int64(nil), b...)
	for i := range out {
		for j, v := range x {
			out[i] += w[i*len(x)+j] * v
		}
	}
	return out
}

// TestRegistrationKeySpec changes the specification inside an encoded key.
//
// Soundness: S22.
func TestRegistrationKeySpec(t *testing.T) {
	r, err := byRows()
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.reg.VerifyingKey().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"Kind":"range proof"`, `"Kind":"inference"  `},
		{`"Batch":0`, `"Batch":1`},
		{`"Count":0`, `"Count":1`},
		{`"Class":false`, `"Class":true `},
		{`"Hashed":false`, `"Hashed":true `},
		{`"Blinds":4`, `"Blinds":1`},
		{`"Version":1`, `"Version":2`},
	} {
		if !bytes.Contains(b, []byte(c[0])) {
			t.Fatalf("no %s in the key", c[0])
		}
		changed := bytes.Replace(b, []byte(c[0]), []byte(c[1]), 1)
		var bad *zk.FormatError
		if _, err := zk.ReadVerifyingKey(bytes.NewReader(changed), 1<<16); !errors.As(err, &bad) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
}

func FuzzReadRegistration(f *testing.F) {
	for _, form := range []func() (*registry, error){byRows, inOnePoint} {
		r, err := form()
		if err != nil {
			f.Fatal(err)
		}
		b, err := r.proof.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := zk.ReadRegistration(bytes.NewReader(b))
		if err != nil {
			var bad *zk.FormatError
			if !errors.As(err, &bad) {
				t.Errorf("%v", err)
			}
			return
		}
		if again, err := r.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("read %x, wrote %x, %v", b, again, err)
		}
	})
}

// ExampleRegister registers a model and checks its registration as a buyer would: from bytes.
func ExampleRegister() {
	r, err := byRows() // keys, a model commitment and its opening
	if err != nil {
		fmt.Println(err)
		return
	}
	vk, regKey := r.keys.VerifyingKey(), r.reg.VerifyingKey()
	reg, err := zk.Register(context.Background(), r.reg, vk, r.model, r.opening, registrant)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := reg.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}

	shown, err := zk.ReadRegistration(bytes.NewReader(b))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(b), "bytes")
	fmt.Println(zk.VerifyRegistration(regKey, vk, r.model, registrant, shown))
	fmt.Println(errors.Is(zk.VerifyRegistration(regKey, vk, r.model, zk.Word{31: 8}, shown), zk.ErrRegistration))
	// Output:
	// 296 bytes
	// <nil>
	// true
}
