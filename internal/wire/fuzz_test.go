package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzReadHead checks what holds for any bytes that a server may send, and that
// a response that net/http takes as well is read as net/http reads it.
func FuzzReadHead(f *testing.F) {
	for _, tt := range heads {
		if len(tt.raw) < 5000 {
			f.Add([]byte(tt.raw))
		}
	}
	f.Add([]byte(settings))
	f.Add([]byte("HTTP/1.1 200 OK\r\nA: b\r\n\t\r\n\td\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		src := &counter{r: bytes.NewReader(raw)}
		hd, rest, err := readHead(src, false)
		if src.n > MaxHead {
			t.Errorf("%d bytes were read; want at most %d", src.n, MaxHead)
		}
		// Over TLS a status line has to have its end.
		one, _, oneErr := readHead(iotest.OneByteReader(bytes.NewReader(raw)), bytes.HasSuffix(raw, []byte("\n")))
		if !isHTTP2(oneErr) && outcome(one, nil, oneErr) != outcome(hd, nil, err) {
			t.Errorf("read byte by byte = %q; want %q", outcome(one, nil, oneErr), outcome(hd, nil, err))
		}
		checkKeep(t, raw)
		if err != nil {
			checkQuoted(t, err)
			return
		}
		if hd.code < 100 || hd.code > 999 || hd.length < -1 || len(rest) > len(raw) {
			t.Errorf("head %+v with %d bytes behind it", hd, len(rest))
		}
		for key, values := range hd.header {
			if !IsToken(key) || len(values) == 0 {
				t.Errorf("field %q of %d values; want a token and a value", key, len(values))
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\x00\r\n") || v != strings.Trim(v, " \t") {
					t.Errorf("value %q; want it trimmed and on one line", v)
				}
			}
		}
		compare(t, hd, raw)
	})
}

// compare compares hd with what net/http reads, if it does.
func compare(t *testing.T, hd head, raw []byte) {
	t.Helper()
	br := bufio.NewReader(io.MultiReader(bytes.NewReader(raw), strings.NewReader("")))
	var resp *http.Response
	for {
		var err error
		if resp, err = http.ReadResponse(br, &http.Request{Method: http.MethodHead}); err != nil {
			return
		}
		if resp.StatusCode >= 200 || resp.StatusCode == 101 {
			break
		}
	}
	for key := range resp.Header {
		if !IsToken(key) { // it keeps some names that are none, and this package leaves them out
			return
		}
	}
	if strings.Contains(resp.Status, "\r") { // to it that ends no line
		return
	}
	if resp.StatusCode != hd.code {
		t.Errorf("status = %d; net/http reads %d", hd.code, resp.StatusCode)
	}
	// net/http takes out or adds what it understands itself.
	for _, key := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "Cache-Control"} {
		delete(resp.Header, key)
		delete(hd.header, key)
	}
	for key, values := range hd.header {
		// Of an empty folded line it keeps a space, and so has two in a row or one
		// at the end, of which there may be any number (RFC 9112, section 5.2).
		words := func(values []string) (all [][]string) {
			for _, v := range values {
				all = append(all, strings.Fields(v))
			}
			return all
		}
		if !slices.EqualFunc(words(values), words(resp.Header[key]), slices.Equal) {
			t.Errorf("%s = %q; net/http reads %q", key, values, resp.Header[key])
		}
	}
	if len(hd.header) != len(resp.Header) {
		t.Errorf("fields = %q; net/http reads %q", hd.header, resp.Header)
	}
}
