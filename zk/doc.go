// Package zk proves that a committed model gave a prediction, and verifies such proofs.
package zk
