package evmtest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/solidity"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// A fixture is a key with statements and proofs, from zk/solidity's testdata.
type fixture struct {
	vk         *zk.VerifyingKey
	statements map[string]*zk.Statement
	calls      map[string][]byte // calldata of the statements' proofs
}

func readFixture(t testing.TB, variant string) *fixture {
	t.Helper()
	dir := filepath.Join("..", "testdata", variant)
	open := func(name string) *bytes.Reader {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(b)
	}
	f := &fixture{statements: map[string]*zk.Statement{}, calls: map[string][]byte{}}
	var err error
	if f.vk, err = zk.ReadVerifyingKey(open("verifying.key"), 1<<16); err != nil {
		t.Fatal(err)
	}
	names := []string{"good", "unbound", "market"}
	if variant == "private" {
		names = append(names, "other")
	}
	for _, name := range names {
		st, err := zk.ReadStatement(open(name+".json"), 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		pf, err := zk.ReadProof(open(name + ".proof"))
		if err != nil {
			t.Fatal(err)
		}
		f.statements[name] = st
		if f.calls[name], err = solidity.Calldata(f.vk, st, pf); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// deploy deploys the contract for the model of a statement.
func (f *fixture) deploy(c *chain, variant, statement string) (common.Address, uint64) {
	c.t.Helper()
	arguments, err := solidity.ConstructorArguments(f.vk, f.statements[statement].Model)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.deploy(variant, arguments)
}
