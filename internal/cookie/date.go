package cookie

import (
	"strings"
	"time"
)

// parseDate reads the date of an Expires attribute, in any order and with any signs
// between its parts (RFC 6265, section 5.1.1): "Thu, 01-Jan-70 00:00:00 GMT" is one,
// and so is what the C library's asctime writes. It is in UTC whatever it says.
func parseDate(s string) (time.Time, bool) {
	var day, year int
	var month time.Month
	var clock [3]int
	hasDay, hasYear, hasClock := false, false, false
	for word := range strings.FieldsFuncSeq(s, isDelimiter) {
		if at, ok := parseClock(word); ok && !hasClock {
			clock, hasClock = at, true
		} else if n, ok := number(word, 1, 2); ok && !hasDay {
			day, hasDay = n, true
		} else if m := parseMonth(word); m != 0 && month == 0 {
			month = m
		} else if n, ok := number(word, 2, 4); ok && !hasYear {
			year, hasYear = n, true
		}
	}
	switch {
	case year < 70:
		year += 2000
	case year < 100:
		year += 1900
	}
	t := time.Date(year, month, day, clock[0], clock[1], clock[2], 0, time.UTC)
	ok := hasDay && hasYear && hasClock && month != 0 && year >= 1601 && clock[0] < 24 && clock[1] < 60 && clock[2] < 60
	return t, ok && t.Day() == day // there is no 31st of June
}

func isDelimiter(r rune) bool {
	switch {
	case r == '\t', ' ' <= r && r <= '/', ';' <= r && r <= '@', '[' <= r && r <= '`', '{' <= r && r <= '~':
		return true
	}
	return false
}

// number reads a number of so many digits at the beginning of a word.
func number(word string, min, max int) (n int, ok bool) {
	digits := len(word) - len(strings.TrimLeft(word, "0123456789"))
	if digits < min || digits > max {
		return 0, false
	}
	for _, c := range word[:digits] {
		n = 10*n + int(c-'0')
	}
	return n, true
}

// parseClock reads a time of day.
func parseClock(word string) (at [3]int, ok bool) {
	parts := strings.SplitN(word, ":", 3)
	if len(parts) < len(at) {
		return at, false
	}
	for i, part := range parts {
		n, ok := number(part, 1, 2)
		if !ok || i < len(at)-1 && strings.Trim(part, "0123456789") != "" {
			return at, false
		}
		at[i] = n
	}
	return at, true
}

// parseMonth returns the month whose name begins as a word does, 0 for none.
func parseMonth(word string) time.Month {
	for m := time.January; m <= time.December; m++ {
		if name := m.String()[:3]; len(word) >= len(name) && strings.EqualFold(word[:len(name)], name) {
			return m
		}
	}
	return 0
}
