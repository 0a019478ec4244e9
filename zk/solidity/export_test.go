package solidity

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
	"github.com/signet-ml/signet/zk/nn"
)

// golden compares got with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -update rewrites it", path)
	}
}

func TestExport(t *testing.T) {
	for _, variant := range variants {
		t.Run("weights="+variant, func(t *testing.T) {
			c, err := Export(readFixture(t, variant).vk)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range c.Files {
				name := filepath.Join(variant, file.Name)
				if file.Name == "Poseidon2.sol" {
					name = file.Name // the same for all keys
				}
				golden(t, name, file.Source)
				if !strings.HasPrefix(file.Source, "// SPDX-License-Identifier: ") || !strings.Contains(file.Source, "\npragma solidity "+pragma+";\n") {
					t.Errorf("%s lacks licence or pragma", file.Name)
				}
			}
		})
	}
}

// withTarget returns a key like vk for another target.
func withTarget(t *testing.T, vk *zk.VerifyingKey, target zk.Target) *zk.VerifyingKey {
	t.Helper()
	b, err := vk.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b[len("SGVK")+1] = byte(target)
	other, err := zk.ReadVerifyingKey(bytes.NewReader(b), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestRefusedKeys(t *testing.T) {
	f := readFixture(t, "private")
	rows, err := zk.Setup(t.Context(), toy{private: true}, zk.For(zk.Solidity))
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := nn.NewRegistration(toy{private: true}.Spec().Layout)
	if err != nil {
		t.Fatal(err)
	}
	registration, err := zk.Setup(t.Context(), ranges, zk.For(zk.Solidity), zk.CompactModel())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		vk   *zk.VerifyingKey
		want error
	}{
		{"registration", registration.VerifyingKey(), ErrKind},
		{"native", withTarget(t, f.vk, zk.Native), ErrTarget},
		{"rows", rows.VerifyingKey(), ErrForm},
	} {
		t.Run("key="+tt.name, func(t *testing.T) {
			if c, err := Export(tt.vk); c != nil || !errors.Is(err, tt.want) {
				t.Errorf("Export: %v", err)
			}
			if b, err := ConstructorArguments(tt.vk, f.statements["good"].Model); b != nil || !errors.Is(err, tt.want) {
				t.Errorf("ConstructorArguments: %v", err)
			}
			if b, err := Calldata(tt.vk, f.statements["good"], f.proofs["good"]); b != nil || !errors.Is(err, tt.want) {
				t.Errorf("Calldata: %v", err)
			}
		})
	}
}

// TestCheckVerifier: gnark's contract has to be the one that the template repeats. Keys of circuits with another number
// of commitments do not come this far, so their contracts are made up here.
//
// Soundness: S24.
func TestCheckVerifier(t *testing.T) {
	var b bytes.Buffer
	if err := gnarkx.ExportSolidity(readFixture(t, "public").vk.Groth16(), &b, pragma); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	if err := checkVerifier(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"no commitment":         {"PEDERSEN_G_X_0", "G_X_0"},
		"two commitments":       {"    uint256 constant PUB_2_X", "    uint256 constant PUB_3_X = 1;\n    uint256 constant PUB_2_X"},
		"three inputs":          {"uint256[2] calldata input", "uint256[3] calldata input"},
		"two committed inputs":  {"new uint256[](1)", "new uint256[](2)"},
		"other committed input": {"add(input, 0)", "add(input, 32)"},
		"another hash":          {"keccak256(hashInput)", "sha256(hashInput)"},
	} {
		t.Run("contract="+strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			source := strings.ReplaceAll(good, change[0], change[1])
			if source == good {
				t.Fatalf("no %q in gnark's contract", change[0])
			}
			if err := checkVerifier(source); !errors.Is(err, ErrCommitments) {
				t.Errorf("accepted: %v", err)
			}
		})
	}
}

func TestStandardJSON(t *testing.T) {
	c, err := Export(readFixture(t, "public").vk)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.StandardJSON()
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Language string
		Sources  map[string]struct{ Content string }
		Settings struct {
			EVMVersion string
			Optimizer  struct {
				Enabled bool
				Runs    int
			}
		}
	}
	if err := json.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	if in.Language != "Solidity" || in.Settings.EVMVersion != "cancun" || !in.Settings.Optimizer.Enabled || in.Settings.Optimizer.Runs != 200 {
		t.Errorf("language and settings: %s, %+v", in.Language, in.Settings)
	}
	for _, file := range c.Files {
		if in.Sources[file.Name].Content != file.Source {
			t.Errorf("%s differs", file.Name)
		}
	}
	if len(in.Sources) != len(c.Files) {
		t.Errorf("%d sources, want %d", len(in.Sources), len(c.Files))
	}
}

func TestConstructorArguments(t *testing.T) {
	public, private := readFixture(t, "public").vk, readFixture(t, "private")
	model := private.statements["good"].Model
	b, err := ConstructorArguments(private.vk, model)
	x, y := model.Points[0].X.Bytes(), model.Points[0].Y.Bytes()
	if err != nil || !bytes.Equal(b, slices.Concat(x[:], y[:])) {
		t.Errorf("%x, %v", b, err)
	}
	if b, err := ConstructorArguments(public, nil); len(b) != 0 || err != nil {
		t.Errorf("public weights: %x, %v", b, err)
	}
	for _, tt := range []struct {
		name  string
		vk    *zk.VerifyingKey
		model *commit.Commitment
	}{
		{"none", private.vk, nil},
		{"rows", private.vk, &commit.Commitment{Form: commit.Rows, Points: model.Points}},
		{"two points", private.vk, &commit.Commitment{Form: commit.Compact, Points: slices.Repeat(model.Points, 2)}},
		{"infinity", private.vk, &commit.Commitment{Form: commit.Compact, Points: make([]bn254.G1Affine, 1)}},
		{"public weights", public, model},
	} {
		if b, err := ConstructorArguments(tt.vk, tt.model); b != nil || err == nil {
			t.Errorf("%s: %x", tt.name, b)
		}
	}
}
