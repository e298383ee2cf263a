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

// ErrNoHTTP2 says that the server does not speak HTTP/2.
var ErrNoHTTP2 = errors.New("the server does not speak HTTP/2")

// Exchange2 is Exchange for a server that speaks HTTP/2 only: the connection
// is opened as for Exchange, and net/http speaks over it. The error is
// ErrNoHTTP2 if that turns out not to be so.
func (t *Transport) Exchange2(ctx context.Context, req *Request, tr *Trace) (*http.Response, error) {
	c, err := t.open(ctx, req.URL, tr, "h2")
	if err != nil {
		return nil, err
	}
	if tr.State == nil || tr.State.NegotiatedProtocol != "h2" {
		return nil, c.fail(ctx, ErrNoHTTP2)
	}
	tr.Stage = Receive
	sent := tr.markSent()
	if tr.Slow != nil {
		// Here the reading is net/http's, so it takes a timer.
		defer time.AfterFunc(time.Until(tr.slowAt()), func() { tr.Slow(c) }).Stop()
	}
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
		return nil, c.fail(ctx, err)
	}
	tr.First = time.Since(sent)
	if code, _, _ := strings.Cut(resp.Status, " "); !isFinal(code) {
		resp.Body.Close()
		ht.CloseIdleConnections()
		return nil, c.fail(ctx, malformed("malformed status", []byte(code)))
	}
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
