package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"encoding/binary"
	"hash"
)

// A pruned is what a cipher suite of TLS 1.2 is made of, of those that a pruner knows.
type pruned struct {
	keyLen int
	hash   func() hash.Hash
}

var prunedSuites = map[uint16]pruned{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: {16, sha256.New},
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:   {16, sha256.New},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: {32, sha512.New384},
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:   {32, sha512.New384},
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256:         {16, sha256.New},
	tls.TLS_RSA_WITH_AES_256_GCM_SHA384:         {32, sha512.New384},
}

// side returns the AES-GCM of one side and the part of its nonces that is not sent
// (RFC 5288, section 3).
func (p *pruner) side(label string) (cipher.AEAD, []byte, error) {
	if p.suite.keyLen == 0 || p.master == nil || len(p.hello) != 64 {
		return nil, nil, errPruner
	}
	n := p.suite.keyLen
	seed := append(bytes.Clone(p.hello[32:]), p.hello[:32]...)
	keys := prf(p.suite.hash, p.master, "key expansion", seed, 2*n+8)
	key, salt := keys[:n], keys[2*n:2*n+4]
	if label == "server finished" {
		key, salt = keys[n:2*n], keys[2*n+4:]
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, salt, err
}

// finished returns the Finished message that belongs to what one side has seen.
func (p *pruner) finished(label string, seen *bytes.Buffer) []byte {
	h := p.suite.hash()
	h.Write(seen.Bytes())
	return append([]byte{messageFinished, 0, 0, 12}, prf(p.suite.hash, p.master, label, h.Sum(nil), 12)...)
}

// finishedData is what the cipher binds a Finished to: it is the first record of its
// side that is encrypted.
var finishedData = []byte{0, 0, 0, 0, 0, 0, 0, 0, recordHandshake, 3, 3, 0, 16}

// finish returns the record with the Finished of one side that fits what the other
// has seen. It takes the nonce of the record that it replaces. Two records by one key
// and nonce would give the key of AES-GCM away, but only one of them is ever on the
// wire: the client's own stays here, and so does the replacement of the server's.
func (p *pruner) finish(label string, nonce []byte) ([]byte, error) {
	aead, salt, err := p.side(label)
	if err != nil {
		return nil, err
	}
	reader := &p.server
	if label == "server finished" {
		reader = &p.client
	}
	m := p.finished(label, reader)
	p.sign(label)
	record := append([]byte{recordHandshake, 3, 3, 0, byte(8 + len(m) + aead.Overhead())}, nonce...)
	return aead.Seal(record, append(bytes.Clone(salt), nonce...), m, finishedData), nil
}

// sign adds the client's Finished to what both have seen, each as it saw it. The
// server's is the last message, and nothing is computed over it.
func (p *pruner) sign(label string) {
	if label == "client finished" {
		forServer, forClient := p.finished(label, &p.server), p.finished(label, &p.client)
		p.server.Write(forServer)
		p.client.Write(forClient)
	}
}

// checkFinished verifies that the server has seen what it was sent.
func (p *pruner) checkFinished(body []byte) error {
	const label = "server finished"
	aead, salt, err := p.side(label)
	if err != nil {
		return err
	}
	if len(body) != 8+16+aead.Overhead() {
		return errPruner
	}
	m, err := aead.Open(nil, append(bytes.Clone(salt), body[:8]...), body[8:], finishedData)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(m, p.finished(label, &p.server)) != 1 {
		return errPruner
	}
	return nil
}

// hideEMS makes the extension of a ClientHello that offers the extended master secret
// one that nobody knows (RFC 8701).
func hideEMS(m []byte) bool {
	const ems, reserved = 23, 0x1a1a
	rest := m[min(38, len(m)):]            // after the random number
	for _, width := range []int{1, 2, 1} { // session, suites, compressions
		if len(rest) < width {
			return false
		}
		n := int(rest[0])
		if width == 2 {
			n = n<<8 | int(rest[1])
		}
		if len(rest) < width+n {
			return false
		}
		rest = rest[width+n:]
	}
	for rest = rest[min(2, len(rest)):]; len(rest) >= 4; {
		if binary.BigEndian.Uint16(rest) == ems {
			binary.BigEndian.PutUint16(rest, reserved)
			return true
		}
		rest = rest[min(len(rest), 4+int(binary.BigEndian.Uint16(rest[2:]))):]
	}
	return true
}

// prf is the pseudorandom function of TLS 1.2 (RFC 5246, section 5).
func prf(h func() hash.Hash, secret []byte, label string, seed []byte, n int) (out []byte) {
	seed = append([]byte(label), seed...)
	sum := func(parts ...[]byte) []byte {
		mac := hmac.New(h, secret)
		for _, part := range parts {
			mac.Write(part)
		}
		return mac.Sum(nil)
	}
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}
