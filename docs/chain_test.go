package docs_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestChainNumbers: the page about contracts shows every number that zk/solidity/evmtest measured.
func TestChainNumbers(t *testing.T) {
	gas, err := os.ReadFile("../zk/solidity/evmtest/testdata/gas.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("howto/verify-on-chain.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(gas)), "\n")
	for _, line := range lines {
		number := line[strings.LastIndex(line, " ")+1:]
		if _, err := strconv.ParseUint(number, 10, 64); err != nil {
			t.Fatal(err)
		}
		for i := len(number) - 3; i > 0; i -= 3 {
			number = number[:i] + "," + number[i:]
		}
		if !strings.Contains(string(text), " "+number) {
			t.Errorf("the page lacks %s, from %q", number, line)
		}
	}
	if len(lines) < 10 {
		t.Errorf("only %d lines", len(lines))
	}
}
