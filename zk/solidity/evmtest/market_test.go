package evmtest

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// A market is testdata/Market.sol on a chain, with two open tasks for the input of the fixture's statement.
type market struct {
	*fixture
	c       *chain
	address common.Address
	output  byte
	proof   []byte // of task 7
}

func newMarket(c *chain, f *fixture, variant string) *market {
	c.t.Helper()
	verifier, _ := f.deploy(c, variant, "market")
	m := &market{fixture: f, c: c}
	m.address, _ = c.deploy("market", common.LeftPadBytes(verifier[:], 32))
	st := f.statements["market"]
	if st.Context.Market != [32]byte(common.LeftPadBytes(m.address[:], 32)) {
		c.t.Fatalf("the market is at %v, the fixture's is %v", m.address, st.Context.Market)
	}
	for _, task := range []byte{7, 8} {
		call := append(selector("open(uint256,bytes32,bytes32)"), common.LeftPadBytes([]byte{task}, 32)...)
		c.send(&m.address, append(append(call, st.Context.Specification[:]...), st.Input.Digest[:]...), 1<<20)
	}
	m.output, m.proof = byte(st.Output.Values[0]), f.calls["market"][4+32*wordProof:]
	return m
}

// answer sends an answer to a task.
func (m *market) answer(task, output byte, proof []byte) *types.Receipt {
	m.c.t.Helper()
	call := selector("answer(uint256,uint256,bytes)")
	for _, x := range []byte{task, output, 0x60} {
		call = append(call, common.LeftPadBytes([]byte{x}, 32)...)
	}
	call = append(call, at(m.calls["market"], wordLength, 1)...)
	return m.c.try(&m.address, append(call, proof...), 1<<20)
}

// TestMarket has a contract pay attention to proofs: it makes the context from its own storage and the sender.
//
// Soundness: S20.
func TestMarket(t *testing.T) {
	for _, variant := range []string{"public", "private"} {
		t.Run("weights="+variant, func(t *testing.T) {
			m := newMarket(newChain(t), readFixture(t, variant), variant)
			bad := bytes.Clone(m.proof)
			bad[len(bad)-1] ^= 1
			for name, r := range map[string]*types.Receipt{
				"proof of another task":   m.answer(8, m.output, m.proof),
				"task that nobody opened": m.answer(9, m.output, m.proof),
				"other output":            m.answer(7, m.output^1, m.proof),
				"bad proof":               m.answer(7, m.output, bad),
			} {
				if r.Status != types.ReceiptStatusFailed {
					t.Errorf("%s: accepted", name)
				}
			}
			if r := m.answer(7, m.output, m.proof); r.Status != types.ReceiptStatusSuccessful {
				t.Errorf("the proof is refused after %d gas", r.GasUsed)
			}
			call := append(selector("tasks(uint256)"), common.LeftPadBytes([]byte{7}, 32)...)
			out, err := m.c.call(m.address, call, enough)
			if err != nil || len(out) != 128 || [32]byte(out[64:96]) != m.statements["market"].Context.Worker {
				t.Errorf("task 7 is %x, %v", out, err)
			}
			if r := m.answer(7, m.output, m.proof); r.Status != types.ReceiptStatusFailed {
				t.Error("a second answer: accepted")
			}
		})
	}
}
