package wire

import (
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
	"slices"
)

// The suite of TLS 1.3 that is not by AES, for an observer alone: package crypto has none
// that others may use. It need not be fast, and what it takes no longer than others with
// one key than with another tells nobody anything: the connection is over.

var errTag = errors.New("the record is not by this key")

// openChaCha returns the text of what ChaCha20-Poly1305 sealed (RFC 8439, section 2.8).
func openChaCha(key, nonce, sealed, head []byte) ([]byte, error) {
	const lenTag = 16
	n := len(sealed) - lenTag
	if n < 0 {
		return nil, errTag
	}
	blocks := chacha20(key, nonce, append(make([]byte, 64), sealed[:n]...))
	m := zeroPadded(zeroPadded(nil, head), sealed[:n])
	m = binary.LittleEndian.AppendUint64(m, uint64(len(head)))
	m = binary.LittleEndian.AppendUint64(m, uint64(n))
	if !slices.Equal(poly1305(blocks[:32], m), sealed[n:]) {
		return nil, errTag
	}
	return blocks[64:], nil
}

// zeroPadded appends b and zeros up to a whole block of Poly1305 to m.
func zeroPadded(m, b []byte) []byte {
	return append(append(m, b...), make([]byte, -len(b)&15)...)
}

// chacha20 encrypts, or decrypts, from block 0 on (section 2.4).
func chacha20(key, nonce, text []byte) []byte {
	state := [16]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}
	for i := range 8 {
		state[4+i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	for i := range 3 {
		state[13+i] = binary.LittleEndian.Uint32(nonce[4*i:])
	}
	out := make([]byte, 0, len(text)+64)
	for ; len(out) < len(text); state[12]++ {
		x := state
		for range 10 {
			for i := range 4 {
				quarterRound(&x[i], &x[4+i], &x[8+i], &x[12+i])
			}
			for i := range 4 {
				quarterRound(&x[i], &x[4+(i+1)%4], &x[8+(i+2)%4], &x[12+(i+3)%4])
			}
		}
		for i := range x {
			out = binary.LittleEndian.AppendUint32(out, x[i]+state[i])
		}
	}
	for i := range text {
		out[i] ^= text[i]
	}
	return out[:len(text)]
}

func quarterRound(a, b, c, d *uint32) {
	*a += *b
	*d = bits.RotateLeft32(*d^*a, 16)
	*c += *d
	*b = bits.RotateLeft32(*b^*c, 12)
	*a += *b
	*d = bits.RotateLeft32(*d^*a, 8)
	*c += *d
	*b = bits.RotateLeft32(*b^*c, 7)
}

// poly1305 returns the tag of a message (section 2.5).
func poly1305(key, m []byte) []byte {
	little := func(b []byte) *big.Int {
		b = slices.Clone(b)
		slices.Reverse(b)
		return new(big.Int).SetBytes(b)
	}
	prime, _ := new(big.Int).SetString("3fffffffffffffffffffffffffffffffb", 16)
	clamp, _ := new(big.Int).SetString("0ffffffc0ffffffc0ffffffc0fffffff", 16)
	r, sum := little(key[:16]), new(big.Int)
	r.And(r, clamp)
	for block := range slices.Chunk(m, 16) {
		sum.Add(sum, little(append(slices.Clone(block), 1)))
		sum.Mod(sum.Mul(sum, r), prime)
	}
	sum.Add(sum, little(key[16:]))
	tag := sum.FillBytes(make([]byte, 17))[1:] // modulo 2^128
	slices.Reverse(tag)
	return tag
}
