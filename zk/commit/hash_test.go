package commit

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/test"
)

// lengths has both widths, one block and more, full and partial ones.
var lengths = []int{0, 1, 6, 7, 8, 15, 16, 30, 31, 40}

// A hashCircuit says that Digest is the hash of Elems.
type hashCircuit struct {
	tag    Tag
	Elems  []frontend.Variable
	Digest frontend.Variable `gnark:",public"`
}

func (c *hashCircuit) Define(api frontend.API) error {
	digest, err := HashVar(api, c.tag, c.Elems...)
	if err != nil {
		return err
	}
	api.AssertIsEqual(digest, c.Digest)
	return nil
}

func variables[T any](xs []T) []frontend.Variable {
	out := make([]frontend.Variable, len(xs))
	for i, x := range xs {
		out[i] = x
	}
	return out
}

func TestHashGolden(t *testing.T) {
	var b bytes.Buffer
	for _, tag := range []Tag{TagInput, TagOutput, TagStatement, TagLookup, TagRows} {
		for _, n := range lengths {
			elems := make([]fr.Element, n)
			for i := range elems {
				elems[i].SetInt64(int64(i + 1))
			}
			digest := Hash(tag, elems...)
			fmt.Fprintf(&b, "%s %d %x\n", tag, n, digest.Marshal())
		}
	}
	golden(t, "hash.txt", b.Bytes())
}

// TestHashInCircuit compares digests in a circuit with those of Hash.
//
// Soundness: S23.
func TestHashInCircuit(t *testing.T) {
	field := ecc.BN254.ScalarField()
	for _, n := range lengths {
		t.Run(fmt.Sprintf("elements=%d", n), func(t *testing.T) {
			elems := elements(uint64(n), n)
			blank := &hashCircuit{tag: TagRows, Elems: make([]frontend.Variable, n)}
			good := &hashCircuit{Elems: variables(elems), Digest: Hash(TagRows, elems...)}
			if err := test.IsSolved(blank, good, field); err != nil {
				t.Fatal(err)
			}
			good.Digest = Hash(TagInput, elems...)
			if err := test.IsSolved(blank, good, field); err == nil {
				t.Fatal("the digest under another tag is accepted")
			}
		})
	}
}

// TestHashConstraints pins what a digest costs; the one constraint besides is the comparison.
func TestHashConstraints(t *testing.T) {
	var b bytes.Buffer
	for _, n := range lengths[1:] {
		cs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &hashCircuit{tag: TagRows, Elems: make([]frontend.Variable, n)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d elements: %d constraints\n", n, cs.GetNbConstraints()-1)
	}
	golden(t, "constraints.txt", b.Bytes())
}

// TestHashDiffers compares lists that a careless sponge would confuse.
//
// Soundness: S23.
func TestHashDiffers(t *testing.T) {
	a := elements(1, 16)
	zero := fr.Element{}
	seen := map[fr.Element]string{}
	for _, tt := range []struct {
		name  string
		tag   Tag
		elems []fr.Element
	}{
		{"nothing", TagInput, nil},
		{"nothing, other tag", TagOutput, nil},
		{"zero", TagInput, []fr.Element{zero}},
		{"two zeros", TagInput, []fr.Element{zero, zero}},
		{"a", TagInput, a[:1]},
		{"a, other tag", TagOutput, a[:1]},
		{"a 0", TagInput, []fr.Element{a[0], zero}},
		{"0 a", TagInput, []fr.Element{zero, a[0]}},
		{"seven", TagInput, a[:7]},
		{"seven and 0", TagInput, append(a[:7:7], zero)},
		{"fifteen", TagInput, a[:15]},
		{"fifteen and 0", TagInput, append(a[:15:15], zero)},
		{"sixteen", TagInput, a},
	} {
		d := Hash(tt.tag, tt.elems...)
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the digest %x", tt.name, other, d.Bytes())
		}
		seen[d] = tt.name
	}
}

func TestHashOtherField(t *testing.T) {
	_, err := frontend.Compile(ecc.BLS12_381.ScalarField(), r1cs.NewBuilder, &hashCircuit{tag: TagRows, Elems: make([]frontend.Variable, 1)})
	if err == nil {
		t.Fatal("a circuit over another field compiles and would hash otherwise")
	}
}
