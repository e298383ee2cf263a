package wire

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// The vector of RFC 8439, section 2.8.2, and what is not by its key.
func TestOpenChaCha(t *testing.T) {
	key := unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
	nonce, head := unhex("070000004041424344454647"), unhex("50515253c0c1c2c3c4c5c6c7")
	sealed := unhex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
		"3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
		"92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
		"3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")
	const want = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
	if got, err := openChaCha(key, nonce, sealed, head); string(got) != want || err != nil {
		t.Errorf("openChaCha() = %q, %v; want %q", got, err, want)
	}
	for i := range sealed {
		other := bytes.Clone(sealed)
		other[i] ^= 1
		if got, err := openChaCha(key, nonce, other, head); err == nil {
			t.Errorf("openChaCha() with byte %d changed = %q; want an error", i, got)
		}
	}
	for _, bad := range [][]byte{nil, sealed[:15], sealed[:16], sealed[1:], slices.Concat(sealed, sealed)} {
		if got, err := openChaCha(key, nonce, bad, head); err == nil {
			t.Errorf("openChaCha(%x) = %q; want an error", bad, got)
		}
	}
	if got, err := openChaCha(key, nonce, sealed, head[1:]); err == nil {
		t.Errorf("openChaCha() of another record = %q; want an error", got)
	}
}

// Nothing can be sealed as well: a vector of Wycheproof.
func TestOpenChaChaNothing(t *testing.T) {
	key := unhex("80ba3192c803ce965ea371d5ff073cf0f43b6a2ab576b208426e11409c09b9b0")
	nonce, tag := unhex("4da5bf8dfd5852c1ea12379d"), unhex("76acb342cf3166a5b63c0c0ea1383c8d")
	if got, err := openChaCha(key, nonce, tag, nil); len(got) > 0 || err != nil {
		t.Errorf("openChaCha() of a tag alone = %x, %v; want nothing", got, err)
	}
}
