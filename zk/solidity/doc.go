// Package solidity writes the contracts that verify proofs of zk on a chain, and the calldata for them.
package solidity
