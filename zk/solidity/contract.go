package solidity

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"

	"github.com/signet-ml/signet/zk/commit"
	"github.com/signet-ml/signet/zk/internal/gnarkx"
)

// The licence and the compilers of the generated contracts. mcopy in assembly needs 0.8.24, and the chain Cancun.
const (
	license = "Apache-2.0"
	pragma  = "^0.8.24"
)

// Prices of the pairing precompile by EIP-1108, in gas.
const (
	pairingBase = 45_000
	pairingPair = 34_000
)

// openingSize is the length of a compact opening on the chain: K, e1, e2, Q1, Q2, in bytes.
const openingSize = 8 * 32

//go:embed Inference.sol.tmpl
var inferenceSource string

// fields are the constants of the template.
type fields struct {
	Kind, Version uint64
	KeyDigest     [32]byte
	Hashed        bool // the output is a digest

	Private                                bool
	SRSDigest, LayoutDigest, CircuitDigest [32]byte
	One, TNeg, SNeg                        bn254.G2Affine
}

func (fields) License() string { return license }
func (fields) Pragma() string  { return pragma }

// statement returns how many elements the statement digests: input and output, and with private weights g, h, e1, e2.
func (f fields) statement() int {
	if f.Private {
		return 6
	}
	return 2
}

// IV returns the last element of the first Poseidon2 state of a statement: that state's one element of capacity. It is
// what zk/commit starts from.
func (f fields) IV() fr.Element {
	return commit.NewTranscript("signet/zk/poseidon2/v1").Text(string(commit.TagStatement)).
		Uint(uint64(f.statement())).Uint(width).Challenge()
}

// ProofSize returns the length of a proof on the chain, in bytes.
func (f fields) ProofSize() int {
	if f.Private {
		return gnarkx.SolidityProofSize + openingSize
	}
	return gnarkx.SolidityProofSize
}

// A verification's memory: context and statement, the proof, a Poseidon2 state, gamma, and scratch for the pairs.

func (f fields) B() int        { return 0x40 + 0x40 } // the second point of the proof
func (f fields) Absorbed() int { return 0x40 + f.ProofSize() }
func (f fields) State() int    { return f.Absorbed() }
func (f fields) Gamma() int    { return f.State() + width*32 }
func (f fields) G() int        { return f.State() + 2*32 }
func (f fields) Memory() int   { return f.Scratch() + f.PairsSize() }

func (f fields) H() int {
	if f.Private {
		return f.G() + 32
	}
	return f.Gamma() // no element of the statement: a word of its own
}

func (f fields) Scratch() int { return f.Gamma() + 32 }

// Pairs returns how many pairs the pairing has: 4 for Groth16, 2 for its commitment, 3 for the opening of the weights.
func (f fields) Pairs() int {
	if f.Private {
		return 9
	}
	return 6
}

func (f fields) PairsSize() int { return 192 * f.Pairs() }
func (f fields) PairsGas() int  { return pairingBase + pairingPair*f.Pairs() }

var inferenceTemplate = template.Must(template.New("Inference.sol").Funcs(template.FuncMap{
	"hex":     func(n int) string { return fmt.Sprintf("0x%02x", n) },
	"word":    func(w [32]byte) string { return fmt.Sprintf("0x%x", w) },
	"element": literal,
	"tag": func(tag string) string {
		h := sha3.NewLegacyKeccak256()
		h.Write([]byte(tag))
		return fmt.Sprintf("0x%x", h.Sum(nil))
	},
	"g2": func(name string, p bn254.G2Affine) string {
		var lines []string
		for _, c := range []struct {
			name string
			x    fp.Element
		}{{"X_0", p.X.A0}, {"X_1", p.X.A1}, {"Y_0", p.Y.A0}, {"Y_1", p.Y.A1}} {
			lines = append(lines, fmt.Sprintf("    uint256 internal constant %s_%s = 0x%x;", name, c.name, c.x.Bytes()))
		}
		return strings.Join(lines, "\n")
	},
}).Parse(inferenceSource))

// render returns the source of the contract Inference.
func (f fields) render() (string, error) {
	var b strings.Builder
	if err := inferenceTemplate.Execute(&b, f); err != nil {
		return "", fmt.Errorf("solidity: %w", err)
	}
	return b.String(), nil
}
