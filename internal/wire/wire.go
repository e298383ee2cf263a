// Package wire makes one HTTP exchange on one fresh connection.
//
// [Transport] is an [http.RoundTripper] for requests without a body. Unlike
// http.Transport it pools nothing, starts no goroutine, and tells in a [Trace]
// how far an exchange got and where the time went.
package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/target"
)

const (
	MaxHead = 64 << 10 // bytes of a response head, interim responses included
	MaxBody = 1 << 20  // bytes of a body that can be read
)

// A Stage is how far an exchange got.
type Stage uint8

const (
	Lookup  Stage = iota // looking the host up
	Connect              // opening a TCP connection
	TLS                  // the TLS handshake
	Send                 // sending the request
	Receive              // reading the head of the response
)

// A Trace asks for details of one exchange and receives them.
//
// It belongs to one call of Exchange at a time. Stage and the fields below it
// are written by the goroutine that called Exchange and no other, and are valid
// once Exchange has returned: what connects beside it reports to it and never
// writes here, so no lock is needed and none is taken.
type Trace struct {
	Fresh bool // look the host up anew

	// Slow is called, if it is not nil, when the head of the response is not
	// there Patience after the request was sent, and again for every further
	// connection that the exchange takes from then on, from any goroutine. It
	// must not block.
	Slow     func(in Interrupter)
	Patience time.Duration

	Stage Stage
	Sent  time.Time // when the request was sent, for the first time
	Times dial.Times
	TLS   time.Duration // the handshake
	First time.Duration // from the request sent to the first byte of the response
	Peer  netip.AddrPort
	State *tls.ConnectionState // nil before the server's certificate was seen
}

// markSent notes that the request was sent now, and returns that.
func (tr *Trace) markSent() time.Time {
	now := time.Now()
	if tr.Sent.IsZero() {
		tr.Sent = now
	}
	return now
}

// slowAt returns when Slow is to be called.
func (tr *Trace) slowAt() time.Time { return tr.Sent.Add(tr.Patience) }

// Late reports whether it is time for Slow already.
func (tr *Trace) Late() bool {
	return tr.Slow != nil && !tr.Sent.IsZero() && !time.Now().Before(tr.slowAt())
}

// An Interrupter ends an exchange that is under way, from another goroutine.
type Interrupter interface{ Interrupt() }

// A Transport makes one exchange per connection and closes the connection with
// the response's body. It is safe for concurrent use.
type Transport struct {
	Dialer dial.Dialer
	Config *tls.Config // the base of each connection's; not modified

	// Keep returns the names of the fields to keep of a response with that status
	// code; nil keeps none. Without a Keep all are kept, as they are by Exchange2.
	Keep func(code int) []string

	// Roots returns the root certificates to use if Config has none.
	Roots func() (*x509.CertPool, error)
}

// RoundTrip implements [http.RoundTripper]. The request must have no body.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Exchange(req.Context(), requestOf(req), new(Trace))
	if err != nil {
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// Exchange sends req and returns the first final response; its Request is for
// the caller to set. ctx bounds the exchange up to the closing of the body, of
// which at most MaxBody bytes can be read.
//
// The error is that of the step that failed; tr tells which one. It wraps an
// [HTTP2Error] if it may be that the server speaks HTTP/2 only.
func (t *Transport) Exchange(ctx context.Context, req *Request, tr *Trace) (*http.Response, error) {
	c, err := t.open(ctx, req.URL, tr, "http/1.1")
	if err != nil {
		return nil, err
	}
	resp, err := c.exchange(req, tr, t.Keep)
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	return resp, nil
}

// open connects to the host of u and, for https, shakes hands.
func (t *Transport) open(ctx context.Context, u *url.URL, tr *Trace, proto string) (*conn, error) {
	host, port := target.Host(u)
	tr.Stage = Lookup
	dc, times, err := t.Dialer.Dial(ctx, host, port, tr.Fresh)
	tr.Times = times
	if err != nil {
		if _, ok := errors.AsType[*dial.LookupError](err); !ok {
			tr.Stage = Connect
		}
		return nil, err
	}
	tr.Stage, tr.Peer = Connect, dc.Peer
	c := newConn(ctx, dc.Conn)
	if u.Scheme != "https" {
		return c, nil
	}
	tr.Stage = TLS
	start := time.Now()
	conf, err := t.config(serverName(host), proto)
	if err == nil {
		err = c.handshake(conf, tr)
	}
	tr.TLS = time.Since(start)
	if err != nil {
		return nil, c.fail(ctx, err)
	}
	return c, nil
}

// config returns the TLS configuration of a connection to a host.
func (t *Transport) config(name, proto string) (*tls.Config, error) {
	conf := t.Config.Clone()
	conf.NextProtos = []string{proto}
	if conf.ServerName == "" {
		conf.ServerName = name
	}
	if own := conf.GetClientCertificate; own != nil {
		conf.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := own(info)
			if err != nil {
				err = &hook.Error{Err: err}
			}
			return cert, err
		}
	}
	if conf.RootCAs == nil && !conf.InsecureSkipVerify && t.Roots != nil {
		var err error
		if conf.RootCAs, err = t.Roots(); err != nil {
			return nil, err
		}
	}
	return conf, nil
}
