package cookie

import (
	"testing"
	"time"
)

// Dates that browsers read (RFC 6265, section 5.1.1), and what they do not.
func TestDate(t *testing.T) {
	for in, want := range map[string]string{
		"Thu, 01 Jan 1970 00:00:10 GMT":      "1970-01-01T00:00:10Z",
		"Thu, 01-Jan-1970 00:00:10 GMT":      "1970-01-01T00:00:10Z",
		"Thursday, 01-Jan-70 00:00:10 GMT":   "1970-01-01T00:00:10Z",
		"Thu Jan  1 00:00:10 1970":           "1970-01-01T00:00:10Z",
		"Thu, 1 Jan 1970 0:0:10":             "1970-01-01T00:00:10Z",
		`"Thu, 01 Jan 1970 00:00:10 GMT"`:    "1970-01-01T00:00:10Z",
		"Mon, 01 JANUARY 1970 00:00:10 CEST": "1970-01-01T00:00:10Z",
		"1970/Jan/01 00:00:10":               "1970-01-01T00:00:10Z",
		"Sun, 31 Dec 69 23:59:59 GMT":        "2069-12-31T23:59:59Z",
		"Mon, 01 Jan 0001 00:00:00 GMT":      "2001-01-01T00:00:00Z",
		"29 Feb 2024 23:59:59.999Z":          "2024-02-29T23:59:59Z",
		"29 Feb 2023 00:00:00":               "",
		"31 Jun 2024 00:00:00":               "",
		"01 Jan 1600 00:00:00":               "",
		"01 Jan 2024 24:00:00":               "",
		"01 Jan 2024 00:60:00":               "",
		"01 Jan 2024 00:00":                  "",
		"00 Jan 2024 00:00:00":               "",
		"Jan 2024 00:00:00":                  "",
		"1970-01-01T00:00:00Z":               "",
		"01 Ja 2024 00:00:00":                "",
		"01 Jan 20240 00:00:00":              "",
		"0":                                  "",
		"":                                   "",
	} {
		got, ok := parseDate(in)
		if text := got.Format(time.RFC3339); ok != (want != "") || ok && text != want {
			t.Errorf("parseDate(%q) = %s, %t; want %q", in, text, ok, want)
		}
	}
}
