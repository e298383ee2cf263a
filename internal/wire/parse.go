package wire

import (
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// A head is the parsed head of a response.
type head struct {
	minor  int      // of HTTP/1.minor
	code   int      // three digits, 100 or more
	status string   // the code and the reason phrase
	all    bool     // keep all fields
	keep   []string // names of the fields to keep, unless all
	header http.Header
	values []string // backing array for the values of header
	length int64    // of the body, -1 where that is not clear
	coding bool     // the body comes in chunks

	framing framing
}

// parseHead reads a whole head, from the status line to the blank line. It
// does not keep raw, and of the fields what keep says, as in Transport.
//
// What a field should not be is no reason to refuse the answer. NUL is: no browser
// reads such a head, and no text has it.
func parseHead(raw []byte, keep func(code int) []string) (head, error) {
	if before, _, found := bytes.Cut(raw, []byte{0}); found {
		return head{}, malformed("NUL in the head, after", before[max(0, len(before)-maxQuoted/2):])
	}
	first, fields, _ := bytes.Cut(raw, []byte("\n"))
	line, err := parseStatusLine(trimEOL(first))
	if err != nil {
		return head{}, err
	}
	if _, more, found := bytes.Cut(line.text, []byte("\r")); found {
		fields = slices.Concat(more, []byte("\n"), fields) // see lineEnds
	}
	hd := head{minor: line.minor, code: line.code, status: statusText(line.text), all: keep == nil}
	if keep != nil {
		hd.keep = keep(line.code)
	}
	hd.parseFields(fields)
	hd.length, hd.coding, err = hd.framing.settle(hd.code, hd.minor)
	return hd, err
}

// parseFields reads field lines up to the blank line that ends raw, if there is one.
// A line that is no field is left out, along with those that continue it. That a
// space may stand before the colon, and none of a name, is how servers are; RFC
// 9112, section 5.1 is strict since proxies pass such heads on, and nobody does here.
func (hd *head) parseFields(raw []byte) {
	text := string(raw) // the one copy that all keys and values are cut from
	if hasBareCR(raw) {
		text = lineEnds.Replace(text)
	}
	if hd.all {
		n := bytes.Count(raw, []byte("\n"))
		hd.header = make(http.Header, min(n, 32))
		hd.values = make([]string, n)
	}
	for text != "" {
		var line string
		line, text = cutLine(text)
		if isFolded(text) {
			line, text = unfold(line, text)
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimRight(name, " \t"); ok && IsToken(name) {
			hd.add(name, strings.Trim(value, " \t"))
		}
	}
}

// Browsers end a line at a CR too. The field that follows may be meant or not; what a
// judge is told never holds the end of a line (RFC 9112, section 2.2).
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// hasBareCR reports whether b has a CR without its LF, which at the end of a head that
// was cut off is still to come.
func hasBareCR(b []byte) bool {
	for i := bytes.IndexByte(b, '\r'); i >= 0 && i+1 < len(b); i = bytes.IndexByte(b, '\r') {
		if b[i+1] != '\n' {
			return true
		}
		b = b[i+2:]
	}
	return false
}

// cutLine returns the first line of text, without its end, and what follows it.
func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// isFolded reports whether text continues the line before it (RFC 9112, section 5.2).
func isFolded(text string) bool { return text != "" && (text[0] == ' ' || text[0] == '\t') }

// unfold returns a line with those that continue it, and what follows them. There
// may be very many.
func unfold(line, text string) (whole, rest string) {
	var b strings.Builder
	b.WriteString(strings.TrimRight(line, " \t"))
	for isFolded(text) {
		line, text = cutLine(text)
		if line = strings.Trim(line, " \t"); line != "" {
			b.WriteString(" " + line)
		}
	}
	return b.String(), text
}

// add takes in a field.
func (hd *head) add(name, value string) {
	switch {
	case strings.EqualFold(name, "Transfer-Encoding"):
		hd.framing.addCodings(value)
	case strings.EqualFold(name, "Content-Length"):
		hd.framing.addLength(value)
	}
	if !hd.all && !slices.ContainsFunc(hd.keep, func(k string) bool { return strings.EqualFold(k, name) }) {
		return
	}
	if hd.header == nil {
		hd.header = make(http.Header)
	}
	key := textproto.CanonicalMIMEHeaderKey(name)
	if all := hd.header[key]; all != nil || len(hd.values) == 0 {
		hd.header[key] = append(all, value)
		return
	}
	hd.values[0] = value
	hd.header[key], hd.values = hd.values[:1:1], hd.values[1:]
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
