package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// readHead reads a head as an exchange does that keeps all fields.
func readHead(r io.Reader, secure bool) (hd head, rest []byte, err error) {
	return readSome(r, secure, nil)
}

func readSome(r io.Reader, secure bool, keep func(int) []string) (hd head, rest []byte, err error) {
	buf := make([]byte, 0, 4<<10)
	h := headReader{src: r, buf: &buf, secure: secure, keep: keep}
	hd, err = h.read()
	if err == nil {
		rest = h.rest()
	}
	return hd, rest, err
}

func isHTTP2(err error) bool {
	_, ok := errors.AsType[*only2Error](err)
	return ok
}

// outcome tells a head or the error of reading it in words.
func outcome(hd head, rest []byte, err error) string {
	var he *HeadError
	switch {
	case isHTTP2(err):
		return "http2"
	case errors.As(err, &he) && strings.Contains(he.text, "over"):
		return "large"
	case errors.As(err, &he):
		return "malformed"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "eof"
	case err != nil:
		return "error: " + err.Error()
	}
	words := []string{fmt.Sprint(hd.code)}
	for _, key := range slices.Sorted(maps.Keys(hd.header)) {
		if n := len(hd.header[key]); n > 100 {
			words = append(words, fmt.Sprintf("%s=%d", key, n))
			continue
		}
		for _, v := range hd.header[key] {
			if len(v) > 1000 {
				v = "long"
			}
			words = append(words, key+"="+strings.ReplaceAll(v, " ", "_"))
		}
	}
	if hd.minor != 1 {
		words = append(words, fmt.Sprintf("minor=%d", hd.minor))
	}
	if hd.length >= 0 {
		words = append(words, fmt.Sprintf("length=%d", hd.length))
	}
	if hd.coding {
		words = append(words, "chunked")
	}
	if len(rest) > 0 {
		words = append(words, "rest="+string(rest))
	}
	return strings.Join(words, " ")
}

func TestReadHead(t *testing.T) {
	for _, tt := range heads {
		t.Run(tt.name, func(t *testing.T) {
			hd, rest, err := readHead(strings.NewReader(tt.raw), false)
			if got := outcome(hd, rest, err); got != tt.want {
				t.Errorf("read of %.80q = %q, %v; want %q", tt.raw, got, err, tt.want)
			}
			if err != nil {
				checkQuoted(t, err)
			}
		})
	}
}

// What is not kept is read all the same.
func TestReadHeadKeep(t *testing.T) {
	for _, tt := range heads {
		t.Run(tt.name, func(t *testing.T) { checkKeep(t, []byte(tt.raw)) })
	}
}

// checkKeep checks that keeping some fields differs from keeping all in nothing
// but the fields that are there in the end.
func checkKeep(t *testing.T, raw []byte) {
	t.Helper()
	keep := func(code int) []string {
		if code != 200 {
			return nil
		}
		return []string{"A", "location"}
	}
	hd, rest, err := readHead(bytes.NewReader(raw), false)
	maps.DeleteFunc(hd.header, func(key string, _ []string) bool {
		return hd.code != 200 || key != "A" && key != "Location"
	})
	want := outcome(hd, rest, err)
	hd, rest, err = readSome(bytes.NewReader(raw), false, keep)
	if got := outcome(hd, rest, err); got != want {
		t.Errorf("read of some fields of %.80q = %q; want %q", raw, got, want)
	}
}

// checkQuoted checks that what a server sent cannot fill or falsify a log.
func checkQuoted(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 512 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("error text %.600q; want at most 512 bytes, quoted", text)
	}
}

// However a response is cut into pieces, it is read as the same.
func TestReadHeadInPieces(t *testing.T) {
	for _, tt := range heads {
		most := 100 << 10
		if testing.Short() {
			most = 10 << 10
		}
		tt.raw = tt.raw[:min(len(tt.raw), most)]
		hd, rest, err := readHead(strings.NewReader(tt.raw), false)
		want := outcome(hd, rest, err)
		for name, r := range map[string]io.Reader{
			"bytes":            iotest.OneByteReader(strings.NewReader(tt.raw)),
			"halves":           iotest.HalfReader(strings.NewReader(tt.raw)),
			"data with an EOF": iotest.DataErrReader(strings.NewReader(tt.raw)),
		} {
			hd, rest, err := readHead(r, false)
			// Read by bytes, nothing comes after the head.
			got := outcome(hd, rest, err)
			if w, _, _ := strings.Cut(want, " rest="); got != want && got != w && !strings.HasPrefix(got, w+" rest=") {
				t.Errorf("%s: read in %s = %q; want %q", tt.name, name, got, want)
			}
		}
	}
}

