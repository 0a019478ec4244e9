package commit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/signet-ml/signet/zk/commit"
)

// A model of two inputs and two outputs is registered, and its row and a vector of accumulators are opened.
func Example() {
	ctx := context.Background()
	layout := commit.Layout{
		Blocks:       []commit.Block{{Name: "dense", Rows: 2, Columns: 2, Weight: commit.Range{Lo: -127, Hi: 127}, Bias: commit.Range{Lo: -999, Hi: 999}}},
		Blinds:       4,
		Accumulators: 2,
	}
	srs, err := commit.NewLocalSRS(commit.Rows, layout)
	if err != nil {
		fmt.Println(err)
		return
	}
	matrix, err := commit.NewMatrix(layout, [][]int64{{3, -4, 5, 6}}, [][]int64{{10, 20}})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, opening, err := commit.Commit(ctx, srs, commit.Rows, matrix)
	if err != nil {
		fmt.Println(err)
		return
	}
	key := srs.VerifyingKey()
	var circuit [32]byte // the digest of the circuit that uses the model
	cd := c.Digest(key.Digest(), layout.Digest(), circuit, 1)

	// The input (1, 2) gives 3*1 - 4*2 + 10 and 5*1 + 6*2 + 20. Two random elements hide the vector.
	v := make([]fr.Element, layout.Vector())
	v[0].SetInt64(5)
	v[1].SetInt64(37)
	for i := range 2 {
		if v[2+i], err = commit.NewSalt(); err != nil {
			fmt.Println(err)
			return
		}
	}
	k, err := commit.CommitVector(srs, v)
	if err != nil {
		fmt.Println(err)
		return
	}
	t := commit.Transcribe{CD: cd}
	t.G = commit.NewTranscript("example/g").Word(cd).Point(k).Challenge()
	u := opening.Row(t.G)
	t.H = fr.NewElement(1234) // really a challenge that absorbs u and v: the commitment of a Groth16 proof
	proof, err := commit.Open(ctx, srs, opening, t, u, v, k)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("good proof:", commit.VerifyOpening(key, c, t, proof))
	fmt.Println("bytes:", len(proof.AppendBinary(nil, commit.Rows)))
	proof.E1.Double(&proof.E1)
	fmt.Println("forged proof:", commit.VerifyOpening(key, c, t, proof))
	// Output:
	// good proof: <nil>
	// bytes: 128
	// forged proof: commit: the opening does not verify
}

// An input's digest hides it behind a salt.
func ExamplePacking_Digest() {
	pixels := commit.Packing{Count: 4, Lo: 0, Hi: 255}
	salt := fr.NewElement(7) // really from NewSalt
	digest, err := pixels.Digest(commit.TagInput, salt, []int64{0, 128, 255, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%x\n", digest.Marshal())
	_, err = pixels.Digest(commit.TagInput, salt, []int64{0, 128, 256, 3})
	fmt.Println(err)
	// Output:
	// 021bb218ea31789e3d9ef17c2d922461e445baa4c6329adf34dcd39cc88a3518
	// commit: pack value 2: outside [0, 255]
}

// A budget survives the process that reserves from it.
func ExampleBudget() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path, cd := filepath.Join(dir, "budget"), [32]byte{1}
	b, err := commit.CreateBudget(path, cd, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(b.Reserve())
	b.Close()
	if b, err = commit.OpenBudget(path, cd); err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	fmt.Println(b.Reserve())
	fmt.Println(b.Reserve())
	// Output:
	// 1 <nil>
	// 0 <nil>
	// 0 commit: the budget of proofs is spent
}
