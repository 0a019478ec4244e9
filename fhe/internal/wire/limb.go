package wire

import (
	"encoding/binary"
	"math/bits"
)

// A limb travels packed: word j of w bits is the bits j·w … j·w + w - 1 of a string of bits whose first eight are the
// first byte, least significant first. The string is padded with zeros to a whole byte. With w = 64 that is the plain
// form of little-endian words, which version 1 of every artefact has.

// Raw is the width of the words of version 1.
const Raw = 64

// limbChunk is the number of words that are packed or unpacked at a time. It is a multiple of 8, so that a chunk that
// is not the last ends with a byte.
const limbChunk = 1 << 12

// Width returns the width of packed residues modulo q > 1: ⌈log₂ q⌉ bits.
func Width(q uint64) int { return bits.Len64(q - 1) }

// LimbBytes returns the size of n packed words.
func LimbBytes(n, width int) int64 { return (int64(n)*int64(width) + 7) / 8 }

// Limb writes the residues modulo q at its width.
func (w *Writer) Limb(limb []uint64, q uint64) {
	width := Width(q)
	for len(limb) > 0 && w.err == nil {
		m := min(len(limb), limbChunk)
		w.buf = pack(w.buf[:0], limb[:m], width)
		w.Raw(w.buf)
		limb = limb[m:]
	}
}

// pack appends words of the stated width, each below 2^width.
func pack(out []byte, words []uint64, width int) []byte {
	var acc uint64
	n, step := uint(0), uint(width) // n bits of acc are pending, fewer than 64
	for _, x := range words {
		acc |= x << n
		if n += step; n >= 64 {
			out = binary.LittleEndian.AppendUint64(out, acc)
			n -= 64
			acc = x >> (step - n) // the n high bits of x
		}
	}
	for ; n > 0; n -= min(n, 8) {
		out = append(out, byte(acc))
		acc >>= 8
	}
	return out
}

// Limb reads n residues modulo q of the stated width, at most 2^63 - 1 each, and refuses one that is not below q:
// where, with the operands of its verbs, says of what limb. A limb is allocated whole once as many bytes have been read
// as it has words, and grows with what arrives before that.
func (r *Reader) Limb(n, width int, q uint64, where string, at ...any) []uint64 {
	out := []uint64{}
	if int64(n) <= r.n {
		out = make([]uint64, 0, n)
	}
	for len(out) < n && r.err == nil {
		if len(out) == cap(out) {
			out = grow(out, 1<<10, n)
		}
		lo := len(out)
		out = out[:min(cap(out), lo+limbChunk)]
		size := int(LimbBytes(len(out)-lo, width))
		if len(r.words) < size+loadSlack {
			r.words = make([]byte, size+loadSlack)
		}
		r.Full(r.words[:size])
		if r.err != nil {
			break
		}
		if !unpack(r.words[:size+loadSlack], width, q, out[lo:]) {
			for k, v := range out[lo:] {
				if v >= q {
					r.Fail(where+": word %d is %d, not below the prime %d", append(at, lo+k, v, q)...)
					break
				}
			}
		}
		if used := (len(out) - lo) * width % 8; used != 0 && r.words[size-1]>>used != 0 {
			r.Fail(where+": the bits after the last word are not zero", at...)
		}
	}
	if r.err != nil {
		return nil
	}
	return out
}

// loadSlack is how far behind its last byte unpack may read.
const loadSlack = 8

// unpack reads words of the stated width and reports whether all are below q < 2^63.
func unpack(src []byte, width int, q uint64, dst []uint64) bool {
	mask := ^uint64(0) >> (64 - width)
	var above uint64 // its top bit: some word is not below q
	bit, step := uint(0), uint(width)
	if width > 58 && width != 60 && width != 64 {
		// A word may lie in nine bytes.
		for i := range dst {
			b := src[bit>>3:][:9]
			s := bit & 7
			v := (binary.LittleEndian.Uint64(b)>>s | uint64(b[8])<<(64-s)) & mask
			above |= (q - 1 - v) | v
			dst[i] = v
			bit += step
		}
		return above>>63 == 0
	}
	for i := range dst {
		v := binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask
		above |= (q - 1 - v) | v
		dst[i] = v
		bit += step
	}
	return above>>63 == 0
}
