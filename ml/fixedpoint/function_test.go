package fixedpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/signet-ml/signet/ml"
)

var update = flag.Bool("update", false, "rewrite the files under testdata")

// golden compares text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

type madeTable struct {
	f      Function
	values []int64
}

// everyTable returns tables of all functions and ranges, and of all results and sizes
// that occur.
var everyTable = sync.OnceValues(func() (made []madeTable, err error) {
	add := func(f Function, rows int) {
		values, e := f.table(rows)
		if e != nil {
			err = fmt.Errorf("%+v of %d rows: %w", f, rows, e)
		}
		made = append(made, madeTable{f, values})
	}
	for _, name := range []string{"sigmoid", "tanh", "silu", "gelu"} {
		for _, r := range []float64{minRange, 1, 2, 4, 8, 16, 64, 1024, maxRange} {
			if r > curves[name].most {
				continue
			}
			add(Function{name, r, 127}, 1<<7)
			add(Function{name, r, 7}, 1<<4)
		}
		add(Function{name, 4, outputPeak}, 1<<10)
	}
	return made, err
})

// TestTablesMatchFloat64 compares every entry with package ml in float64, where that is
// sure of the rounding.
func TestTablesMatchFloat64(t *testing.T) {
	layers := map[string]ml.Layer{"sigmoid": ml.Sigmoid(), "tanh": ml.Tanh(), "silu": ml.SiLU(), "gelu": ml.GELU()}
	sure, unsure := 0, 0
	made, err := everyTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range made {
		f, values, rows := table.f, table.values, len(table.values)
		x := make([]float64, rows)
		for i := range x {
			x[i] = float64(i-rows/2) * f.Step(rows)
		}
		m, err := ml.SequentialFor([]int{rows}, layers[f.Name])
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Forward(ml.Tensor{Shape: []int{rows}, Data: x})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range y.Data {
			q := v / f.Unit()
			if math.Abs(q-math.Floor(q)-0.5) < 1e-6 {
				unsure++
				continue
			}
			sure++
			if want := int64(math.Round(q)); values[i] != want {
				t.Fatalf("%+v of %d rows at %v: %d, want %d", f, rows, x[i], values[i], want)
			}
			if values[i] > f.Peak {
				t.Fatalf("%+v of %d rows at %v: %d exceeds the peak", f, rows, x[i], values[i])
			}
		}
	}
	if unsure*100 > sure {
		t.Errorf("%d entries compared, %d left out", sure, unsure)
	}
}

// TestTablesAtHalves looks at entries that float64 cannot decide: 0, and where x itself
// hits a half that the function misses by a little.
func TestTablesAtHalves(t *testing.T) {
	for _, c := range []struct {
		f           Function
		rows        int
		index, want int64
	}{
		{Function{"sigmoid", 8, 127}, 256, 0, 64}, // 63.5
		{Function{"sigmoid", 8, 7}, 256, 0, 4},
		{Function{"sigmoid", 8, outputPeak}, 1024, 0, outputPeak / 2},
		{Function{"tanh", 4, 127}, 256, 0, 0},
		{Function{"gelu", 8, 127}, 256, 0, 0},
		// x·127/64 is 31.75·2 = 63.5 at x = 32, and silu and gelu lie below x.
		{Function{"silu", 64, 127}, 256, 64, 63},
		{Function{"gelu", 64, 127}, 256, 64, 63},
		{Function{"gelu", 16, 127}, 256, 64, 63}, // at 8, where a series would lose to the tail
		{Function{"silu", 1024, 127}, 256, 64, 63},
		{Function{"gelu", maxRange, 127}, 1 << 8, 1 << 6, 63},
		{Function{"silu", 64, 127}, 256, -64, 0},
		{Function{"gelu", 64, outputPeak}, 256, -127, 0},
		// Beside them: x·127/64 = 62.508 and 64.492 round as x does.
		{Function{"silu", 64, 127}, 256, 63, 63}, {Function{"silu", 64, 127}, 256, 65, 64},
	} {
		values, err := c.f.table(c.rows)
		if err != nil {
			t.Fatal(err)
		}
		if got := values[c.index+int64(c.rows/2)]; got != c.want {
			t.Errorf("%+v of %d rows at index %d: %d, want %d", c.f, c.rows, c.index, got, c.want)
		}
	}
}

// TestTablesPinned holds every bit of the tables: they are hashed into keys.
func TestTablesPinned(t *testing.T) {
	var b strings.Builder
	made, err := everyTable()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range made {
		h := sha256.New()
		for _, v := range table.values {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
		}
		f := table.f
		fmt.Fprintf(&b, "%s range %g peak %d rows %d: %s\n", f.Name, f.Range, f.Peak, len(table.values), hex.EncodeToString(h.Sum(nil)[:8]))
	}
	golden(t, "tables.txt", b.String())
}

// TestConstants compares the series with digits from elsewhere.
func TestConstants(t *testing.T) {
	for _, c := range []struct {
		name string
		got  *big.Float
		want string // 50 digits
	}{
		{"√(2π)", rootOfTau(), "2.5066282746310005024157652848110452530069867406099"},
		{"1/e", exp(number().SetInt64(-1)), "0.36787944117144232159552377016146086744581113103177"},
		{"sigmoid(1)", sigmoid(number().SetInt64(1)), "0.73105857863000487925115924182183627436514464016505"},
		{"tanh(-1)", tanh(number().SetInt64(-1)), "-0.76159415595576488811945828260479359041276859725794"},
		{"gelu(1)", gelu(number().SetInt64(1)), "0.84134474606854294858523254563203792247791296672660"},
	} {
		want, _, err := big.ParseFloat(c.want, 10, precision, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		if d := number().Sub(c.got, want); d.Sign() != 0 && d.MantExp(nil) > -150 {
			t.Errorf("%s is %.50g, want %s", c.name, c.got, c.want)
		}
	}
}

func TestFunctionRefused(t *testing.T) {
	for _, c := range []struct {
		f    Function
		rows int
		want string
	}{
		{Function{"relu", 8, 127}, 256, `function "relu"`},
		{Function{"sigmoid", 7, 127}, 256, "range 7"},
		{Function{"sigmoid", 16, 127}, 256, "range 16"},
		{Function{"gelu", 0.125, 127}, 256, "range 0.125"},
		{Function{"gelu", math.NaN(), 127}, 256, "range NaN"},
		{Function{"gelu", math.Inf(1), 127}, 256, "range +Inf"},
		{Function{"gelu", 2 * maxRange, 127}, 256, "range"},
		{Function{"gelu", -8, 127}, 256, "range -8"},
		{Function{"gelu", 8, 0}, 256, "peak 0"},
		{Function{"gelu", 8, 1<<15 + 1}, 256, "peak 32769"},
		{Function{"gelu", 8, 127}, 255, "255 rows"},
		{Function{"gelu", 8, 127}, 8, "8 rows"},
		{Function{"gelu", 8, 127}, 1 << 17, "131072 rows"},
	} {
		if _, err := c.f.table(c.rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v of %d rows: got %v, want %q", c.f, c.rows, err, c.want)
		}
	}
}

func BenchmarkTable(b *testing.B) {
	for _, name := range []string{"sigmoid", "gelu"} {
		b.Run("function="+name+"/rows=1024", func(b *testing.B) {
			for b.Loop() {
				if _, err := (Function{name, 8, 127}).table(1024); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
