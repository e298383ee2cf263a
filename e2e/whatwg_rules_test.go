//go:build linux

package e2e_test

import (
	"net/url"
	"regexp"
	"strings"
)

// refusals are the rules by which the library refuses what Node reads, as the
// documentation has them. They look at what a text was made of and at what Node
// made of it, never at what the library says of it.
var refusals = []struct {
	name  string
	holds func(sample) bool
}{
	{"a scheme other than http and https, or not followed by two slashes", func(s sample) bool {
		return s.base == "" && !twoSlashes.MatchString(s.scheme) || !web.MatchString(s.node)
	}},
	{"without a scheme, a password, or a colon without a port", func(s sample) bool {
		return s.scheme == "" && (strings.Contains(s.userinfo, ":") || s.port == ":")
	}},
	{"a backslash behind the host", func(s sample) bool { return s.base == "" && strings.HasPrefix(s.rest, "\\") }},
	{"control characters", func(s sample) bool {
		return s.base == "" && strings.ContainsAny(strings.Trim(s.text, " \t\r\n"), "\t\n\r\x01\x7f")
	}},
	{"an empty host", func(s sample) bool { return s.base == "" && s.host == "" }},
	{"a port of more than five digits, or 0", func(s sample) bool { return s.port == ":0" || s.port == ":065535" }},
	{"a percent sign in the host", func(s sample) bool { return strings.Contains(s.host, "%") || strings.Contains(s.location(), "%") }},
	{"userinfo with a delimiter", func(s sample) bool { return delimiter.MatchString(s.userinfo) || bars.MatchString(s.text) }},
	{"signs in the host", func(s sample) bool {
		return strings.ContainsAny(s.nodeHost(), "!$&'()*+,;=~`{}\"") || strings.Contains(s.host, "\\")
	}},
	{"an empty label", func(s sample) bool { return strings.Contains("."+s.nodeHost(), "..") }},
	{"a label or a name that is too long", func(s sample) bool {
		return longLabel.MatchString(s.nodeHost()) || len(s.nodeHost()) > 253
	}},
	{"a number that is no dotted quad", func(s sample) bool { return dottedQuad.MatchString(s.nodeHost()) && s.host != s.nodeHost() }},
	{"a name of Tor", func(s sample) bool { return strings.HasSuffix("."+strings.TrimSuffix(s.nodeHost(), "."), ".onion") }},
	{"a name beyond ASCII with characters that are not settled", func(s sample) bool { return !s.ascii() && !s.settled }},
}

var (
	twoSlashes = regexp.MustCompile(`^(?i:https?://)?$`)
	web        = regexp.MustCompile(`^https?:`)
	bars       = regexp.MustCompile(`^[^?#]*\\[^/?#]*@`)
	scheme     = regexp.MustCompile(`^(?i)https?:`)
	delimiter  = regexp.MustCompile(`\\|%2f`)
	longLabel  = regexp.MustCompile(`[^.]{64}`)
	dottedQuad = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`)
)

// nodeHost returns the host that Node read.
func (s sample) nodeHost() string {
	_, rest, _ := strings.Cut(s.node, "://")
	host := (&url.URL{Host: rest[:strings.IndexAny(rest+"/", "/?#")]}).Hostname()
	return host
}

// location returns the host that a Location names, as it is written; it may be
// among what was meant for a path.
func (s sample) location() string {
	text := strings.Trim(strings.ReplaceAll(s.text, "\t", ""), "\x00\x01\x1f ")
	rest := scheme.ReplaceAllString(text, "")
	host := strings.TrimLeft(rest, "/\\")
	if s.base == "" || rest == text && len(rest)-len(host) < 2 {
		return ""
	}
	return host[:strings.IndexAny(host+"/", "/\\?#")]
}
