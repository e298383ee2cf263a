package wire

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
)

// Servers send certificates that crypto/x509 cannot parse: with a negative serial
// number, with a URI that is no URL, or what is no certificate at all. crypto/tls ends
// the handshake at any of them, although only the leaf and its issuers matter;
// browsers pass over the others. In TLS 1.3 nothing can be done about it: the server
// signs all that it has sent, and crypto/tls verifies that of all that it has read.
//
// In TLS 1.2 the server signs its key exchange only, and what was said is held
// together by the Finished messages. A pruner is a connection below TLS 1.2 that
// takes what cannot be parsed out of the server's Certificate message, and makes the
// Finished messages of both sides fit what either of them has seen. It verifies the
// server's first, so nobody between can do what it does.
//
// The extended master secret (RFC 7627) would make the keys depend on all that was
// said and is hidden from the server. What it is for, client certificates and
// resumption, such a connection does not have.
type pruner struct {
	net.Conn
	master []byte // the secret, by the key log

	hello  []byte       // the client's random number and the server's
	suite  pruned       // what they agreed on
	client bytes.Buffer // the handshake as the client has seen it
	server bytes.Buffer // and as the server has

	message       bytes.Buffer // of the server, not yet whole
	ready         bytes.Buffer // for the client
	clientChanged bool         // the client encrypts from now on
	serverChanged bool
	done          bool
	strays        []stray // what was taken out
}

// A stray is a certificate that cannot be parsed.
type stray struct {
	cert *x509.Certificate // what can be read of it
	err  error
}

var (
	errNoStrays = errors.New("all certificates can be parsed")
	errPruner   = errors.New("the handshake is not as it should be")
)

// Records and messages of TLS 1.2: RFC 5246, sections 6.2.1 and 7.4.
const (
	recordChange, recordAlert, recordHandshake = 20, 21, 22

	messageClientHello, messageServerHello = 1, 2
	messageCertificate, messageFinished    = 11, 20

	maxRecord    = 16 << 10
	maxHandshake = 1 << 20 // what is kept of a handshake
)

// prune returns a configuration for tls.Client on p.
func (p *pruner) prune(conf *tls.Config) *tls.Config {
	conf = conf.Clone()
	conf.MinVersion, conf.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	conf.Renegotiation = tls.RenegotiateNever
	conf.Certificates, conf.GetClientCertificate = nil, nil
	allowed := conf.CipherSuites
	conf.CipherSuites = []uint16{} // nil would be the default
	for id := range prunedSuites {
		if allowed == nil || slices.Contains(allowed, id) {
			conf.CipherSuites = append(conf.CipherSuites, id)
		}
	}
	conf.KeyLogWriter = keyLog{"CLIENT_RANDOM", &p.master, conf.KeyLogWriter}
	return conf
}

// Write implements [net.Conn]. crypto/tls writes whole records.
func (p *pruner) Write(b []byte) (int, error) {
	var out []byte
	for rest := b; len(rest) > 0; {
		n := 5
		if len(rest) >= n {
			n += int(binary.BigEndian.Uint16(rest[3:]))
		}
		if n > len(rest) {
			return 0, errPruner
		}
		record, err := p.fromClient(rest[:n])
		if err != nil {
			return 0, err
		}
		out, rest = append(out, record...), rest[n:]
	}
	if _, err := p.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// fromClient returns a record of the client as the server is to see it.
func (p *pruner) fromClient(record []byte) ([]byte, error) {
	body := record[5:]
	switch {
	case p.done:
	case record[0] == recordChange:
		p.clientChanged = true
	case record[0] != recordHandshake:
	case p.clientChanged:
		return p.finish("client finished", make([]byte, 8))
	default:
		p.client.Write(body)
		if body[0] == messageClientHello {
			record = bytes.Clone(record)
			body = record[5:]
			if !hideEMS(body) {
				return nil, errPruner
			}
			p.hello = bytes.Clone(body[6:38])
		}
		p.server.Write(body)
	}
	return record, nil
}

// Read implements [net.Conn].
func (p *pruner) Read(b []byte) (int, error) {
	for !p.done && p.ready.Len() == 0 {
		if err := p.more(); err != nil {
			return 0, err
		}
	}
	if p.ready.Len() > 0 {
		return p.ready.Read(b)
	}
	return p.Conn.Read(b)
}

// more reads a record of the server.
func (p *pruner) more() error {
	record := make([]byte, 5)
	if _, err := io.ReadFull(p.Conn, record); err != nil {
		return err
	}
	body := make([]byte, binary.BigEndian.Uint16(record[3:]))
	if len(body) == 0 { // of which there might be no end
		return errPruner
	}
	if _, err := io.ReadFull(p.Conn, body); err != nil {
		return err
	}
	switch {
	case record[0] == recordChange:
		p.serverChanged = true
	case record[0] != recordHandshake:
	case p.serverChanged:
		if err := p.checkFinished(body); err != nil {
			return err
		}
		record, err := p.finish("server finished", body[:8])
		p.ready.Write(record)
		p.done = true
		return err
	default:
		p.message.Write(body)
		return p.messages()
	}
	p.ready.Write(record)
	p.ready.Write(body)
	return nil
}

// messages passes on what has come whole of the server's messages.
func (p *pruner) messages() error {
	for {
		b := p.message.Bytes()
		if len(b) < 4 {
			return nil
		}
		n := 4 + uint24(b[1:])
		if n > maxHandshake || p.server.Len() > maxHandshake {
			return errPruner
		}
		if len(b) < n {
			return nil
		}
		m := bytes.Clone(p.message.Next(n))
		p.server.Write(m)
		if suite, ok := agreedSuite(m); ok {
			p.hello = append(p.hello, m[6:38]...)
			p.suite = prunedSuites[suite]
		}
		if m[0] == messageCertificate {
			var err error
			if m, err = p.withoutStrays(m); err != nil {
				return err
			}
		}
		p.client.Write(m)
		for rest := m; len(rest) > 0; {
			n := min(len(rest), maxRecord)
			p.ready.Write([]byte{recordHandshake, 3, 3, byte(n >> 8), byte(n)})
			p.ready.Write(rest[:n])
			rest = rest[n:]
		}
	}
}

// withoutStrays returns a Certificate message without what cannot be parsed.
func (p *pruner) withoutStrays(m []byte) ([]byte, error) {
	var kept []byte
	if len(m) < 7 || uint24(m[4:]) != len(m)-7 {
		return nil, errPruner
	}
	for rest := m[7:]; len(rest) > 0; {
		if len(rest) < 3 || len(rest) < 3+uint24(rest) {
			return nil, errPruner
		}
		n := 3 + uint24(rest)
		_, err := x509.ParseCertificate(rest[3:n])
		switch {
		case err == nil:
			kept = append(kept, rest[:n]...)
		case len(kept) == 0:
			return nil, &UnparsableError{Leaf: lenient(rest[3:n]), Err: err}
		default:
			p.strays = append(p.strays, stray{lenient(rest[3:n]), err})
		}
		rest = rest[n:]
	}
	if len(p.strays) == 0 {
		return nil, errNoStrays
	}
	out := append([]byte{messageCertificate}, put24(3+len(kept))...)
	return append(append(out, put24(len(kept))...), kept...), nil
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

func put24(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
