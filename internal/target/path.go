package target

import (
	"net/url"
	"strings"
)

// setPath reads what follows the authority: path, query and fragment, of which
// the last is dropped.
func (p *parts) setPath(s string) {
	s, _, _ = strings.Cut(s, "#")
	path, query, mark := strings.Cut(s, "?")
	p.path, p.query, p.mark = repair(path), repair(query), mark
	if p.path == "" {
		p.path = "/"
	}
}

// repair escapes what may not stand in a URI (RFC 3986), as browsers do: a
// percent sign that begins no escape, and all but the printable ASCII
// characters that have a place there.
func repair(s string) string {
	const hex = "0123456789ABCDEF"
	bad := func(i int) bool {
		c := s[i]
		if c == '%' {
			return i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])
		}
		return c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0
	}
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

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// Resolve reads the Location of a redirect from base, which must be a URL of
// this package. Relative references are resolved (RFC 3986, section 5); for all
// else the rules of Parse hold.
func Resolve(base *url.URL, location string) (*url.URL, error) {
	u, err := resolve(base, location)
	return u, discreet(err, location)
}

func resolve(base *url.URL, location string) (*url.URL, error) {
	s, err := trim(location)
	if err != nil {
		return nil, err
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		s = base.Scheme + "://" + rest
	}
	if scheme, rest, ok := cutScheme(s); ok {
		if scheme, err = webScheme(scheme); err != nil {
			return nil, err
		}
		p, err := parse(rest)
		if err != nil {
			return nil, err
		}
		u := p.url(scheme)
		return u, checkLen(u)
	}
	// A colon before any slash ends a scheme; a path that has one begins with "./".
	if word, _, found := strings.Cut(cutAny(s, "/?#"), ":"); found {
		return nil, refuse("the scheme %q is not followed by //", word)
	}
	u := relative(base, s)
	return u, checkLen(u)
}

// relative resolves a reference that has neither scheme nor authority.
func relative(base *url.URL, s string) *url.URL {
	var p parts
	p.setPath(s)
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: p.query, ForceQuery: p.mark && p.query == ""}
	path := base.EscapedPath()
	switch ref := cutAny(s, "?#"); {
	case ref == "" && !p.mark:
		u.RawQuery, u.ForceQuery = base.RawQuery, base.ForceQuery
	case ref == "":
	case ref[0] == '/':
		path = removeDots(p.path)
	default:
		path = removeDots(path[:strings.LastIndexByte(path, '/')+1] + p.path)
	}
	setPath(u, path)
	return u
}

// setPath sets the path of u so that u.EscapedPath returns it as it is.
func setPath(u *url.URL, escaped string) {
	u.Path = escaped
	if strings.ContainsAny(escaped, "%!'()*[]") { // which url.URL would escape otherwise
		u.RawPath = escaped
		u.Path, _ = url.PathUnescape(escaped) // repaired, so it cannot fail
	}
}

// removeDots removes the segments "." and ".." (RFC 3986, section 5.2.4).
func removeDots(path string) string {
	var out []string
	segments := strings.Split(path, "/")[1:]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// Redact returns s fit to be printed: with "xxxxx" in place of userinfo. In a
// text that Parse refuses, all that may be userinfo counts as such.
func Redact(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	scheme, rest, found := strings.Cut(s, "://")
	if found && !strings.Contains(scheme, "@") {
		scheme += "://"
	} else {
		scheme, rest = "", s
	}
	end := len(rest)
	if _, err := Parse(s); err == nil {
		end = len(cutAny(rest, "/?#"))
	}
	i := strings.LastIndexByte(rest[:end], '@')
	if i < 0 {
		return s
	}
	return scheme + "xxxxx" + rest[i:]
}
