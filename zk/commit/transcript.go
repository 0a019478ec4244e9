package commit

import "golang.org/x/crypto/sha3"

var _ = sha3.NewLegacyKeccak256
