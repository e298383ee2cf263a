package target

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // RFC 1035, section 2.3.4, without the dot of a rooted name
	maxLabel = 63
)

// profile maps names as browsers do for a lookup (UTS #46, non-transitional).
// It is laxer than idna.Lookup in two points, for the sake of hosts that exist:
// underscores, and hyphens in the third and fourth place ("r3---sn-x.example").
var profile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.BidiRule(),
	idna.CheckJoiners(true),
	idna.CheckHyphens(false),
	idna.StrictDomainName(false),
)

// parseName returns a name in ASCII and lower case.
func parseName(s string) (string, error) {
	// Before any mapping, whose cost grows with the length of a label. No
	// mapping makes a name four times shorter.
	if len(s) > 4*maxName {
		return "", refuse("the host %q is too long", s)
	}
	name := s
	if !isPlain(s) {
		ascii, err := profile.ToASCII(s)
		if err == nil { // not all that it makes does it accept
			name, err = profile.ToASCII(ascii)
		}
		if err != nil || name != ascii || !utf8.ValidString(s) {
			return "", refuse("%q is no internationalised host name", s)
		}
	}
	name = strings.ToLower(name)
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

// isPlain reports whether s needs no mapping but that to lower case.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
		if s[i] == '-' && i >= 3 && strings.EqualFold(s[i-3:i+1], "xn--") {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	labels := strings.TrimSuffix(name, ".")
	if len(labels) > maxName {
		return refuse("the host %q is too long", name)
	}
	for i := range len(labels) {
		c := labels[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return refuse("%q has no place in a host", string(rune(c)))
		}
	}
	last := ""
	for label := range strings.SplitSeq(labels, ".") {
		switch {
		case label == "":
			return refuse("the host %q has an empty label", name)
		case len(label) > maxLabel:
			return refuse("the label %q is too long", label)
		}
		last = label
	}
	switch {
	case isNumber(last):
		// Whether this is an address, and which, depends on who reads it.
		return refuse("the host %q ends in a number and was not written as a dotted quad", name)
	case last == "onion":
		return refuse("%q is a name of the Tor network (RFC 7686)", name)
	}
	return nil
}

// isNumber reports whether a label is what inet_aton takes for a number.
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
