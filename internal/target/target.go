// Package target turns what a caller wrote into the URLs to try, and a Location
// into the URL that it leads to.
//
// It reads them as browsers do (WHATWG URL, https://url.spec.whatwg.org), and never
// as another host. But where other programs differ about what a target means it
// refuses it, since a URL that one reads as a public host and another as this
// machine is a way in. Package checker lists what is refused.
package target

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// maxLen is the longest target that is read, in bytes, and the longest URL that
// comes of it.
const maxLen = 8 << 10

// A Target is what a caller wrote, understood.
type Target struct {
	// URLs has one URL for a text with a scheme, and for one without the same
	// as http and as https. Each has a host in ASCII, in lower case, a path,
	// and neither userinfo nor a fragment; the scheme's default port is left
	// out. The dot at the end of a rooted name is kept. Path and Requested tell
	// what is asked for: a path that package url cannot write is in Opaque.
	URLs []*url.URL
}

// An Error says why a text names no site. It shows a piece of the text, quoted,
// but none of a text that may have userinfo.
type Error struct{ format, piece string }

func (e *Error) Error() string {
	return strings.Replace(e.format, "%q", strconv.Quote(e.piece), 1)
}

// maxQuoted bounds the pieces of a text that an Error shows.
const maxQuoted = 64

func refuse(format, piece string) error {
	if len(piece) > maxQuoted {
		piece = piece[:maxQuoted] + "…"
	}
	return &Error{format, piece}
}

// discreet returns err without the piece of s that it shows, if that may be a part
// of userinfo: a password with a delimiter in it ends up anywhere but in a scheme.
func discreet(err error, s string) error {
	e, ok := err.(*Error)
	if !ok || !strings.Contains(s, "@") {
		return err
	}
	if scheme, _, ok := cutScheme(s); ok && scheme == e.piece {
		return err
	}
	return &Error{e.format, "…"}
}

// Parse reads a target. Every error is an [Error].
func Parse(s string) (Target, error) {
	t, err := read(s)
	return t, discreet(err, s)
}

func read(s string) (Target, error) {
	s, err := trim(s)
	if err != nil {
		return Target{}, err
	}
	if scheme, rest, ok := cutScheme(s); ok {
		if scheme, err = webScheme(scheme); err != nil {
			return Target{}, err
		}
		p, err := parse(rest, targetEnds)
		if err != nil {
			return Target{}, err
		}
		return newTarget(p.url(scheme))
	}
	if err := checkBare(s); err != nil {
		return Target{}, err
	}
	p, err := parse(s, targetEnds)
	if err != nil {
		return Target{}, err
	}
	return newTarget(p.url("http"), p.url("https"))
}

func newTarget(urls ...*url.URL) (Target, error) {
	for _, u := range urls {
		if size(u) > maxLen {
			return Target{}, errTooLong
		}
	}
	return Target{urls}, nil
}

// size returns the length of a URL in bytes. It may be more than that of the text it
// comes of, where a path was percent-encoded or is relative.
func size(u *url.URL) int {
	return len(u.Scheme) + len("://") + len(u.Host) + max(len(u.Path), len(u.RawPath)) + len("?") + len(u.RawQuery)
}

var errTooLong = &Error{format: "it is over 8 KiB"}

// Host returns the host of a URL of this package, without brackets, and the
// port, which may be the scheme's default.
func Host(u *url.URL) (host string, port uint16) {
	host, text, found := u.Host, "", false
	if i := strings.LastIndexByte(host, ':'); i >= 0 && host[len(host)-1] != ']' {
		host, text, found = host[:i], host[i+1:], true
	}
	if strings.HasPrefix(host, "[") {
		host = host[1 : len(host)-1]
	}
	if found {
		n, _ := strconv.ParseUint(text, 10, 16)
		return host, uint16(n)
	}
	if u.Scheme == "https" {
		return host, 443
	}
	return host, 80
}

// trim removes ASCII space and byte order marks from both ends, and refuses
// what is too long or has control characters.
func trim(s string) (string, error) {
	for n := -1; n != len(s); {
		n = len(s)
		s = strings.Trim(s, " \t\r\n\v\f")
		s = strings.TrimSuffix(strings.TrimPrefix(s, "\ufeff"), "\ufeff")
	}
	switch {
	case s == "":
		return "", &Error{format: "it is empty"}
	case len(s) > maxLen:
		return "", errTooLong
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", &Error{format: fmt.Sprintf("it has the control character %#02x", s[i])}
		}
	}
	return s, nil
}

// cutScheme cuts "scheme://" off s.
func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, "://")
	return scheme, rest, ok && isScheme(scheme)
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

func webScheme(s string) (string, error) {
	switch {
	case strings.EqualFold(s, "http"):
		return "http", nil
	case strings.EqualFold(s, "https"):
		return "https", nil
	}
	return "", refuse("the scheme %q is neither http nor https", s)
}

// checkBare refuses texts without "://" that are URLs of another form all the
// same: "mailto:a@b" has a scheme, and "http:80" no host. What follows a colon
// before the path must be a port.
func checkBare(s string) error {
	switch {
	case strings.HasPrefix(s, "//"):
		return &Error{format: "before its slashes there is no scheme: http: or https:"}
	case s[0] == '/':
		return &Error{format: "it is a path, and has no host"}
	}
	word, after, found := strings.Cut(s, ":")
	if !found || len(cutAny(s, "/?#")) < len(word) {
		return nil
	}
	if strings.HasPrefix(after, "//") { // or cutScheme had cut it off
		return refuse("%q is no scheme", word)
	}
	if !isScheme(word) {
		return nil
	}
	port := cutAny(after, "/?#")
	if strings.Contains(port, "@") {
		return &Error{format: "what stands before its first colon may be a user or a scheme; write http:// or https:// before all of it"}
	}
	if strings.EqualFold(word, "http") || strings.EqualFold(word, "https") {
		return refuse("after %q there is no //", word+":")
	}
	switch {
	case port == "" && after != "": // "unix:/x"
	case strings.Trim(port, "0123456789") == "", port[0] == '-':
		return nil
	}
	return &Error{format: "it has a scheme other than http and https, or a malformed port"}
}

// cutAny returns s up to the first of chars.
func cutAny(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}
