package commit

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/test"
)

var packings = []Packing{
	{Count: 1, Lo: 0, Hi: 0},
	{Count: 784, Lo: 0, Hi: 255},
	{Count: 32, Lo: -127, Hi: 127},
	{Count: 31, Lo: -127, Hi: 127},
	{Count: 9, Lo: 5, Hi: 9},
	{Count: 11, Lo: -packLimit, Hi: packLimit},
	{Count: 300, Lo: 0, Hi: 1},
}

// spread returns values of the packing's range: both ends, then others.
func spread(p Packing) []int64 {
	next := stream(uint64(p.Count))
	out := make([]int64, p.Count)
	for i := range out {
		switch i {
		case 0:
			out[i] = p.Hi
		case 1:
			out[i] = p.Lo
		default:
			out[i] = p.Lo + int64(next()%uint64(p.Hi-p.Lo+1))
		}
	}
	return out
}

// unpack reads values back with big integers, as a check on Pack.
func unpack(p Packing, elems []fr.Element) []int64 {
	out := make([]int64, 0, p.Count)
	mask := new(big.Int).Lsh(big.NewInt(1), uint(p.Width()))
	for _, e := range elems {
		x := e.BigInt(new(big.Int))
		for range p.PerElement() {
			if len(out) == p.Count {
				break
			}
			low := new(big.Int)
			x.DivMod(x, mask, low)
			out = append(out, low.Add(low, big.NewInt(p.Lo)).Int64())
		}
		if x.Sign() != 0 {
			return nil
		}
	}
	return out
}

func TestPackingRoundTrip(t *testing.T) {
	for _, p := range packings {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			values := spread(p)
			packed, err := p.Pack(values)
			if err != nil {
				t.Fatal(err)
			}
			if len(packed) != p.Elements() {
				t.Errorf("%d elements, Elements says %d", len(packed), p.Elements())
			}
			if got := unpack(p, packed); fmt.Sprint(got) != fmt.Sprint(values) {
				t.Errorf("unpacked %v, want %v", got, values)
			}
		})
	}
}

func TestPackingWidths(t *testing.T) {
	for _, tt := range []struct {
		p              Packing
		width, element int
	}{
		{Packing{1, 7, 7}, 1, 252},
		{Packing{1, 0, 1}, 1, 252},
		{Packing{1, 0, 2}, 2, 126},
		{Packing{1, -127, 127}, 8, 31},
		{Packing{1, -128, 127}, 8, 31},
		{Packing{1, -128, 128}, 9, 28},
		{Packing{1, -packLimit, packLimit}, 64, 3},
	} {
		if w, k := tt.p.Width(), tt.p.PerElement(); w != tt.width || k != tt.element {
			t.Errorf("%+v: %d bits, %d for an element; want %d, %d", tt.p, w, k, tt.width, tt.element)
		}
	}
}

func TestPackingRefuses(t *testing.T) {
	for _, p := range []Packing{
		{Count: 0, Lo: 0, Hi: 1},
		{Count: -1, Lo: 0, Hi: 1},
		{Count: 1, Lo: 1, Hi: 0},
		{Count: 1, Lo: math.MinInt64, Hi: 0},
		{Count: 1, Lo: -packLimit - 1, Hi: 0},
		{Count: 1, Lo: 0, Hi: packLimit + 1},
		{Count: 1 << 32, Lo: 0, Hi: 1},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("%+v is valid", p)
		}
		if _, err := p.Pack(make([]int64, max(0, p.Count&0xff))); err == nil {
			t.Errorf("%+v packs", p)
		}
		if _, err := p.DigestVar(nil, TagInput, 0, nil); err == nil {
			t.Errorf("%+v digests in a circuit", p)
		}
	}
	p := Packing{Count: 3, Lo: -2, Hi: 5}
	for _, values := range [][]int64{nil, {0, 0}, {0, 0, 0, 0}, {-3, 0, 0}, {0, 6, 0}, {0, 0, math.MinInt64}, {0, 0, math.MaxInt64}} {
		if _, err := p.Pack(values); err == nil {
			t.Errorf("%v packs", values)
		}
		if _, err := p.Digest(TagInput, fr.Element{}, values); err == nil {
			t.Errorf("%v digests", values)
		}
	}
	if _, err := p.DigestVar(nil, TagInput, 0, variables([]int{1, 2})); err == nil {
		t.Error("two variables of three digest")
	}
}

