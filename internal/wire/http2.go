package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"sync/atomic"
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
	if !c.raw.kernels() {
		c.below.apart = context.WithoutCancel(ctx)
	}
	var w watch
	ctx, cancel := w.start(ctx)
	dialed := false
	ht := &http.Transport{
		// After some errors net/http asks again by itself, on another connection or on
		// this one.
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
		MaxResponseHeaderBytes: 4 * MaxHead, // what is over it is an error without a type
	}
	asked := req.HTTP(ctx)
	asked.Host, asked.URL = req.host(), pathOnly(req.URL)
	resp, err := ht.RoundTrip(asked)
	if err != nil {
		ht.CloseIdleConnections()
		defer cancel(nil)
		return nil, w.why(ctx, err)
	}
	tr.First = time.Since(sent)
	code, _, _ := strings.Cut(resp.Status, " ")
	switch {
	case !isFinal(code):
		err = &HeadError{NotHTTP2, fmt.Sprintf("malformed status %.64q", code)}
	case resp.Header["Transfer-Encoding"] != nil:
		// RFC 9113, section 8.2.2 has no such field. Others of HTTP/1 pass with Chromium.
		err = &HeadError{NotHTTP2, "a Transfer-Encoding over HTTP/2"}
	case listSize(resp.Header) > MaxHead:
		err = errLargeHead
	}
	if err != nil {
		resp.Body.Close()
		ht.CloseIdleConnections()
		cancel(nil)
		return nil, err
	}
	resp.Request = nil // for the caller to set, as over HTTP/1
	resp.Body = &body2{Reader: io.LimitReader(resp.Body, MaxBody), inner: resp.Body, c: c, ht: ht, cancel: cancel}
	return resp, nil
}

// A watch sees what becomes of a request that net/http makes.
type watch struct {
	tries int         // on connections
	began atomic.Bool // the answer
}

// start returns a context for the request. It ends when net/http asks again. When the
// timeout is over it goes on, and what net/http reads of the connection ends, but not
// before what has come is read.
func (w *watch) start(outer context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(context.WithoutCancel(outer))
	stop := context.AfterFunc(outer, func() {
		if cause := context.Cause(outer); cause != ErrTimeout {
			end(cause)
		}
	})
	cancel := func(cause error) {
		stop()
		end(cause)
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			if w.tries++; w.tries > 1 {
				cancel(errNoAnswer)
			}
		},
		GotFirstResponseByte: func() { w.began.Store(true) },
	}), cancel
}

// why returns what err, by which the request failed, stands for.
func (w *watch) why(ctx context.Context, err error) error {
	if context.Cause(ctx) == errNoAnswer || !w.began.Load() && isGone(err) {
		return errNoAnswer
	}
	if w.began.Load() {
		err = &CutError{err}
	}
	return &HTTP2Error{err}
}

// An HTTP2Error is one of an exchange over HTTP/2. What net/http says there of a server
// that breaks the protocol has no type.
type HTTP2Error struct{ err error }

func (e *HTTP2Error) Error() string { return e.err.Error() }

// Unwrap returns net/http's error.
func (e *HTTP2Error) Unwrap() error { return e.err }

// errNoAnswer says that the server sent GOAWAY or RST_STREAM in place of an answer.
// Over HTTP/1 it would have hung up.
var errNoAnswer = fmt.Errorf("the server ended the HTTP/2 exchange before it answered: %w", io.ErrUnexpectedEOF)

// A streamError is an error of a stream, as net/http lets errors of its own be seen
// (golang.org/issue/53896).
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream error" }

// isGone reports whether err, which came before an answer began, is of a server that
// sent GOAWAY or RST_STREAM. Much of what net/http says of that has no type, so it
// is what is left when the server broke the protocol, or the connection broke.
func isGone(err error) bool {
	if e, ok := errors.AsType[streamError](err); ok {
		return reflect.ValueOf(e.Cause).Kind() != reflect.String // a field that cannot be
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return false
	}
	return reflect.ValueOf(err).Kind() != reflect.Uint32 // an error of the connection
}

// listSize is the size of a field list, as RFC 9113, section 6.5.2 counts it.
func listSize(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + 32
		}
	}
	return n
}

// isFinal reports whether code is a final status: net/http takes any number.
func isFinal(code string) bool {
	return len(code) == 3 && '2' <= code[0] && code[0] <= '9' && isDigit(code[1]) && isDigit(code[2])
}

// A body2 closes the connection along with the stream.
type body2 struct {
	io.Reader
	inner  io.Closer
	c      *conn
	ht     *http.Transport
	cancel context.CancelCauseFunc
}

// Close closes the connection.
func (b *body2) Close() error {
	err := b.inner.Close()
	b.ht.CloseIdleConnections()
	b.cancel(nil)
	return errors.Join(err, b.c.Close())
}