// Wherever a connection ends within a good head, that is an early end before there
// is a status, and an end of the head from then on.
func TestReadHeadCut(t *testing.T) {
	for _, tt := range heads {
		whole, rest, err := readHead(strings.NewReader(tt.raw), false)
		if err != nil || strings.HasPrefix(tt.raw, "\ufeff") || len(tt.raw) > 2000 || strings.Count(tt.raw, "Content-Length") > 1 { // two may differ only when cut
			continue
		}
		read := false
		for i := range len(tt.raw) - len(rest) {
			hd, _, err := readHead(strings.NewReader(tt.raw[:i]), false)
			read = read || err == nil
			if read && (err != nil || hd.code != whole.code) {
				t.Errorf("%s: read of %q = %d, %v; want %d", tt.name, tt.raw[:i], hd.code, err, whole.code)
			}
			if !read && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: read of %q = %v; want an early end", tt.name, tt.raw[:i], err)
			}
		}
	}
}

// Over TLS neither browsers nor curl take a status line that has no end. curl takes the
// rest.
func TestReadHeadCutTLS(t *testing.T) {
	const raw = "HTTP/1.1 103 x\r\n\r\n" + ok + "A: b\r\n"
	for i := range len(raw) {
		hd, _, err := readHead(strings.NewReader(raw[:i]), true)
		if i < len(raw)-len("A: b\r\n") && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read of %q over TLS = %d, %v; want an early end", raw[:i], hd.code, err)
		} else if i >= len(raw)-len("A: b\r\n") && hd.code != 200 {
			t.Errorf("read of %q over TLS = %d, %v; want 200", raw[:i], hd.code, err)
		}
	}
}

// A connection that breaks off is no end of a head.
func TestReadHeadBroken(t *testing.T) {
	if _, _, err := readHead(strings.NewReader(ok+"A: b\x00"), false); outcome(head{}, nil, err) != "malformed" {
		t.Errorf("read of a NUL and no more = %v; want it malformed", err)
	}
	for _, end := range []error{io.ErrUnexpectedEOF, errors.New("broken")} {
		r := io.MultiReader(strings.NewReader(ok+"A: b\r\n"), iotest.ErrReader(end))
		if hd, _, err := readHead(r, false); !errors.Is(err, end) {
			t.Errorf("read of a head and %v = %d, %v; want that error", end, hd.code, err)
		}
	}
}

// A server that sends an HTTP/2 frame over TLS wants to speak HTTP/2.
func TestReadHeadHTTP2(t *testing.T) {
	for name, raw := range map[string]string{
		"a setting":              settings,
		"none":                   settings[:9],
		"a setting of 10":        settings[:len(settings)-1] + "\n",
		"window update after it": settings + "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x0a\x00\x00",
	} {
		for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			_, _, err := readHead(cut(strings.NewReader(raw)), true)
			if !isHTTP2(err) {
				t.Errorf("read of SETTINGS with %s over TLS = %v; want an only2Error", name, err)
			}
		}
	}
}

// A connection's own error is told as it is, whatever came before it.
func TestReadHeadError(t *testing.T) {
	broken := errors.New("broken")
	for _, raw := range []string{"", "H", ok, ok + "A: b"} {
		_, _, err := readHead(io.MultiReader(strings.NewReader(raw), iotest.ErrReader(broken)), false)
		if !errors.Is(err, broken) {
			t.Errorf("read of %q and an error = %v; want %v", raw, err, broken)
		}
	}
	none := iotest.ErrReader(nil)
	if _, _, err := readHead(none, false); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("read of nothing = %v; want %v", err, io.ErrNoProgress)
	}
}

// What is beyond the head is not read: a body may be endless.
func TestReadHeadStops(t *testing.T) {
	r := &counter{r: io.MultiReader(strings.NewReader(ok+"\r\n"), endless{})}
	if _, _, err := readHead(r, false); err != nil || r.n > 4<<10 {
		t.Errorf("read of a head = %v after %d bytes; want nil after at most 4096", err, r.n)
	}
	r = &counter{r: io.MultiReader(strings.NewReader(ok+"A: "), endless{})}
	if _, _, err := readHead(r, false); err == nil || r.n != MaxHead {
		t.Errorf("read of an endless head = %v after %d bytes; want an error after %d", err, r.n, MaxHead)
	}
}

// counter counts what is read of another reader.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
