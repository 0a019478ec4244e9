package evmtest

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"
)

// An artifact is a compiled contract in testdata.
type artifact struct {
	ABI      json.RawMessage `json:"abi"`
	Bytecode string          `json:"bytecode"`
	Runtime  int             `json:"runtimeBytes"`
}

func readArtifact(t testing.TB, name string) artifact {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var a artifact
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// A chain is a simulated chain with one rich account, always the same.
type chain struct {
	t       testing.TB
	backend *simulated.Backend
	key     *ecdsa.PrivateKey
}

func newChain(t testing.TB) *chain {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("signet evmtest"))) // fixed, so that addresses are
	if err != nil {
		t.Fatal(err)
	}
	rich := types.Account{Balance: new(big.Int).Mul(big.NewInt(1000), big.NewInt(params.Ether))}
	alloc := types.GenesisAlloc{crypto.PubkeyToAddress(key.PublicKey): rich}
	c := &chain{t: t, key: key, backend: simulated.NewBackend(alloc, func(_ *node.Config, c *ethconfig.Config) {
		// go-ethereum starts with forks that are not live yet and price state in another way: stop at Osaka.
		forks := *c.Genesis.Config
		forks.BogotaTime = nil
		c.Genesis.Config = &forks
	})}
	t.Cleanup(func() { c.backend.Close() })
	return c
}

// send puts a transaction into a block of its own; to nil deploys. It fails the test unless the transaction succeeds.
func (c *chain) send(to *common.Address, data []byte, gas uint64) *types.Receipt {
	c.t.Helper()
	r := c.try(to, data, gas)
	if r.Status != types.ReceiptStatusSuccessful {
		c.t.Fatalf("transaction failed after %d gas", r.GasUsed)
	}
	return r
}

// try is send for transactions that may fail.
func (c *chain) try(to *common.Address, data []byte, gas uint64) *types.Receipt {
	c.t.Helper()
	ctx, client := context.Background(), c.backend.Client()
	fatal := func(err error) {
		if err != nil {
			c.t.Fatal(err)
		}
	}
	id, err := client.ChainID(ctx)
	fatal(err)
	nonce, err := client.PendingNonceAt(ctx, crypto.PubkeyToAddress(c.key.PublicKey))
	fatal(err)
	tx, err := types.SignNewTx(c.key, types.LatestSignerForChainID(id), &types.DynamicFeeTx{ChainID: id, Nonce: nonce, To: to, Data: data,
		Gas: gas, GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(100 * params.GWei)})
	fatal(err)
	fatal(client.SendTransaction(ctx, tx))
	c.backend.Commit()
	receipt, err := client.TransactionReceipt(ctx, tx.Hash())
	fatal(err)
	return receipt
}

// deploy returns the address of a contract and the gas of its deployment.
func (c *chain) deploy(name string, arguments []byte) (common.Address, uint64) {
	c.t.Helper()
	r := c.send(nil, append(codeOf(c.t, name), arguments...), 1<<23)
	return r.ContractAddress, r.GasUsed
}

// call returns what a view function returns; an error is a revert.
func (c *chain) call(to common.Address, data []byte, gas uint64) ([]byte, error) {
	return c.backend.Client().CallContract(context.Background(), ethereum.CallMsg{To: &to, Data: data, Gas: gas}, nil)
}

var (
	yes = append(make([]byte, 31), 1)
	no  = make([]byte, 32)
)

// selector returns the first four bytes of a signature's digest.
func selector(signature string) []byte { return crypto.Keccak256([]byte(signature))[:4] }

// codeOf returns the code that deploys a contract, without arguments.
func codeOf(t testing.TB, name string) []byte {
	t.Helper()
	return common.FromHex(readArtifact(t, name).Bytecode)
}
