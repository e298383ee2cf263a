package wire

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// A headReader reads response heads until the first final one. What has been
// read stays in buf, so one cap holds for all of them together: a server that
// sends interim responses without end meets it too.
//
// It reads what browsers read. The connection is for one exchange, so a head that
// two parties understand differently can smuggle nothing to anybody.
type headReader struct {
	src    io.Reader
	buf    *[]byte
	pos    int       // where the current head begins in buf
	line   int       // where the first line not yet seen begins
	begun  bool      // the current head begins at pos indeed, and not behind it
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

// next returns the bytes of the next head, from its status line on. The blank line
// that ends it may be missing.
func (h *headReader) next() ([]byte, error) {
	for {
		if raw, err := h.lines(); raw != nil || err != nil {
			return raw, err
		}
		if err := h.more(); err == io.EOF {
			return h.cut()
		} else if err != nil {
			return nil, err
		}
	}
}

// lines looks at the lines that have come. If the blank line that ends the head is
// among them, it returns the bytes of the head, and otherwise nil.
func (h *headReader) lines() ([]byte, error) {
	if !h.begun {
		if err := h.begin(); err != nil || !h.begun {
			return nil, err
		}
	}
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
			if _, err := parseStatusLine(text); err != nil {
				return nil, err
			}
		} else if len(bytes.TrimRight(text, "\r")) == 0 {
			// More than one CR is how text mode writes CRLF. curl goes on as it is meant,
			// and Chromium once the connection ends.
			return h.end(), nil
		}
	}
}

// end returns the head that ends where the next line begins.
func (h *headReader) end() []byte {
	raw := (*h.buf)[h.pos:h.line]
	h.pos, h.begun = h.line, false
	return raw
}

// slop is how many bytes may stand before a status line: line ends that a message
// before it should have had, a byte order mark. As many as Chromium passes over.
const slop = 4

// begin looks for the beginning of a head. Its first line may never end, where the
// peer speaks another protocol, so that is told from the first bytes already.
func (h *headReader) begin() error {
	b := (*h.buf)[h.pos:]
	if i, open := findStart(b, h.pos == 0); i >= 0 && bytes.IndexByte(b[:i], 0) < 0 {
		h.pos += i
		h.line, h.begun = h.pos, true
		return nil
	} else if open {
		return nil // as it is while b is not longer than slop
	}
	if isSettings(b) {
		err := error(&HeadError{NotHTTP2, fmt.Sprintf("an HTTP/2 frame in place of an HTTP/1 response: %q", b[:min(len(b), maxQuoted)])})
		if h.secure {
			return &only2Error{err}
		}
		return err
	}
	return malformed("no HTTP response:", b)
}

// findStart returns where in b a status line begins, -1 if nowhere, and whether that
// may change once there is more of b. The first one may be Shoutcast's.
func findStart(b []byte, first bool) (i int, open bool) {
	if _, found := cutFold(b, shoutcast); found && first {
		return 0, false
	}
	for i := range slop + 1 {
		rest := b[min(i, len(b)):]
		if _, found := cutFold(rest, "HTTP"); found {
			return i, false
		}
		open = open || beginsFold("HTTP", rest)
	}
	return -1, open || first && beginsFold(shoutcast, b)
}

// shoutcast is what stands in place of "HTTP" and the version where music is sent.
const shoutcast = "ICY"

// isSettings reports whether b begins with the header of a short SETTINGS
// frame, the first thing that an HTTP/2 server sends (RFC 9113, section 3.4).
func isSettings(b []byte) bool { return b[0] == 0 && b[1] == 0 && b[3] == 4 }

// cut returns the head that ends with the connection, as far as it came: browsers
// show a page for it, even if there is no more than a status, and over TLS curl does.
func (h *headReader) cut() ([]byte, error) {
	b := (*h.buf)[h.pos:]
	if !h.begun {
		if b = bytes.TrimLeft(b, "\r\n"); beginsFold("HTTP", b) || beginsFold(shoutcast, b) {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, malformed("no HTTP response:", b)
	}
	if h.line == h.pos {
		// Who knows what the line would have said. Over TLS somebody may have cut it
		// off on purpose, and neither browsers nor curl take a part of it.
		if _, err := parseStatusLine(b); err != nil || h.secure {
			return nil, io.ErrUnexpectedEOF
		}
	}
	h.line = len(*h.buf)
	return h.end(), nil
}

var errLargeHead = &HeadError{TooLarge, fmt.Sprintf("the response head is over %d KiB", MaxHead>>10)}

// more reads once. Data that comes together with an error is used first; the
// error comes again.
func (h *headReader) more() error {
	if len(*h.buf) >= MaxHead {
		return errLargeHead
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
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// trimEOL removes a line's CRLF or, as RFC 9112, section 2.2 allows, bare LF.
func trimEOL(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// cutFold returns what follows a word of ASCII in b, in letters of either case.
func cutFold(b []byte, word string) (after []byte, found bool) {
	if len(b) < len(word) || !beginsFold(word, b[:len(word)]) {
		return b, false
	}
	return b[len(word):], true
}

// beginsFold reports whether b is the beginning of a word, or the whole of it.
func beginsFold(word string, b []byte) bool {
	return len(b) <= len(word) && bytes.EqualFold(b, []byte(word[:len(b)]))
}
