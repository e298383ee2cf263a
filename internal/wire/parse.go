package wire

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxFields bounds the fields of a head: a map of 16 000 of them would weigh
// many times the 64 KiB that they came in.
const maxFields = 1000

// A head is the parsed head of a response.
type head struct {
	minor  int    // of HTTP/1.minor
	code   int    // three digits, 100 or more
	status string // the code and the reason phrase
	header http.Header
	length int64 // Content-Length; -1 if there is none
	coding bool  // Transfer-Encoding: chunked
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
// does not keep raw.
func parseHead(raw []byte) (head, error) {
	eol := bytes.IndexByte(raw, '\n') + 1
	line := trimEOL(raw[:eol])
	minor, code, err := parseStatusLine(line)
	if err != nil {
		return head{}, err
	}
	hd := head{minor: minor, code: code, length: -1}
	hd.status = string(bytes.TrimSpace(line[9:]))
	if hd.header, err = parseFields(raw[eol:]); err != nil {
		return head{}, err
	}
	return hd, hd.frame()
}

// parseFields reads field lines up to the blank line that ends raw.
func parseFields(raw []byte) (http.Header, error) {
	n := bytes.Count(raw, []byte("\n")) - 1
	if n > maxFields {
		return nil, &HeadError{"the response head has over 1000 fields"}
	}
	text := string(raw) // the one copy that all keys and values are cut from
	header := make(http.Header, n)
	values := make([]string, n)
	var last []string // the values of the field before, for a folded line
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last == nil || !IsText(line) {
				return nil, malformed("malformed header line", []byte(line))
			}
			v := &last[len(last)-1]
			*v = strings.Trim(*v+" "+strings.Trim(line, " \t"), " ")
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !IsToken(name) || !IsText(value) {
			return nil, malformed("malformed header line", []byte(line))
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		value = strings.Trim(value, " \t")
		if last = header[key]; last == nil {
			last, values = values[:1:1], values[1:]
			last[0] = value
		} else {
			last = append(last, value)
		}
		header[key] = last
	}
	return header, nil
}

// frame reads the fields that delimit the body. They are judged even where
// there is no body: a head that contradicts itself is no answer.
func (hd *head) frame() error {
	if te := hd.header["Transfer-Encoding"]; te != nil {
		if len(te) != 1 || !strings.EqualFold(te[0], "chunked") {
			return malformed("unsupported transfer encoding", []byte(strings.Join(te, ", ")))
		}
		hd.coding = true
	}
	cl := hd.header["Content-Length"]
	for i, v := range cl {
		n, err := strconv.ParseUint(v, 10, 63)
		if err != nil || v[0] == '+' || i > 0 && v != cl[0] {
			return malformed("malformed content length", []byte(strings.Join(cl, ", ")))
		}
		hd.length = int64(n)
	}
	if hd.coding {
		hd.length = -1 // RFC 9112, section 6.3
	}
	return nil
}

// response returns the head as a response to req, without a body.
func (hd *head) response(req *http.Request) *http.Response {
	resp := &http.Response{
		Status:        hd.status,
		StatusCode:    hd.code,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    hd.minor,
		Header:        hd.header,
		ContentLength: hd.length,
		Close:         true,
		Request:       req,
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
