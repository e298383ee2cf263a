// Package wire makes one HTTP exchange on one fresh connection.
//
// An [Exchanger] is either the package's own [Transport] or a caller's, wrapped
// in [Custom]. Unlike http.Transport, Transport pools nothing, starts no goroutine
// of its own over HTTP/1, and tells in a [Trace] how far an exchange got and where
// the time went.
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
	"example.com/checker/internal/target"
)

const (
	MaxHead = 256 << 10 // bytes of a response head, interim responses included
	MaxBody = 1 << 20   // bytes of a body that can be read
)

// A Stage is how far an exchange got.
type Stage uint8

const (
	Lookup  Stage = iota // looking the host up
	Connect              // opening a TCP connection
	TLS                  // the TLS handshake
	Send                 // sending the request
	Receive              // reading the head of the response
	Untold               // any of these: a caller's transport does not tell
)

// A Trace asks for details of one exchange and receives them.
//
// It belongs to one call of Exchange at a time. Stage and the fields below it
// are written by the goroutine that called Exchange and by no other, and are
// valid once Exchange has returned.
type Trace struct {
	// Watcher hears of the exchange while it goes on; nil for nobody.
	Watcher Watcher

	FreshDNS bool // look the host up anew
	told     bool // the Watcher, that the request was sent

	Stage Stage
	Sent  time.Time // when the request was sent, for the first time
	Times dial.Times
	TLS   time.Duration // the handshake
	First time.Duration // from the request sent to the first byte of the response
	Peer  netip.AddrPort
	State *tls.ConnectionState // nil before the server's certificate was seen
}

// markSent notes that the request has been written now, and tells the Watcher unless
// err, which writing it gave, is non-nil. It returns when.
func (tr *Trace) markSent(err error) time.Time {
	now := time.Now()
	if tr.Sent.IsZero() {
		tr.Sent = now
	}
	if tr.Watcher != nil && err == nil && !tr.told {
		tr.told = true
		tr.Watcher.Sent()
	}
	return now
}

// A Watcher hears of one exchange, from the goroutine that makes it.
type Watcher interface {
	// Sent is called once, when the request has been sent or, by [Custom], when it
	// is about to be.
	Sent()

	// Again is asked before another connection is made, for HTTP/2 or for certificates
	// that cannot be parsed. Its error ends the exchange.
	Again(context.Context) error
}

// An Exchanger makes one HTTP exchange: it sends req and returns the first final
// response. ctx bounds the exchange up to the closing of the body, of which at
// most MaxBody bytes can be read. The error is that of the step that failed; tr
// tells which one.
type Exchanger interface {
	Exchange(ctx context.Context, req Request, tr *Trace) (*http.Response, error)
}

// A Transport makes one exchange per connection and closes the connection with
// the response's body. It is safe for concurrent use.
type Transport struct {
	Dialer dial.Dialer
	Config *tls.Config // the base of each connection's; not modified

	// Keep returns the names of the fields to keep of a response with that status
	// code; nil keeps none. Without a Keep all are kept, as they are over HTTP/2.
	Keep func(code int) []string

	// Roots returns the root certificates to use if Config has none.
	Roots func() (*x509.CertPool, error)
}

// A protocol is a version of HTTP, spoken on a connection that stands.
type protocol interface {
	name() string // as in ALPN
	exchange(ctx context.Context, c *conn, req Request, tr *Trace) (*http.Response, error)
}

// Exchange implements [Exchanger]. It speaks HTTP/1.1, and HTTP/2 on another
// connection if the server seems to speak nothing else; another is also made where
// crypto/tls could not parse the certificates. The Request of the response is for the
// caller to set.
func (t *Transport) Exchange(ctx context.Context, req Request, tr *Trace) (*http.Response, error) {
	resp, err := t.speak(ctx, http1{t.Keep}, req, tr)
	if unseen(err, tr) {
		return t.withoutStrays(ctx, req, tr, err)
	}
	if _, only2 := errors.AsType[*only2Error](err); !only2 {
		return resp, err
	}
	before := *tr
	if tr.Watcher != nil {
		if err := tr.Watcher.Again(ctx); err != nil {
			return nil, err
		}
	}
	resp, err2 := t.speak(ctx, http2{}, req, tr)
	if errors.Is(err2, errNoHTTP2) {
		*tr = before
		return nil, err
	}
	return resp, err2
}

// speak makes the exchange in one protocol, on a connection of its own. That is closed
// here unless the response has it, whatever a caller's code does on the way.
func (t *Transport) speak(ctx context.Context, p protocol, req Request, tr *Trace) (resp *http.Response, err error) {
	c, err := t.connect(ctx, req.URL, tr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if resp == nil {
			c.drop()
		}
	}()
	if req.URL.Scheme == "https" {
		start := time.Now()
		if err := t.secure(ctx, c, req.URL, p, tr); err != nil {
			return nil, c.why(ctx, start, err)
		}
	}
	resp, err = p.exchange(ctx, c, req, tr)
	if err != nil {
		// With TLS 1.3 the server's word on the client's certificate, or on the want
		// of one, comes with the first read. Up to TLS 1.2 what comes as late is of a
		// renegotiation, which belongs to the answer.
		if _, ok := Alert(err); ok && tr.First == 0 && tr.State != nil && tr.State.Version == tls.VersionTLS13 {
			tr.Stage = TLS
		}
		return nil, c.why(ctx, tr.Sent, err)
	}
	return resp, nil
}

// connect connects to the host of u.
func (t *Transport) connect(ctx context.Context, u *url.URL, tr *Trace) (*conn, error) {
	host, port := target.Host(u)
	tr.Stage = Lookup
	dc, times, err := t.Dialer.Dial(ctx, host, port, tr.FreshDNS)
	tr.Times = times
	if err != nil {
		if !dial.LookupFailed(err) {
			tr.Stage = Connect
		}
		return nil, err
	}
	tr.Stage, tr.Peer = Connect, dc.Peer
	return newConn(ctx, dc.Conn), nil
}

// secure shakes hands with the host of u.
func (t *Transport) secure(ctx context.Context, c *conn, u *url.URL, p protocol, tr *Trace) error {
	tr.Stage, c.raw.shaking = TLS, true
	start := time.Now()
	host, _ := target.Host(u)
	conf, err := t.config(serverName(host), p.name())
	if err == nil {
		if s, ok := p.(shaker); ok {
			err = s.shake(c, ctx, conf, tr)
		} else {
			err = c.handshake(ctx, &c.raw, conf, tr)
		}
	}
	tr.TLS = time.Since(start)
	c.raw.shaking = false
	return err
}

// config returns the TLS configuration of a connection to a host.
func (t *Transport) config(name, proto string) (*tls.Config, error) {
	conf := t.Config.Clone()
	conf.NextProtos = []string{proto}
	if proto == "h2" { // RFC 9113, section 9.2.1
		conf.Renegotiation = tls.RenegotiateNever
	}
	if conf.ServerName == "" {
		conf.ServerName = name
	}
	if conf.RootCAs == nil && !conf.InsecureSkipVerify && t.Roots != nil {
		var err error
		if conf.RootCAs, err = t.Roots(); err != nil {
			return nil, err
		}
	}
	return conf, nil
}
