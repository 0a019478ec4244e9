package zk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consensys/gnark/frontend"
	"github.com/google/go-cmp/cmp"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/nn"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// small returns a network 4-3-2 with an argmax.
func small(t *testing.T, batch int, private bool) *nn.Circuit {
	t.Helper()
	byteRange, bias := nn.Interval{Lo: -127, Hi: 127}, nn.Interval{Lo: -1000, Hi: 1000}
	dense := func(label string, in, out int) nn.Dense {
		d := nn.Dense{Label: label, In: in, Out: out, WeightRange: byteRange, BiasRange: bias}
		if !private {
			d.W, d.B = make([]int64, in*out), make([]int64, out)
			for i := range d.W {
				d.W[i] = int64(i%5) - 2
			}
		}
		return d
	}
	g := nn.Graph{Batch: batch, InputLen: 4, Input: byteRange, Ops: []nn.Op{
		dense("hidden", 4, 3),
		nn.Rescale{Label: "relu", Multiplier: 1, Shift: 6, Out: nn.Interval{Lo: 0, Hi: 127}},
		dense("scores", 3, 2),
		nn.Argmax{Label: "class"},
	}}
	if private {
		g.Blinds = 5
	}
	c, err := nn.New(g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rates are simple, so that a reader of the golden can check it.
func rates() zk.Rates {
	r := zk.Rate{Fixed: 1e6, Constraint: 1000}
	return zk.Rates{Schema: zk.RatesSchema, Machine: "a test machine", Threads: 2, Commit: "c0ffee",
		Compile: r, Setup: r, Load: r, Model: zk.Rate{Weight: 1000}, Prove: r, Verify: r, SetupMemory: r, ProveMemory: r}
}

func TestEstimateGolden(t *testing.T) {
	r, err := zk.Estimate(small(t, 1, true), rates())
	if err != nil {
		t.Fatal(err)
	}
	r.Shows(zk.Committed, zk.Public)
	got := []byte(r.String())
	path := filepath.Join("testdata", "report.golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}

	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back zk.Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*r, back); d != "" {
		t.Errorf("through JSON: -want +got:\n%s", d)
	}
}

// TestEstimateExact compares a report with the keys that it foresaw.
func TestEstimateExact(t *testing.T) {
	for _, tt := range []struct {
		name    string
		circuit *nn.Circuit
		opts    []zk.Option
	}{
		{"rows", small(t, 1, true), nil},
		{"compact", small(t, 1, true), []zk.Option{zk.CompactModel()}},
		{"batch", small(t, 3, true), nil},
		{"public", small(t, 1, false), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && tt.name == "batch" {
				t.Skip("long: rows is the same with one sample")
			}
			dir := t.TempDir()
			opts := append(tt.opts, zk.CacheDir(dir))
			r, err := zk.Estimate(tt.circuit, zk.DefaultRates(), opts...)
			if err != nil {
				t.Fatal(err)
			}
			if r.Cache != "miss" {
				t.Errorf("cache %q before the setup", r.Cache)
			}
			k, err := zk.Setup(t.Context(), tt.circuit, opts...)
			if err != nil {
				t.Fatal(err)
			}
			vk, err := k.VerifyingKey().MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if r.Constraints != k.Constraints() || r.ProvingKeyBytes != k.ProvingKeyBytes() || r.VerifyingKeyBytes != len(vk) {
				t.Errorf("foreseen: %d constraints, keys of %d and %d bytes; there are %d, %d and %d",
					r.Constraints, r.ProvingKeyBytes, r.VerifyingKeyBytes, k.Constraints(), k.ProvingKeyBytes(), len(vk))
			}
			if !strings.HasPrefix(k.VerifyingKey().Provenance(), r.Provenance) {
				t.Errorf("provenance %q, foreseen %q", k.VerifyingKey().Provenance(), r.Provenance)
			}
			if r, err = zk.Estimate(tt.circuit, zk.DefaultRates(), opts...); err != nil || r.Cache != "hit" {
				t.Errorf("cache %q after the setup, error %v", r.Cache, err)
			}
			if (r.Proofs == -1) != (tt.name == "public") || r.SoundnessBits < 230 || r.Domain < r.Constraints || r.Room != r.Domain-r.Constraints {
				t.Errorf("%+v", r)
			}
		})
	}
}

// miscounting is a circuit whose account is wrong.
type miscounting struct{ *nn.Circuit }

func (m miscounting) Account() ([]zk.Cost, []zk.Layer) {
	costs, layers := m.Circuit.Account()
	costs[0].Constraints++
	return costs, layers
}

// open is a circuit with a third public input.
type open struct{ *nn.Circuit }

func (open) Blank() frontend.Circuit { return &publics{} }

type publics struct {
	Context, Statement, More frontend.Variable `gnark:",public"`
}

func (c *publics) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.Context, c.Statement), c.More)
	return nil
}

