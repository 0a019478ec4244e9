package solidity_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/signet-ml/signet/zk"
	"github.com/signet-ml/signet/zk/solidity"
)

// read returns a key, a statement and a proof that zk.Setup and zk.Prove made.
func read(dir string) (*zk.VerifyingKey, *zk.Statement, *zk.Proof) {
	open := func(name string) *bytes.Reader {
		b, err := os.ReadFile(filepath.Join(dir, name))
		check(err)
		return bytes.NewReader(b)
	}
	vk, err := zk.ReadVerifyingKey(open("verifying.key"), 1<<16)
	check(err)
	st, err := zk.ReadStatement(open("good.json"), 1<<16)
	check(err)
	pf, err := zk.ReadProof(open("good.proof"))
	check(err)
	return vk, st, pf
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	vk, statement, proof := read("testdata/private")

	// Once for each circuit: the sources.
	contracts, err := solidity.Export(vk)
	check(err)
	for _, file := range contracts.Files {
		fmt.Println(file.Name)
	}
	input, err := contracts.StandardJSON() // for solc --standard-json
	check(err)

	// Once for each model: what follows the bytecode of the contract Inference in the transaction that deploys it.
	arguments, err := solidity.ConstructorArguments(vk, statement.Model)
	check(err)

	// For each prediction: a call of verifyInference.
	call, err := solidity.Calldata(vk, statement, proof)
	check(err)

	fmt.Println(len(input) > 0, len(arguments), len(call))
	// Output:
	// Inference.sol
	// Poseidon2.sol
	// Verifier.sol
	// true 64 964
}
