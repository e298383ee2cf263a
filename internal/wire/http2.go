package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// http2 is HTTP/2, for a server that speaks nothing else: the connection is the
// package's own, and net/http speaks on it.
type http2 struct{}

func (http2) name() string { return "h2" }

// An only2Error is an error as a server gives it that speaks HTTP/2 only.
type only2Error struct{ err error }

func (e *only2Error) Error() string { return e.err.Error() }

// Unwrap returns the error.
func (e *only2Error) Unwrap() error { return e.err }

// errNoHTTP2 says that a server does not speak HTTP/2 after all.
var errNoHTTP2 = errors.New("the server does not speak HTTP/2")

// exchange implements protocol. The error is errNoHTTP2 before anything is sent
// if that was not agreed on.
func (http2) exchange(ctx context.Context, c *conn, req Request, tr *Trace) (*http.Response, error) {
	if tr.State == nil || tr.State.NegotiatedProtocol != "h2" {
		return nil, errNoHTTP2
	}
	tr.Stage = Receive
	sent := tr.markSent(nil)
	dialed := false
	ht := &http.Transport{
		// After some errors net/http asks again by itself.
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			if dialed {
				return nil, errNoAnswer
			}
			dialed = true
			return c.Conn, nil
		},
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{NextProtos: []string{"h2"}},
		DisableCompression:     true,
		MaxResponseHeaderBytes: MaxHead,
	}
	asked := req.HTTP(ctx)
	asked.Host = req.host()
	resp, err := ht.RoundTrip(asked)
	if err != nil {
		ht.CloseIdleConnections()
		return nil, err
	}
	tr.First = time.Since(sent)
	if code, _, _ := strings.Cut(resp.Status, " "); !isFinal(code) {
		resp.Body.Close()
		ht.CloseIdleConnections()
		return nil, malformed("malformed status", []byte(code))
	}
	resp.Request = nil // for the caller to set, as over HTTP/1
	resp.Body = &body2{Reader: io.LimitReader(resp.Body, MaxBody), inner: resp.Body, c: c, ht: ht}
	return resp, nil
}

var errNoAnswer = &HeadError{"the server ended the HTTP/2 connection before it answered"}

// isFinal reports whether code is a final status: net/http takes any number.
func isFinal(code string) bool {
	return len(code) == 3 && '2' <= code[0] && code[0] <= '9' && isDigit(code[1]) && isDigit(code[2])
}

// A body2 closes the connection along with the stream.
type body2 struct {
	io.Reader
	inner io.Closer
	c     *conn
	ht    *http.Transport
}

// Close closes the connection.
func (b *body2) Close() error {
	err := b.inner.Close()
	b.ht.CloseIdleConnections()
	return errors.Join(err, b.c.Close())
}
