package target

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// parts are a URL without its scheme.
type parts struct {
	host     string // with brackets if it is an IPv6 literal
	port     string // canonical; "" if not given
	hostPort string // "host:port"; "" without a port
	path     string // escaped, with a slash at the beginning
	query    string
	mark     bool // there is a question mark, be the query empty or not
}

// What ends an authority. Whoever wrote a target may mean it for programs that do
// not take a backslash for a slash, so in its authority there must be none; a
// Location is for browsers.
const (
	targetEnds   = "/?#"
	locationEnds = "/\\?#"
)

// parse reads what follows "scheme://", of which any of ends ends the authority.
func parse(s, ends string) (p parts, err error) {
	authority := cutAny(s, ends)
	p.parsePath(s[len(authority):])
	// What ends an authority for some readers must not stand in userinfo:
	// "http://good.test\@127.0.0.1/" is two hosts to two programs.
	loose := cutAny(s, targetEnds)
	if i := strings.LastIndexByte(loose, '@'); i >= 0 && ambiguous(loose[:i]) {
		return p, &Error{format: "its userinfo has a delimiter in it"}
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if i := strings.IndexAny(authority, "\\ \"<>^`{|}"); i >= 0 {
		return p, refuse("%q has no place in a host", authority[i:i+1])
	}
	host, port, err := cutPort(authority)
	if err != nil {
		return p, err
	}
	if p.port, err = parsePort(port); err != nil {
		return p, err
	}
	if p.host, err = parseHost(host); err != nil {
		return p, err
	}
	switch {
	case p.port == "":
	case p.host == host && p.port == port: // as most are, and need no copy
		p.hostPort = authority
	default:
		p.hostPort = p.host + ":" + p.port
	}
	return p, nil
}

func ambiguous(userinfo string) bool {
	lower := strings.ToLower(userinfo)
	for _, delimiter := range []string{"\\", "%2f", "%5c", "%3f", "%23"} {
		if strings.Contains(lower, delimiter) {
			return true
		}
	}
	return false
}

// cutPort splits the port off an authority without userinfo.
func cutPort(authority string) (host, port string, err error) {
	end := strings.LastIndexByte(authority, ']') + 1
	host, port, found := strings.Cut(authority[end:], ":")
	switch {
	case end > 0 && host != "":
		return "", "", refuse("%q follows an address in brackets", host)
	case found && strings.Contains(port, ":"):
		return "", "", &Error{format: "it has more than one colon; an IPv6 address needs brackets"}
	}
	return authority[:end] + host, port, nil
}

func parsePort(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || len(s) > 5 || s[0] == '+' {
		return "", refuse("%q is no port", s)
	}
	if s[0] == '0' {
		s = strconv.FormatUint(n, 10)
	}
	return s, nil
}

// url returns the URL for a scheme.
func (p *parts) url(scheme string) *url.URL {
	u := &url.URL{Scheme: scheme, Host: p.host, RawQuery: p.query, ForceQuery: p.mark && p.query == ""}
	if p.port != "" && !(p.port == "80" && scheme == "http" || p.port == "443" && scheme == "https") {
		u.Host = p.hostPort
	}
	setPath(u, p.path)
	return u
}

// parseHost returns the canonical form of a host.
func parseHost(s string) (string, error) {
	switch {
	case s == "":
		return "", &Error{format: "it has no host"}
	case strings.Contains(s, "%"):
		return "", refuse("the host %q has a percent sign", s)
	case s[0] == '[' && s[len(s)-1] == ']':
		addr, err := netip.ParseAddr(s[1 : len(s)-1])
		if err != nil || addr.Is4() || addr.Zone() != "" {
			return "", refuse("%q is no IPv6 address", s)
		}
		return "[" + addr6(addr) + "]", nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is4() {
		return s, nil // there is no other way to write it
	}
	return parseName(s)
}

// addr6 writes an IPv6 address as WHATWG URL does: never with a dotted quad.
func addr6(addr netip.Addr) string {
	if b := addr.As16(); addr.Is4In6() {
		return fmt.Sprintf("::ffff:%x:%x", uint(b[12])<<8|uint(b[13]), uint(b[14])<<8|uint(b[15]))
	}
	return addr.String()
}
