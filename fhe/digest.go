package fhe

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Digest is a SHA-256 digest. Every digest in Signet is over a tagged, canonical encoding, so equal digests mean equal
// artefacts, on any machine and any engine.
type Digest [32]byte

// String returns the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Short returns the first eight hexadecimal digits, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:4]) }

// IsZero reports whether d is the zero value, which no artefact has.
func (d Digest) IsZero() bool { return d == Digest{} }

// Tagged returns the SHA-256 digest of tag followed by the parts.
func Tagged(tag string, parts ...[]byte) Digest {
	h := sha256.New()
	h.Write([]byte(tag))
	for _, p := range parts {
		h.Write(p)
	}
	return Digest(h.Sum(nil))
}

// limbBlock is the leaf size, in words, of the tree over a limb: 8 KiB, so that blocks hash in parallel on any device.
const limbBlock = 1024

// LimbDigest returns the digest of one limb: the RFC 6962 tree over its 8 KiB blocks of little-endian words.
// The limb is in the NTT domain, bit-reversed, not in Montgomery form, every word below its prime.
func LimbDigest(limb []uint64) Digest {
	n := (len(limb) + limbBlock - 1) / limbBlock
	nodes := make([]Digest, n)
	buf := make([]byte, 1, 1+8*limbBlock)
	for i := range nodes {
		buf = buf[:1]
		buf[0] = 0
		for _, w := range limb[i*limbBlock : min((i+1)*limbBlock, len(limb))] {
			buf = binary.LittleEndian.AppendUint64(buf, w)
		}
		nodes[i] = sha256.Sum256(buf)
	}
	return merkle(nodes)
}

// merkle returns the RFC 6962 tree head over hashed leaves: the left subtree holds the largest power of two smaller
// than their number.
func merkle(leaves []Digest) Digest {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := merkle(leaves[:k]), merkle(leaves[k:])
	var b [65]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// MerkleRoot returns the RFC 6962 tree head over leaves that are digests already. A trace's root is made with it.
func MerkleRoot(leaves []Digest) Digest { return merkle(leaves) }
