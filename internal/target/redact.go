package target

import "strings"

// Redact returns s fit to be printed: with "xxxxx" in place of userinfo. In a
// text that Parse refuses, all that may be userinfo counts as such.
func Redact(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	scheme, rest, ok := cutScheme(strings.TrimLeft(s, " \t\r\n\v\f\ufeff"))
	if ok {
		scheme += "://"
	} else { // what stands before "://", if there is any, may be a password
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
