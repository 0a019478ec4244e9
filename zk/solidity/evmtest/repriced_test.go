package evmtest

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"

	"github.com/signet-ml/signet/zk/solidity"
)

// dearer is a precompile at a higher price.
type dearer struct {
	vm.PrecompiledContract
	extra uint64
}

func (d dearer) RequiredGas(in []byte) uint64 { return d.PrecompiledContract.RequiredGas(in) + d.extra }

// TestRepriced runs the contracts where a precompile costs more than EIP-1108 says. They may not call a good proof bad:
// a market would take the word of a contract that a fork has broken.
func TestRepriced(t *testing.T) {
	for _, variant := range []string{"public", "private"} {
		f := readFixture(t, variant)
		arguments, err := solidity.ConstructorArguments(f.vk, f.statements["good"].Model)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &runtime.Config{GasLimit: 1 << 24}
		_, contract, _, err := runtime.Create(append(codeOf(t, variant), arguments...), cfg)
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(f.calls["good"])
		copy(at(bad, wordB, 1), at(bad, wordB+1, 1)) // off the curve: the pairing fails
		for _, tt := range []struct {
			name         string
			precompile   byte
			extra        uint64
			good, forged string // what comes back; "" for the error OutOfGas
		}{
			{"as it is", 8, 0, string(yes), string(no)},
			{"pairing", 8, 1, "", ""},
			{"pairing/double", 8, 500_000, "", ""},
			{"multiplication/double", 7, 6_000, string(yes), string(no)},
			{"addition/double", 6, 150, string(yes), string(no)},
		} {
			t.Run("weights="+variant+"/dearer="+tt.name, func(t *testing.T) {
				evm := runtime.NewEnv(cfg)
				precompiles := vm.PrecompiledContracts{}
				for address, p := range vm.PrecompiledContractsCancun {
					if address == common.BytesToAddress([]byte{tt.precompile}) {
						p = dearer{p, tt.extra}
					}
					precompiles[address] = p
				}
				evm.SetPrecompiles(precompiles)
				for _, call := range []struct {
					in   []byte
					want string
				}{{f.calls["good"], tt.good}, {bad, tt.forged}} {
					out, _, err := evm.StaticCall(common.Address{1}, contract, call.in, vm.NewGasBudget(enough, 0))
					switch {
					case call.want != "" && (err != nil || string(out) != call.want):
						t.Errorf("returned %x, %v", out, err)
					case call.want == "" && (err == nil || !bytes.Equal(out, selector("OutOfGas()"))):
						t.Errorf("returned %x, %v: want OutOfGas", out, err)
					}
				}
			})
		}
	}
}
