package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"syscall"

	"example.com/checker/internal/hook"
)

// Requests are built in small buffers and responses are read into them, so that
// an exchange that waits for its answer holds little. A head that is larger
// goes on in a large one.
const smallBuffer, largeBuffer = 512, 4 << 10

var buffers, largeBuffers = pool(smallBuffer), pool(largeBuffer)

func pool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, 0, size)
		return &b
	}}
}

// release gives a buffer back, unless it is larger than any of the pools'.
func release(b *[]byte) {
	*b = (*b)[:0]
	switch cap(*b) {
	case smallBuffer:
		buffers.Put(b)
	case largeBuffer:
		largeBuffers.Put(b)
	}
}

// enlarge returns a buffer with the contents of b and room for more.
func enlarge(b *[]byte) *[]byte {
	var large *[]byte
	if cap(*b) < largeBuffer {
		large = largeBuffers.Get().(*[]byte)
	} else {
		large = new([]byte)
		*large = make([]byte, 0, min(4*cap(*b), MaxHead))
	}
	*large = append(*large, *b...)
	release(b)
	return large
}

// http1 is HTTP/1.1.
type http1 struct{ keep func(code int) []string } // as Transport.Keep

func (http1) name() string { return "http/1.1" }

// exchange implements protocol.
func (p http1) exchange(_ context.Context, c *conn, req Request, tr *Trace) (*http.Response, error) {
	tr.Stage = Send
	buf := buffers.Get().(*[]byte)
	*buf = req.appendTo((*buf)[:0])
	_, werr := c.Write(*buf)
	*buf = (*buf)[:0]
	if _, own := errors.AsType[*hook.Error](werr); own || errors.Is(werr, os.ErrDeadlineExceeded) {
		release(buf)
		return nil, werr
	}
	// Any other error of the write is not the end: a server may answer and
	// close before it has read the request (RFC 9112, section 9.5).
	tr.Stage = Receive
	sent := tr.markSent(werr)
	h := headReader{src: c, buf: buf, secure: c.below != nil, keep: p.keep}
	head, err := h.read()
	buf = h.buf
	if !h.first.IsZero() {
		tr.First = h.first.Sub(sent)
	}
	if err != nil {
		release(buf)
		if werr != nil && errors.Is(err, io.ErrUnexpectedEOF) {
			err = werr
		}
		hungUp := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, syscall.ECONNRESET)
		if hungUp && h.first.IsZero() && tr.State != nil && tr.State.NegotiatedProtocol == "" {
			// A server that is asked for a protocol that it does not have may
			// agree on none, as crypto/tls does (golang.org/issue/46310), only
			// to hang up when it hears that protocol.
			err = &only2Error{err}
		}
		if hungUp && !h.first.IsZero() {
			err = &CutError{err}
		}
		return nil, err
	}
	resp := head.response()
	if tr.State != nil {
		resp.TLS = tr.State
	}
	c.setBody(resp, req.Method, buf, h.rest())
	return resp, nil
}

// A CutError says that an exchange failed after the first byte of an answer.
type CutError struct{ err error }

func (e *CutError) Error() string { return e.err.Error() }

// Unwrap returns how it ended.
func (e *CutError) Unwrap() error { return e.err }

// A HeadError says that what came back is not the head of an HTTP response, or
// that it is too large to be read.
type HeadError struct {
	Kind HeadKind
	text string
}

// A HeadKind is what is wrong with a head.
type HeadKind uint8

const (
	NotHTTP  HeadKind = iota // the bytes are none of HTTP/1
	TooLarge                 // it is over MaxHead
	NotHTTP2                 // it has what HTTP/2 does not allow, or is HTTP/2 in place of HTTP/1
)

func (e *HeadError) Error() string { return e.text }

// maxQuoted bounds what an error quotes of a server's bytes.
const maxQuoted = 64

func malformed(what string, b []byte) error {
	return &HeadError{text: fmt.Sprintf("%s %q", what, b[:min(len(b), maxQuoted)])}
}
