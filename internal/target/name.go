package target

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // RFC 1035, section 2.3.4, without the dot of a rooted name
	maxLabel = 63
)

// profile maps names as WHATWG URL does (UTS #46, non-transitional, neither strict
// about hyphens nor about ASCII), for the sake of hosts that exist: underscores,
// and hyphens in the third and fourth place ("r3---sn-x.example").
var profile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.BidiRule(),
	idna.CheckJoiners(true),
	idna.CheckHyphens(false),
	idna.StrictDomainName(false),
)

// parseName returns a name in ASCII and lower case. One that is all ASCII is asked
// as it is: browsers ask for "xn--" labels, too, that decode to nothing which a
// newer Unicode, or an older rule, would let anybody register.
func parseName(s string) (string, error) {
	// Before any mapping, whose cost grows with the length of a label. No
	// mapping makes a name four times shorter.
	if len(s) > 4*maxName {
		return "", refuse("the host %q is too long", s)
	}
	name := strings.ToLower(s)
	if !isASCII(s) {
		var ok bool
		if name, ok = mapName(s); !ok {
			return "", refuse("%q is no internationalised host name that every version of Unicode maps alike", s)
		}
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mapName returns the ASCII form of a name that is not ASCII. The tables of package
// idna are those of the release of Go that built the program, and browsers have
// others again: a name that has a character which two versions of Unicode map
// differently ("ẞ" is "ss" or "ß"), or which the older does not know, before the
// mapping or after it, could be two hosts.
func mapName(s string) (string, bool) {
	if !isStable(s) {
		return "", false
	}
	ascii, err := profile.ToASCII(s)
	if err != nil {
		return "", false
	}
	name, err := profile.ToUnicode(ascii)
	if err != nil || !isStable(name) {
		return "", false
	}
	// Not all that it makes does it accept.
	again, err := profile.ToASCII(name)
	// It reads a label that is "xn--" alone as an empty one: one at the end would
	// leave the dot of a rooted name, and another host.
	r, _ := utf8.DecodeLastRuneInString(s)
	return ascii, err == nil && again == ascii && strings.ContainsRune(fullStops, r) == strings.HasSuffix(ascii, ".")
}

// fullStops are what UTS #46 takes for a dot.
const fullStops = ".\u3002\uff0e\uff61"

// isStable reports whether s is UTF-8 of characters that names may have and that
// all versions of Unicode map alike.
func isStable(s string) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf && !unicode.Is(stable, r) {
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
		case label == "xn--":
			return refuse("the host %q has a label that encodes nothing", name) // and that some read as an empty one
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