// A packCircuit says that Digest is the digest of Values.
type packCircuit struct {
	p      Packing
	Salt   frontend.Variable
	Values []frontend.Variable
	Digest frontend.Variable `gnark:",public"`
}

func (c *packCircuit) Define(api frontend.API) error {
	digest, err := c.p.DigestVar(api, TagInput, c.Salt, c.Values)
	if err != nil {
		return err
	}
	api.AssertIsEqual(digest, c.Digest)
	return nil
}

// TestPackingInCircuit compares packings in a circuit with those of Go.
//
// Soundness: S23.
func TestPackingInCircuit(t *testing.T) {
	field := ecc.BN254.ScalarField()
	for _, p := range packings {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			values := spread(p)
			salt, err := NewSalt()
			if err != nil {
				t.Fatal(err)
			}
			digest, err := p.Digest(TagInput, salt, values)
			if err != nil {
				t.Fatal(err)
			}
			blank := &packCircuit{p: p, Values: make([]frontend.Variable, p.Count)}
			good := &packCircuit{Salt: salt, Values: variables(values), Digest: digest}
			if err := test.IsSolved(blank, good, field); err != nil {
				t.Fatal(err)
			}
			good.Salt = fr.NewElement(1)
			if err := test.IsSolved(blank, good, field); err == nil {
				t.Error("another salt has the same digest")
			}
			good.Salt, good.Values[0] = salt, p.Hi+1
			if err := test.IsSolved(blank, good, field); err == nil {
				t.Error("another value has the same digest")
			}
		})
	}
}

// TestPackingNeedsRanges shows why every value must be range-checked: values outside pack to the same elements.
//
// Soundness: P16, P24.
func TestPackingNeedsRanges(t *testing.T) {
	p := Packing{Count: 2, Lo: 0, Hi: 255}
	digest, err := p.Digest(TagInput, fr.Element{}, []int64{3, 1})
	if err != nil {
		t.Fatal(err)
	}
	blank := &packCircuit{p: p, Values: make([]frontend.Variable, 2)}
	if err := test.IsSolved(blank, &packCircuit{Salt: 0, Values: variables([]int{3 + 256, 0}), Digest: digest}, ecc.BN254.ScalarField()); err != nil {
		t.Fatal("PackVar has begun to check ranges: correct its comment", err)
	}
}

// TestPackingDigestsDiffer holds values fixed and changes what they mean.
//
// Soundness: S23.
func TestPackingDigestsDiffer(t *testing.T) {
	seen := map[fr.Element]Packing{}
	for _, p := range []Packing{{2, 0, 7}, {2, 0, 8}, {2, -1, 6}, {3, 0, 7}} {
		d, err := p.Digest(TagInput, fr.NewElement(1), make([]int64, p.Count))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[d]; ok {
			t.Errorf("%+v and %+v have one digest", p, other)
		}
		seen[d] = p
	}
}

func TestPackingGolden(t *testing.T) {
	var b bytes.Buffer
	for _, p := range packings {
		d, err := p.Digest(TagOutput, fr.NewElement(42), spread(p))
		if err != nil {
			t.Fatal(err)
		}
		h := p.header()
		fmt.Fprintf(&b, "%d [%d, %d] header %x digest %x\n", p.Count, p.Lo, p.Hi, h.Marshal(), d.Marshal())
	}
	golden(t, "packing.txt", b.Bytes())
}

func TestNewSaltDiffers(t *testing.T) {
	a, err := NewSalt()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSalt()
	if err != nil {
		t.Fatal(err)
	}
	if a == b {
		t.Fatal("two salts are equal")
	}
}
