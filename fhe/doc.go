// Package fhe holds what both sides of an encrypted computation share and what may cross between them: Parameters
// (validated and security-gated), Encoder, Ciphertext, Bundle, EvaluationKeys, digests and the wire form of each. It
// holds no secrets and computes nothing on ciphertexts.
//
// Who should use it: code that moves artefacts between a data owner and a server. To make keys, encrypt and decrypt use
// fhe/client; to describe a computation use fhe/program; to run one use fhe/engine.
//
// Every parameter set passes a gate of at least 128 bits of security by the tables of [BCC24], and every wire form is
// read with a size limit: allocation is bounded by the bytes received, and malformed input is a typed error.
//
// What it does not protect: a ciphertext is malleable, and CKKS ciphertexts decrypt to values that contain the noise.
// Verify results before decrypting them, and show decrypted values to nobody but the key's owner (see
// docs/SECURITY.md).
//
// [BCC24]: Bossuat et al., Security Guidelines for Implementing Homomorphic Encryption, https://eprint.iacr.org/2024/463
package fhe
