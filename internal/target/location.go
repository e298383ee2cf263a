package target

import (
	"net/url"
	"strings"
)

// maxLocationLen is the longest Location that is read, in bytes, and the longest URL
// that comes of it: more than a target may have, since nobody types what one service
// for signing in tells the next.
const maxLocationLen = 32 << 10

var errLongLocation = &Error{format: "it is over 32 KiB"}

// Resolve reads the Location of a redirect from base, which must be a URL of this
// package, as browsers do (WHATWG URL): relative to base, with tabs and line breaks
// taken out, and with any number of slashes and backslashes before a host. Hosts
// are under the rules of Parse. Every error is an [Error].
func Resolve(base *url.URL, location string) (*url.URL, error) {
	u, err := resolve(base, location)
	return u, discreet(err, location)
}

func resolve(base *url.URL, location string) (*url.URL, error) {
	s := strip(location)
	if len(s) > maxLocationLen {
		return nil, errLongLocation
	}
	scheme := base.Scheme
	if word, rest, found := strings.Cut(s, ":"); found && isScheme(word) {
		var err error
		if scheme, err = webScheme(word); err != nil {
			return nil, err
		}
		s = rest // "http:x" is relative to a base that is http, and has the host x elsewhere
	}
	if scheme == base.Scheme && !(len(s) >= 2 && isSlash(s[0]) && isSlash(s[1])) {
		return short(relative(base, s))
	}
	p, err := parse(strings.TrimLeft(s, "/\\"), locationEnds)
	if err != nil {
		return nil, err
	}
	return short(p.url(scheme))
}

// short returns u, unless it is over maxLocationLen.
func short(u *url.URL) (*url.URL, error) {
	if size(u) > maxLocationLen {
		return nil, errLongLocation
	}
	return u, nil
}

// strip returns s without spaces and controls at both ends, and without tabs and
// line breaks anywhere.
func strip(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(s, "\t\n\r") {
		return s
	}
	return strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// relative resolves a reference that has neither scheme nor authority.
func relative(base *url.URL, s string) *url.URL {
	u := &url.URL{Scheme: base.Scheme, Host: base.Host}
	path := Path(base)
	switch ref := slashes(cutAny(s, "?#")); {
	case ref == "":
	case ref[0] == '/':
		path = ref
	default:
		path = path[:strings.LastIndexByte(path, '/')+1] + ref
	}
	var p parts
	if s == "" || s[0] == '#' {
		p = parts{path: path, query: base.RawQuery, mark: base.ForceQuery}
	} else {
		p.parsePath(path + s[len(cutAny(s, "?#")):])
	}
	u.RawQuery, u.ForceQuery = p.query, p.mark && p.query == ""
	setPath(u, p.path)
	return u
}
