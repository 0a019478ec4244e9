// Package client is what the data owner holds and nobody else: secret keys, the generator of switching keys, encryption
// and decryption.
//
//	kg, _ := client.NewKeyGenerator(params)
//	sk := kg.GenSecretKey()
//	keys, _ := kg.GenEvaluationKeys(ctx, sk, prog.Keys())            // for the server
//	in, _ := client.NewEncryptor(sk).Encrypt(prog.Inputs()[0], x)    // for the server
//	y, _ := client.NewDecryptor(sk).ForOwner(prog.Outputs()[0], out) // for the owner of sk only
//
// Who should use it: the process that may see the data in the clear. No package that runs on a server reaches this one;
// a test computes the closure of imports.
//
// Encryption is under the secret key, with errors of standard deviation 3.2, or, for a party that is to give data and
// not to read any, under a public key: NewPublicKeyEncryptor. Every switching key is generated at the level that its
// requirement states, with all special primes, and is judged by the security gate on its own. The noise of
// encryptions and keys is drawn from a BLAKE2b stream per key and per encryptor, seeded by crypto/rand. Uniformly random
// halves are expanded from a fresh seed each, which is public and travels in their place.
//
// What it does not protect against: a decrypted value contains the noise, and whoever sees it next to the ciphertext
// can solve for the key (see Decryptor.ForOwner). Nothing here is constant-time throughout, and Go does not promise to
// erase memory: run it on a machine that you alone use. A written secret key is as safe as the file that holds it.
package client
