package wire

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"example.com/checker/internal/hook"
)

// A conn is a connection that its context's end interrupts.
type conn struct {
	net.Conn          // the TLS connection, once there is one
	raw      net.Conn // the connection below it
	below    *below   // the same, as TLS sees it; nil without
	stop     func() bool

	body body // of the response
}

// newConn ties nc to ctx by a function that runs when ctx ends, and only then:
// it costs no goroutine before.
func newConn(ctx context.Context, nc net.Conn) *conn {
	c := &conn{Conn: nc, raw: nc}
	c.stop = context.AfterFunc(ctx, c.interrupt)
	return c
}

// interrupt ends whatever reads or writes, at once: by a deadline in the past or,
// where that is not to be had, by closing. The connection may be a caller's and
// panic, on a goroutine where nobody else would recover.
func (c *conn) interrupt() {
	if c.expire() != nil {
		hook.Close(c.raw)
	}
}

func (c *conn) expire() (err error) {
	defer hook.Recovered(&err)
	return c.raw.SetDeadline(time.Unix(1, 0))
}

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.Conn != c.raw {
		err = c.ofTLS(err)
	}
	return n, err
}

// ofTLS returns what the TLS layer reported as a TLSError if it is about TLS and
// its type does not say so.
func (c *conn) ofTLS(err error) error {
	if err == nil || err == io.EOF || c.below.failed.Load() {
		return err
	}
	if _, ok := errors.AsType[*net.OpError](err); ok { // an alert
		return err
	}
	return &TLSError{err}
}

// A TLSError is an error of the TLS layer, while the connection below it was well.
type TLSError struct{ Err error }

func (e *TLSError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *TLSError) Unwrap() error { return e.Err }

// Close ends the connection in good order, and in time: the TLS layer says so to
// a peer that may not read.
func (c *conn) Close() error {
	defer c.stop()
	return c.Conn.Close()
}

// fail drops the connection and returns why: if ctx has ended, that is why
// whatever failed has failed. The TLS layer is passed over, since its Close
// may wait for a peer that does not read.
func (c *conn) fail(ctx context.Context, err error) error {
	c.stop()
	c.raw.Close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// handshake makes c a TLS connection. The connection's state is kept even if
// verification fails: what is wrong with a certificate is best told by showing
// it.
func (c *conn) handshake(conf *tls.Config, tr *Trace) error {
	c.below = &below{Conn: c.raw}
	tc := tls.Client(c.below, conf)
	// Not HandshakeContext: it starts a goroutine to interrupt the handshake,
	// and the connection's deadline does that already.
	err := tc.Handshake()
	state := tc.ConnectionState()
	_, lost := errors.AsType[*net.OpError](err)
	if err != nil && weakKey(state.PeerCertificates) && !lost && !errors.Is(err, io.EOF) {
		// crypto/rsa refuses such a key when it verifies with it, which has no
		// type of its own.
		err = &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		state.PeerCertificates = bad.UnverifiedCertificates
	}
	if len(state.PeerCertificates) > 0 {
		tr.State = &state
	}
	if number, ok := Alert(err); ok && number == alertNoProtocol {
		return &only2Error{err}
	}
	c.Conn = tc
	return c.ofTLS(err)
}

// below is the connection below TLS. Its deadline is that of its context: the one
// that crypto/tls sets for its last words, five seconds from then, may be later.
// It remembers whether it failed. Otherwise what crypto/tls reports is about TLS,
// and much of that has no type.
type below struct {
	net.Conn
	failed atomic.Bool
}

func (*below) SetWriteDeadline(time.Time) error { return nil }

func (b *below) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if err != nil {
		b.failed.Store(true)
	}
	return n, err
}

func (b *below) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p)
	if err != nil {
		b.failed.Store(true)
	}
	return n, err
}

// weakKey reports whether the leaf has an RSA key of under 1024 bits, the least
// that crypto/rsa takes.
func weakKey(chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() < 1024
}

const alertNoProtocol = 120 // no_application_protocol, RFC 7301, section 3.2

// Alert returns the number of the TLS alert from the peer that err is, if it is
// one. crypto/tls gives the alerts of TCP connections a type that is not exported,
// so the number is read from the kind of its type.
func Alert(err error) (number uint8, ok bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return uint8(v.Uint()), true
}

// serverName returns host as TLS wants it: without the dot of a rooted name.
func serverName(host string) string { return strings.TrimSuffix(host, ".") }
