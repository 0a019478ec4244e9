// Package evmtest runs the contracts of zk/solidity on go-ethereum's simulated chain. It holds tests only, in a module
// of its own, so that nobody who verifies proofs in Go depends on go-ethereum.
//
// The compiled contracts are files in testdata. With -tags=solccheck a test compiles them again and compares: it needs
// node, and npm ci in the folder solc, or in a copy of it that the environment variable SIGNET_SOLC names. It skips
// where they are absent, unless SIGNET_REQUIRE_SOLC is 1.
package evmtest
