// Package evmtest runs the contracts of zk/solidity on go-ethereum's simulated chain. It holds tests only.
package evmtest
