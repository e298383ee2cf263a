package wire

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"example.com/checker/internal/hook"
)

// An HTTP2Error is an error that a server gives that speaks HTTP/2 only: see
// Exchange2.
type HTTP2Error struct{ Err error }

func (e *HTTP2Error) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *HTTP2Error) Unwrap() error { return e.Err }

// A conn is a connection that its context's end interrupts.
type conn struct {
	net.Conn          // the TLS connection, once there is one
	raw      net.Conn // the connection below it
	stop     func() bool

	slow    func(Interrupter) // called once when the peer is silent for too long
	patient bool              // the deadline for reading is that of slow
	timer   *time.Timer       // of slow, where it has one

	body body // of the response

	mu          sync.Mutex
	interrupted bool
}

// newConn ties nc to ctx by a function that runs when ctx ends, and only then:
// it costs no goroutine before.
func newConn(ctx context.Context, nc net.Conn) *conn {
	c := &conn{Conn: nc, raw: nc}
	c.stop = context.AfterFunc(ctx, c.Interrupt)
	return c
}

// Interrupt ends whatever reads or writes, at once: by a deadline in the past or,
// where that is not to be had, by closing. The connection may be a caller's and
// panic, on a goroutine where nobody else would recover.
func (c *conn) Interrupt() {
	if c.expire() != nil {
		hook.Close(c.raw)
	}
}

func (c *conn) expire() (err error) {
	defer hook.Recovered(&err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupted = true
	return c.raw.SetDeadline(time.Unix(1, 0))
}

// readBy sets the deadline for reading, zero for none, unless c was interrupted.
func (c *conn) readBy(d time.Time) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.interrupted && c.raw.SetReadDeadline(d) == nil
}

// await has slow called if what is read next is not there by d. The deadline of
// a TCP connection costs less than a timer, and a read that has met it can be
// made again, which may be otherwise with TLS and with connections of a caller.
func (c *conn) await(d time.Time, slow func(Interrupter)) {
	if _, ok := c.Conn.(*net.TCPConn); !ok {
		c.timer = time.AfterFunc(time.Until(d), func() { slow(c) })
		return
	}
	c.slow, c.patient = slow, true
	c.readBy(d)
}

// awaited says that it is there.
func (c *conn) awaited() {
	c.slow = nil
	if c.timer != nil {
		c.timer.Stop()
	}
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	// The kernel has a timeout of its own, which is final.
	if n > 0 || !c.patient || !errors.Is(err, os.ErrDeadlineExceeded) || !c.readBy(time.Time{}) {
		return n, err
	}
	c.patient = false
	if c.slow != nil {
		c.slow(c)
	}
	return c.Conn.Read(p)
}

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

// handshake makes c a TLS connection. The connection's state is kept also if
// verification fails: what is wrong with a certificate is best told by showing
// it.
func (c *conn) handshake(conf *tls.Config, tr *Trace) error {
	tc := tls.Client(timed{c.raw}, conf)
	// Not HandshakeContext: it starts a goroutine to interrupt the handshake,
	// and the connection's deadline does that already.
	err := tc.Handshake()
	state := tc.ConnectionState()
	if err != nil && weakKey(state.PeerCertificates) && !has[*net.OpError](err) && !errors.Is(err, io.EOF) {
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
	if isAlert(err, alertNoProtocol) {
		return &HTTP2Error{err}
	}
	c.Conn = tc
	return err
}

// timed is a connection whose deadline is that of its context. The one that
// crypto/tls sets for its last words, five seconds from then, may be later.
type timed struct{ net.Conn }

func (timed) SetWriteDeadline(time.Time) error { return nil }

// weakKey reports whether the leaf has an RSA key of under 1024 bits, the least
// that crypto/rsa takes.
func weakKey(chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() < 1024
}

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

const alertNoProtocol = 120 // no_application_protocol, RFC 7301, section 3.2

// isAlert reports whether err is a TLS alert of that number from the peer.
// crypto/tls gives the alerts of TCP connections a type that is not exported,
// so the number is read from the kind of its type.
func isAlert(err error, number uint64) bool {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return false
	}
	v := reflect.ValueOf(op.Err)
	return v.Kind() == reflect.Uint8 && v.Uint() == number
}

// serverName returns host as TLS wants it: without the dot of a rooted name.
func serverName(host string) string { return strings.TrimSuffix(host, ".") }