func TestEstimateRefuses(t *testing.T) {
	c := small(t, 1, true)
	for _, tt := range []struct {
		name    string
		circuit zk.Circuit
		rates   zk.Rates
		want    string
		opts    []zk.Option
	}{
		{"account", miscounting{c}, rates(), "accounts for", nil},
		{"publics", open{c}, rates(), "public inputs", nil},
		{"rates", c, zk.Rates{}, "schema", nil},
		{"form", small(t, 1, false), rates(), "public weights", []zk.Option{zk.CompactModel()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := zk.Estimate(tt.circuit, tt.rates, tt.opts...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestRates(t *testing.T) {
	var b bytes.Buffer
	r := zk.DefaultRates()
	r.Compile.Fixed = 1 // what the texts below change must be there
	if _, err := r.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	back, err := zk.ReadRates(bytes.NewReader(b.Bytes()), zk.MaxRatesBytes)
	if err != nil || back != r {
		t.Errorf("read %+v, error %v", back, err)
	}
	s := zk.Sizes{Constraints: 2, Terms: 23, Committed: 3, Domain: 5, Points: 7, Columns: 11, Rows: 13, Weights: 17, ProvingKeyBytes: 19}
	all := zk.Rate{Fixed: 1, Term: 1e9, Constraint: 1e1, Committed: 1e2, Domain: 1e3, Point: 1e4, Column: 1e5, Row: 1e6, Weight: 1e7, KeyByte: 1e8}
	if got, want := all.Of(s), 1.+2e1+3e2+5e3+7e4+11e5+13e6+17e7+19e8+23e9; got != want {
		t.Errorf("Of: %v, want %v", got, want)
	}
	for _, tt := range []struct{ name, text string }{
		{"empty", ""},
		{"no object", "[]"},
		{"schema", strings.Replace(b.String(), zk.RatesSchema, "other/v1", 1)},
		{"field", strings.Replace(b.String(), `"threads"`, `"strands"`, 1)},
		{"negative", strings.Replace(b.String(), `"fixed": `, `"fixed": -`, 1)},
		{"huge", strings.Replace(b.String(), `"fixed": `, `"fixed": 1e99, "row": `, 1)},
		{"threads", strings.Replace(b.String(), `"threads": `, `"threads": -`, 1)},
		{"machine", strings.Replace(b.String(), `"machine": "`, `"machine": "`+strings.Repeat("m", 2000), 1)},
		{"more", b.String() + "{}"},
		{"long", b.String() + strings.Repeat(" ", zk.MaxRatesBytes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var fe *zk.FormatError
			if _, err := zk.ReadRates(strings.NewReader(tt.text), zk.MaxRatesBytes); !errors.As(err, &fe) {
				t.Errorf("error %v, want a *zk.FormatError", err)
			}
		})
	}
	if _, err := (zk.Rates{}).WriteTo(&b); err == nil {
		t.Error("rates without a machine were written")
	}
}

func FuzzReadRates(f *testing.F) {
	var b bytes.Buffer
	if _, err := zk.DefaultRates().WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := zk.ReadRates(bytes.NewReader(data), zk.MaxRatesBytes)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if _, err := r.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if back, err := zk.ReadRates(&b, 2*zk.MaxRatesBytes); err != nil || back != r {
			t.Fatalf("%+v came back as %+v, error %v", r, back, err)
		}
	})
}
