package wire

import (
	"bytes"
	"io"
	"time"
)

// A headReader reads response heads until the first final one. What has been
// read stays in buf, so one cap holds for all of them together: a server that
// sends interim responses without end meets it too.
type headReader struct {
	src    io.Reader
	buf    *[]byte
	pos    int       // where the current head begins in buf
	line   int       // where the first line not yet seen begins
	first  time.Time // when the first byte came
	secure bool      // src is TLS

	keep func(code int) []string // as in Transport
}

// rest returns what was read beyond the head.
func (h *headReader) rest() []byte { return (*h.buf)[h.pos:] }

// read returns the first final response head.
func (h *headReader) read() (head, error) {
	for {
		raw, err := h.next()
		if err != nil {
			return head{}, err
		}
		hd, err := parseHead(raw, h.keep)
		if err != nil {
			return head{}, err
		}
		// 101 is the last word on this connection as HTTP, asked for or not.
		if hd.code >= 200 || hd.code == 101 {
			return hd, nil
		}
	}
}

// next returns the bytes of the next head, its blank line included.
func (h *headReader) next() ([]byte, error) {
	for {
		if h.line == h.pos {
			if err := h.check(); err != nil {
				return nil, err
			}
		}
		if raw, err := h.lines(); raw != nil || err != nil {
			return raw, err
		}
		if err := h.more(); err != nil {
			return nil, err
		}
	}
}

// lines looks at the lines that have come. If the blank line that ends the head is
// among them, it returns the bytes of the head, and otherwise nil.
func (h *headReader) lines() ([]byte, error) {
	for {
		b := (*h.buf)[h.line:]
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return nil, nil
		}
		atStart := h.line == h.pos
		h.line += i + 1
		text := trimEOL(b[:i+1])
		if atStart {
			if _, _, err := parseStatusLine(text); err != nil {
				return nil, err
			}
		} else if len(text) == 0 {
			raw := (*h.buf)[h.pos:h.line]
			h.pos = h.line
			return raw, nil
		}
	}
}

// check looks at the beginning of a head before its first line has ended: a
// peer of another protocol may never end it.
func (h *headReader) check() error {
	const http = "HTTP/"
	b := (*h.buf)[h.pos:]
	n := min(len(b), len(http))
	if string(b[:n]) == http[:n] {
		return nil
	}
	if len(b) >= 4 && isSettings(b) {
		err := malformed("an HTTP/2 frame in place of an HTTP/1 response:", b)
		if h.secure {
			return &only2Error{err}
		}
		return err
	}
	if len(b) < 4 && b[0] == 0 {
		return nil // may become a SETTINGS frame
	}
	return malformed("no HTTP response:", b)
}

// isSettings reports whether b begins with the header of a short SETTINGS
// frame, the first thing that an HTTP/2 server sends (RFC 9113, section 3.4).
func isSettings(b []byte) bool { return b[0] == 0 && b[1] == 0 && b[3] == 4 }

// more reads once. Data that comes together with an error is used first; the
// error comes again.
func (h *headReader) more() error {
	if len(*h.buf) >= MaxHead {
		return &HeadError{"the response head is over 64 KiB"}
	}
	if len(*h.buf) == cap(*h.buf) {
		h.buf = enlarge(h.buf)
	}
	b := *h.buf
	n, err := h.src.Read(b[len(b):min(cap(b), MaxHead)])
	*h.buf = b[:len(b)+n]
	if n > 0 {
		if h.first.IsZero() {
			h.first = time.Now()
		}
		return nil
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// trimEOL removes a line's CRLF or, as RFC 9112, section 2.2 allows, bare LF.
func trimEOL(b []byte) []byte {
	b = b[:len(b)-1]
	if len(b) > 0 && b[len(b)-1] == '\r' {
		b = b[:len(b)-1]
	}
	return b
}
