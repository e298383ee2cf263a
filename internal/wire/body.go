package wire

import (
	"bytes"
	"io"
	"net/http"
)

// A body is a response's body. It owns the connection.
type body struct {
	r      io.Reader
	c      *conn
	buf    *[]byte
	shared bool // somebody has read and may hold on to buf
	closed bool
}

// setBody sets the body of resp, the answer to method, which begins with rest,
// a part of buf, and goes on in c.
func (c *conn) setBody(resp *http.Response, method string, buf *[]byte, rest []byte) {
	b := &c.body
	*b = body{c: c, buf: buf}
	resp.Body = b
	if method == http.MethodHead || isBodiless(resp.StatusCode) {
		return
	}
	b.r = &source{c: c, resp: resp, rest: rest}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.r == nil:
		return 0, io.EOF
	}
	b.shared = true
	return b.r.Read(p)
}

// Close closes the connection.
func (b *body) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	if !b.shared {
		release(b.buf)
	}
	return b.c.Close()
}

// A source decodes a body. Most bodies are never read, so it sets itself up at
// the first Read.
type source struct {
	c    *conn
	resp *http.Response
	rest []byte
	r    io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if s.r == nil {
		raw := io.MultiReader(bytes.NewReader(s.rest), s.c)
		switch {
		case s.resp.TransferEncoding != nil:
			s.r = newChunks(raw)
		case s.resp.ContentLength >= 0:
			s.r = &exact{r: raw, left: s.resp.ContentLength}
		default:
			s.r = raw
		}
		s.r = io.LimitReader(s.r, MaxBody)
	}
	return s.r.Read(p)
}

// exact reads a body of a known length and tells if it ends before.
type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
