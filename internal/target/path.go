package target

import (
	"net/url"
	"strings"
)

// What is percent-encoded in the path and in the query of a web URL (WHATWG URL,
// section 1.3), beside spaces, controls and all that is not ASCII.
const (
	pathSet  = "\"#<>?^`{}"
	querySet = "\"#<>'"
)

// parsePath reads what follows the authority: path, query and fragment, of which
// the last is dropped.
func (p *parts) parsePath(s string) {
	s, _, _ = strings.Cut(s, "#")
	path, query, mark := strings.Cut(s, "?")
	p.path, p.query, p.mark = removeDots(encode(slashes(path), pathSet)), encode(query, querySet), mark
}

// slashes returns path with slashes alone: browsers take a backslash for one.
func slashes(path string) string { return strings.ReplaceAll(path, "\\", "/") }

// encode percent-encodes what stands in set, and what may stand nowhere. A byte
// that is no UTF-8 is encoded as it is, as browsers do with a Location. A percent
// sign stays as it is, be it the beginning of an escape or not.
func encode(s, set string) string {
	bad := func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte(set, c) >= 0 }
	return escape(s, func(i int) bool { return bad(s[i]) })
}

// escape percent-encodes the bytes of s whose index is bad.
func escape(s string, bad func(i int) bool) string {
	const hex = "0123456789ABCDEF"
	n := 0
	for i := range len(s) {
		if bad(i) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if bad(i) {
			b = append(b, '%', hex[s[i]>>4], hex[s[i]&15])
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// removeDots returns a path, with a slash at its beginning and without the
// segments "." and "..", in any spelling of these.
func removeDots(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if !strings.Contains(path, "/.") && !strings.Contains(path, "%2") { // as most are
		return path
	}
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		n := dots(s)
		if n == 0 {
			out = append(out, s)
			continue
		}
		if n == 2 && len(out) > 0 {
			out = out[:len(out)-1]
		}
		if i == len(segments)-1 {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

// dots returns how many dots a segment consists of, if it is one or two of them
// and nothing else, each as it is or percent-encoded; or else 0.
func dots(segment string) int {
	n := 0
	for ; segment != ""; n++ {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case len(segment) >= 3 && strings.EqualFold(segment[:3], "%2e"):
			segment = segment[3:]
		default:
			return 0
		}
	}
	if n > 2 {
		return 0
	}
	return n
}

// setPath sets the path of u, which has its host. Package url writes no path as it
// is that has a percent sign without an escape, or a bar. Such a URL carries it as
// an opaque part, and as a path the nearest that there is.
func setPath(u *url.URL, path string) {
	u.Path = path
	if !strings.ContainsAny(path, "%|!'()*[]") { // which url.URL may escape otherwise
		return
	}
	u.RawPath = escape(path, func(i int) bool {
		return path[i] == '|' || path[i] == '%' && !(i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]))
	})
	u.Path, _ = url.PathUnescape(u.RawPath) // which cannot fail
	if u.RawPath != path {
		u.Opaque = "//" + u.Host + path
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// Path returns the path of a URL as it is sent.
func Path(u *url.URL) string {
	if u.Opaque != "" {
		return strings.TrimPrefix(u.Opaque, "//"+u.Host)
	}
	return u.EscapedPath()
}

// Requested returns what a request for u asks for: path and query.
func Requested(u *url.URL) string {
	if u.Opaque == "" {
		return u.RequestURI()
	}
	path := Path(u)
	if u.ForceQuery || u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	return path
}
