package wire

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// handshake makes c a TLS connection over nc. The connection's state is kept even if
// verification fails: what is wrong with a certificate is best told by showing
// it. conf is this connection's alone.
func (c *conn) handshake(ctx context.Context, nc net.Conn, conf *tls.Config, tr *Trace) error {
	c.below = &below{Conn: nc}
	c.below.watch(ctx, conf)
	conf.GetClientCertificate = c.below.clientCertificate(conf)
	tc := tls.Client(c.below, conf)
	// Not HandshakeContext: it starts a goroutine to interrupt the handshake,
	// and the connection's deadline does that already.
	err := tc.Handshake()
	state := tc.ConnectionState()
	_, lost := errors.AsType[*net.OpError](err)
	switch {
	case err == nil && !conf.InsecureSkipVerify:
		err = cmp.Or(checkName(&state, conf.ServerName), checkUsage(&state))
	case err != nil && WeakKey(state.PeerCertificates) > 0 && !lost && !errors.Is(err, io.EOF):
		// crypto/rsa refuses such a key when it verifies with it, which has no
		// type of its own.
		err = &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		state.PeerCertificates = bad.UnverifiedCertificates
		if conf.Time != nil {
			err = &ClockError{conf.Time(), err}
		}
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

// WeakKey returns how many bits the leaf's RSA key has, if that is under 1024, the
// least that crypto/rsa takes, and 0 otherwise.
func WeakKey(chain []*x509.Certificate) (bits int) {
	if len(chain) == 0 {
		return 0
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() >= 1024 {
		return 0
	}
	return key.N.BitLen()
}

// A UsageError says that a certificate is not for what its key did in a handshake.
// crypto/x509 does not look, since many authorities got it wrong; browsers do,
// for the leaf.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// checkName refuses what crypto/x509 takes for a host's name in the leaf and neither
// browsers nor curl do: a wildcard for all domains of a registry, such as *.com. They
// refuse *.test as well, but a whole domain of one's own network is its owner's.
func checkName(state *tls.ConnectionState, host string) error {
	leaf := state.PeerCertificates[0]
	_, parent, _ := strings.Cut(serverName(host), ".")
	if suffix, registry := publicsuffix.PublicSuffix(parent); !registry || suffix != parent {
		return nil
	}
	wild := func(name string) bool { return strings.EqualFold(serverName(name), "*."+parent) }
	own := func(name string) bool { return strings.EqualFold(serverName(name), serverName(host)) }
	if !slices.ContainsFunc(leaf.DNSNames, wild) || slices.ContainsFunc(leaf.DNSNames, own) {
		return nil
	}
	err := x509.HostnameError{Certificate: leaf, Host: host}
	return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
}

// checkUsage looks at the key usage of the leaf, if it has one (RFC 5280, section
// 4.2.1.3): its key has signed the handshake. With key exchange by RSA it has not,
// and what it did there is looked at by few.
func checkUsage(state *tls.ConnectionState) error {
	leaf := state.PeerCertificates[0]
	if leaf.KeyUsage == 0 || leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0 || slices.Contains(RSAKeyExchange, state.CipherSuite) {
		return nil
	}
	role := "not for this handshake"
	if leaf.IsCA {
		role = "an authority's and not a server's"
	}
	err := &UsageError{"it is " + role + ": its key usage lacks digitalSignature"}
	return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
}

// RSAKeyExchange has the suites of RSA key exchange that Chromium offers.
var RSAKeyExchange = []uint16{
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
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

// ofTLS returns what the TLS layer reported as a TLSError if it is about TLS and
// its type does not say so.
func (c *conn) ofTLS(err error) error {
	// Who sent an alert had found a fault before the connection had one.
	if err == nil || err == io.EOF || c.below.failed.Load() && c.below.alert == 0 {
		return err
	}
	if _, ok := Alert(err); ok {
		return &AlertError{c.below.asked, err}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok { // an alert of ours
		return err
	}
	return &TLSError{err, c.below.alert}
}

// An AlertError is an alert from the peer. Its number is that of [Alert].
type AlertError struct {
	Asked bool // the peer had asked for a client certificate before
	err   error
}

func (e *AlertError) Error() string { return e.err.Error() }

// Unwrap returns the error of crypto/tls.
func (e *AlertError) Unwrap() error { return e.err }

// A ClockError is a certificate's, where the caller's configuration has a clock.
type ClockError struct {
	At  time.Time // what it showed
	Err error
}

func (e *ClockError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ClockError) Unwrap() error { return e.Err }

// A TLSError is an error of the TLS layer, while the connection below it was well.
type TLSError struct {
	Err   error
	Alert uint8 // that was sent for it; 0 if none was, or an encrypted one
}

func (e *TLSError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *TLSError) Unwrap() error { return e.Err }
