//go:build linux

package e2e_test

import "regexp"

// A headDifference is a difference from Chromium and curl that is meant. It is about
// rows by name; each of them has to differ.
type headDifference struct{ names, why string }

var headDifferences = []headDifference{
	// There has to be a status: three digits, 100 at least (RFC 9110, section 15).
	{`N6 "[059]" behind the status`, "four digits are no status; Chromium takes them for one"},
	{`N6 "\\n" (and a space )?before the status|N6 a space and "\\n" before the status`, "the first line ends before its status; Chromium makes it a 200"},
	{`N6 "\\n" (in the version|is the m..or version|in place of the slash)`, "the first line ends before its status; Chromium makes it a 200"},
	{`N6 a space and "([^ \\]|\\["\\]|\\x[89a-f].)" before the status`, "there is no number where the status should be; Chromium makes it a 200"},
	{`N6 "HTTP/1\.1 : 200 OK"`, "there is no number where the status should be; Chromium makes it a 200"},
	{`N6 "([^059\\]|\\[^x]|\\x(0[^0]|[^0].))" in the status`, "one digit is no status; Chromium takes it for one"},
	{`N6 " " in the version`, "one digit is no status; Chromium takes it for one"},
	{`N9 "(HTTP|http|ICY).*"`, "there is no number where the status should be; Chromium makes it a 200"},
	{`E5 .*`, "these are no status; Chromium takes any number for one"},
	{`E12 "(HTTP(/(1(\.(1( (2|20|2000|abc\\r\\n)?)?)?)?)?)?|ICY ?)"`, "it was cut off before there was a status; Chromium makes it a 200"},
	{`E12 "HTTP/1\.1 (100|103 x\\r\\n)"`, "an interim response is no answer; Chromium shows an empty page for half of one, and nothing for a whole one"},

	// NUL.
	{`N2 "\\x00" begins a name`, "NUL; curl takes the line for an empty one"},
	{`E12 "HTTP/1\.1 200 OK\\r\\nA: b\\x00"`, "NUL; curl does not look at the half of a line"},

	// Lengths.
	{`N4( HTTP/1\.0| 404)? "(7\\r\\nContent-Length: 8|[08]\\r\\nContent-Length: 7|7, 8|8, 7|7\\r\\nContent-Length: 7, 8)"`, "two answers were mixed up, as for Chromium; curl takes the first length"},

	// Sizes.
	{`N8 60000 short fields`, "over 256 KiB, as for Chromium; curl takes a little more"},
	{`E18 (15|20)000 times 103`, "one cap holds for all heads together, or there would be no end; Chromium counts each by itself"},

	// Others.
	{`E6 "511"`, "this machine's network wants a login, which is no answer of the site (RFC 6585, section 6)"},
	{`E18 only "HTTP/1\.1 101.*"`, "the site has answered in HTTP, and said what it speaks from now on; neither Chromium nor curl asked for that"},
}

// headDiffers returns what is agreed on about a row, or nil.
func headDiffers(name string) *headDifference {
	for i, a := range headDifferences {
		if regexp.MustCompile("^(?:" + a.names + ")$").MatchString(name) {
			return &headDifferences[i]
		}
	}
	return nil
}
