//go:build solccheck

package evmtest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-ml/signet/zk/solidity"
)

// maxCode is the largest contract that Ethereum takes, in bytes (EIP-170).
const maxCode = 24_576

// TestArtifacts compiles the contracts and compares them with those in testdata.
func TestArtifacts(t *testing.T) {
	compile := compiler(t)
	for _, variant := range []string{"public", "private"} {
		t.Run("contract="+variant, func(t *testing.T) {
			c, err := solidity.Export(readFixture(t, variant).vk)
			if err != nil {
				t.Fatal(err)
			}
			check(t, variant, compile(t, c, solidity.Name))
		})
	}
	for _, name := range []string{"Harness", "Market"} {
		t.Run("contract="+name, func(t *testing.T) {
			c, err := solidity.Export(readFixture(t, "public").vk)
			if err != nil {
				t.Fatal(err)
			}
			source, err := os.ReadFile(filepath.Join("testdata", name+".sol"))
			if err != nil {
				t.Fatal(err)
			}
			c.Files = append(c.Files, solidity.File{Name: name + ".sol", Source: string(source)})
			check(t, strings.ToLower(name), compile(t, c, name))
		})
	}
}

func check(t *testing.T, name string, a artifact) {
	t.Helper()
	t.Logf("%d bytes of code", a.Runtime)
	if a.Runtime > maxCode {
		t.Errorf("%d bytes of code, more than %d", a.Runtime, maxCode)
	}
	got, err := json.MarshalIndent(a, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; go test -tags=solccheck -update rewrites it", path)
	}
}

// compiler returns a function that compiles and returns one contract of the sources.
func compiler(t *testing.T) func(t *testing.T, c *solidity.Contracts, name string) artifact {
	t.Helper()
	absent := t.Skipf
	if os.Getenv("SIGNET_REQUIRE_SOLC") == "1" {
		absent = t.Fatalf
	}
	node, err := exec.LookPath("node")
	if err != nil {
		absent("node is absent: %v", err)
	}
	dir := os.Getenv("SIGNET_SOLC")
	if dir == "" {
		dir = "solc"
	}
	modules, err := filepath.Abs(filepath.Join(dir, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "solc")); err != nil {
		absent("solc is absent, npm ci in the folder solc installs it: %v", err)
	}
	return func(t *testing.T, c *solidity.Contracts, name string) artifact {
		t.Helper()
		in, err := c.StandardJSON()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(node, "solc/compile.js")
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
		cmd.Stdin = bytes.NewReader(in)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("solc: %v\n%s", err, stderr.String())
		}
		var result struct {
			Errors []struct {
				Message string `json:"formattedMessage"`
			} `json:"errors"`
			Contracts map[string]map[string]struct {
				ABI json.RawMessage `json:"abi"`
				EVM struct {
					Bytecode, DeployedBytecode struct {
						Object string `json:"object"`
					}
				} `json:"evm"`
			} `json:"contracts"`
		}
		if err := json.Unmarshal(out, &result); err != nil {
			t.Fatal(err)
		}
		for _, e := range result.Errors { // warnings count too
			t.Errorf("solc: %s", e.Message)
		}
		contract, ok := result.Contracts[name+".sol"][name]
		if !ok {
			t.Fatalf("solc returns no contract %s", name)
		}
		return artifact{ABI: contract.ABI, Bytecode: contract.EVM.Bytecode.Object, Runtime: len(contract.EVM.DeployedBytecode.Object) / 2}
	}
}
