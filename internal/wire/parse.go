package wire

import (
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// maxFields bounds the fields of a head: a map of 16 000 of them would weigh
// many times the 64 KiB that they came in.
const maxFields = 1000

// A head is the parsed head of a response.
type head struct {
	minor  int      // of HTTP/1.minor
	code   int      // three digits, 100 or more
	status string   // the code and the reason phrase
	all    bool     // keep all fields
	keep   []string // names of the fields to keep, unless all
	header http.Header
	values []string // backing array for the values of header
	size   string   // Content-Length as written
	length int64    // Content-Length, -1 if there is none
	coding bool     // Transfer-Encoding: chunked
}

// parseStatusLine reads "HTTP/1.1 200 OK", of which the reason phrase and the
// space before it may be missing (RFC 9112, section 4). It takes any minor
// version: RFC 9110, section 2.5 has them understood as 1.1.
func parseStatusLine(b []byte) (minor, code int, err error) {
	bad := func() (int, int, error) { return 0, 0, malformed("malformed status line", b) }
	if len(b) < len("HTTP/1.1 200") || string(b[:7]) != "HTTP/1." || !isDigit(b[7]) || b[8] != ' ' {
		return bad()
	}
	rest := bytes.TrimLeft(b[9:], " ")
	if len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' || !IsText(rest) {
		return bad()
	}
	for _, c := range rest[:3] {
		if !isDigit(c) {
			return bad()
		}
		code = 10*code + int(c-'0')
	}
	if code < 100 {
		return bad()
	}
	return int(b[7] - '0'), code, nil
}

// parseHead reads a whole head, from the status line to the blank line. It
// does not keep raw, and of the fields what keep says, as in Transport.
func parseHead(raw []byte, keep func(code int) []string) (head, error) {
	eol := bytes.IndexByte(raw, '\n') + 1
	line := trimEOL(raw[:eol])
	minor, code, err := parseStatusLine(line)
	if err != nil {
		return head{}, err
	}
	hd := head{minor: minor, code: code, status: statusText(line[9:]), length: -1, all: keep == nil}
	if keep != nil {
		hd.keep = keep(code)
	}
	err = hd.parseFields(raw[eol:])
	return hd, err
}

// statusText returns the code and the reason phrase.
func statusText(b []byte) string {
	b = bytes.TrimSpace(b)
	if string(b) == "200 OK" {
		return "200 OK" // most are, and need no copy
	}
	return string(b)
}

// parseFields reads field lines up to the blank line that ends raw.
func (hd *head) parseFields(raw []byte) error {
	n := bytes.Count(raw, []byte("\n")) - 1
	if n > maxFields {
		return &HeadError{"the response head has over 1000 fields"}
	}
	text := string(raw) // the one copy that all keys and values are cut from
	if hd.all {
		hd.header = make(http.Header, n)
		hd.values = make([]string, n)
	}
	var name, value string // of the field before, which a folded line continues
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if name == "" || !IsText(line) {
				return malformed("malformed header line", []byte(line))
			}
			value = strings.Trim(value+" "+strings.Trim(line, " \t"), " ")
			continue
		}
		if err := hd.add(name, value); err != nil {
			return err
		}
		var ok bool
		name, value, ok = strings.Cut(line, ":")
		if !ok || !IsToken(name) || !IsText(value) {
			return malformed("malformed header line", []byte(line))
		}
		value = strings.Trim(value, " \t")
	}
	if err := hd.add(name, value); err != nil {
		return err
	}
	if hd.coding {
		hd.length = -1 // RFC 9112, section 6.3
	}
	return nil
}

// add takes in a field. Those that delimit the body are checked even where there
// is no body: a head that contradicts itself is no answer.
func (hd *head) add(name, value string) error {
	switch {
	case name == "":
		return nil // before the first
	case strings.EqualFold(name, "Transfer-Encoding"):
		if hd.coding || !strings.EqualFold(value, "chunked") {
			return malformed("unsupported transfer encoding", []byte(value))
		}
		hd.coding = true
	case strings.EqualFold(name, "Content-Length"):
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || value[0] == '+' || hd.size != "" && hd.size != value {
			return malformed("malformed content length", []byte(value))
		}
		hd.size, hd.length = value, int64(n)
	}
	if !hd.all && !slices.ContainsFunc(hd.keep, func(k string) bool { return strings.EqualFold(k, name) }) {
		return nil
	}
	if hd.header == nil {
		hd.header = make(http.Header)
	}
	key := textproto.CanonicalMIMEHeaderKey(name)
	if all := hd.header[key]; all != nil || len(hd.values) == 0 {
		hd.header[key] = append(all, value)
		return nil
	}
	hd.values[0] = value
	hd.header[key], hd.values = hd.values[:1:1], hd.values[1:]
	return nil
}

// response returns the head as a response without a body.
func (hd *head) response() *http.Response {
	resp := &http.Response{
		Status:        hd.status,
		StatusCode:    hd.code,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    hd.minor,
		Header:        hd.header,
		ContentLength: hd.length,
		Close:         true,
	}
	if hd.minor != 1 {
		resp.Proto = "HTTP/1." + string(rune('0'+hd.minor))
	}
	if hd.coding {
		resp.TransferEncoding = []string{"chunked"}
	}
	return resp
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsText reports whether s has only what a field value may have: no control
// characters but the tab (RFC 9110, section 5.5).
func IsText[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// IsToken reports whether s is a field name (RFC 9110, section 5.6.2).
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
