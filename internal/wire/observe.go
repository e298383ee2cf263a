package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"hash"
	"iter"
	"net"
)

// An observer is a connection below TLS that keeps what the server says in the
// handshake. What cannot be parsed cannot always be passed over, as in TLS 1.3, but it
// can be told. There certificates are encrypted, by a key that the key log has.
type observer struct {
	net.Conn
	secret []byte // by which the server's handshake is encrypted
	seen   bytes.Buffer
}

// observe returns a configuration for tls.Client on o.
func (o *observer) observe(conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	conf.KeyLogWriter = keyLog{"SERVER_HANDSHAKE_TRAFFIC_SECRET", &o.secret, conf.KeyLogWriter}
	return conf
}

// Read implements [net.Conn].
func (o *observer) Read(b []byte) (int, error) {
	n, err := o.Conn.Read(b)
	if o.seen.Len() < maxHandshake {
		o.seen.Write(b[:n])
	}
	return n, err
}

// unparsable returns which of the certificates cannot be parsed, or nil.
func (o *observer) unparsable() error {
	clear, sealed := o.handshake()
	for m := range messagesIn(clear) {
		if m[0] == messageCertificate && len(m) > 7 {
			return firstUnparsable(m[7:], false)
		}
	}
	for m := range messagesIn(sealed) {
		if m[0] == messageCertificate && len(m) > 8 {
			return firstUnparsable(m[8:], true)
		}
	}
	return nil
}

// firstUnparsable looks at the entries of a Certificate message, which have extensions
// in TLS 1.3 (RFC 8446, section 4.4.2).
func firstUnparsable(entries []byte, extended bool) error {
	for first := true; len(entries) >= 3; first = false {
		n := 3 + uint24(entries)
		if len(entries) < n {
			return nil
		}
		der := entries[3:n]
		if _, err := x509.ParseCertificate(der); err != nil {
			bad := &UnparsableError{Err: err}
			if first {
				bad.Leaf = lenient(der)
			}
			return bad
		}
		entries = entries[n:]
		if extended && len(entries) >= 2 {
			entries = entries[min(len(entries), 2+int(binary.BigEndian.Uint16(entries))):]
		}
	}
	return nil
}

// handshake returns what the server said in clear, and what it encrypted, as far as
// that can be read.
func (o *observer) handshake() (clear, sealed []byte) {
	const recordData = 23
	var open opener
	var iv []byte
	var number uint64
	for rest := o.seen.Bytes(); len(rest) >= 5; {
		n := 5 + int(binary.BigEndian.Uint16(rest[3:]))
		if len(rest) < n {
			break
		}
		head, body := rest[:5], rest[5:n]
		rest = rest[n:]
		switch {
		case head[0] == recordHandshake:
			clear = append(clear, body...)
			if suite, ok := agreedSuite(body); ok {
				open, iv = o.key(suite)
			}
		case head[0] == recordData && open != nil:
			nonce := bytes.Clone(iv)
			for i := range 8 {
				nonce[4+i] ^= byte(number >> (56 - 8*i))
			}
			number++
			inner, err := open(nonce, body, head)
			if err != nil {
				return clear, sealed
			}
			if inner = bytes.TrimRight(inner, "\x00"); len(inner) > 0 && inner[len(inner)-1] == recordHandshake {
				sealed = append(sealed, inner[:len(inner)-1]...)
			}
		}
	}
	return clear, sealed
}

// An opener opens a record by a key.
type opener func(nonce, sealed, head []byte) ([]byte, error)

// key returns what a cipher suite makes of the secret (RFC 8446, section 7.3), or nil
// if it is none that an observer knows.
func (o *observer) key(suite uint16) (open opener, iv []byte) {
	h := func() hash.Hash { return sha256.New() }
	if suite == tls.TLS_AES_256_GCM_SHA384 {
		h = sha512.New384
	}
	expand := func(label string, n int) []byte {
		label = "tls13 " + label
		info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
		out, _ := hkdf.Expand(h, o.secret, string(append(info, 0)), n)
		return out
	}
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
		open = openGCM(expand("key", 16))
	case tls.TLS_AES_256_GCM_SHA384:
		open = openGCM(expand("key", 32))
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		key := expand("key", 32)
		open = func(nonce, sealed, head []byte) ([]byte, error) { return openChaCha(key, nonce, sealed, head) }
	}
	return open, expand("iv", 12)
}

func openGCM(key []byte) opener {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	return func(nonce, sealed, head []byte) ([]byte, error) { return aead.Open(nil, nonce, sealed, head) }
}

// messagesIn yields the messages of a handshake that have come whole.
func messagesIn(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) >= 4 {
			n := 4 + uint24(b[1:])
			if len(b) < n || !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// agreedSuite returns the cipher suite that a message chooses, if it is a ServerHello.
// The suite stands behind the session, whose length varies.
func agreedSuite(m []byte) (suite uint16, ok bool) {
	if len(m) <= 38 || m[0] != messageServerHello || len(m) < 39+int(m[38])+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(m[39+int(m[38]):]), true
}
