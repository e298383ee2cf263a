package wire

import "bytes"

// A statusLine is what a status line says.
type statusLine struct {
	minor int    // of HTTP/1.minor, to which other versions are taken down
	code  int    // 100 to 999
	text  []byte // the code and the reason phrase
}

// parseStatusLine reads "HTTP/1.1 200 OK" (RFC 9112, section 4) and whatever servers
// write in its place that browsers understand. It insists on a status of three
// digits: browsers take a page without one for a 200, but who is to judge an answer
// has to know what it says.
func parseStatusLine(b []byte) (statusLine, error) {
	var line statusLine
	rest, found := cutFold(b, "HTTP")
	if found {
		line.minor = minorOf(rest)
	} else {
		rest = b[min(len(b), len(shoutcast)):]
	}
	line.text = status(rest)
	if digits(line.text) != 3 || line.text[0] == '0' {
		return line, malformed("malformed status line", b)
	}
	for _, c := range line.text[:3] {
		line.code = 10*line.code + int(c-'0')
	}
	return line, nil
}

// minorOf returns the minor version that counts, of what follows "HTTP". RFC 9110,
// section 2.5 has higher ones understood as the highest that one knows.
func minorOf(b []byte) int {
	if len(b) < 2 || b[0] != '/' || b[1] < '1' || b[1] > '9' {
		return 0
	}
	if b[1] > '1' {
		return 1
	}
	if len(b) < 4 || b[2] != '.' || !isDigit(b[3]) {
		return 0
	}
	return int(b[3] - '0')
}

// status returns the number and the reason phrase, of what follows "HTTP": they stand
// behind the first space, or else behind a tab or a control byte, or else glued to
// the version. Where none of it is a number, what it returns begins with none.
func status(b []byte) []byte {
	text := after(b, bytes.IndexByte(b, ' '))
	for isVersion(text) {
		text = after(text, bytes.IndexFunc(text, isBlank))
	}
	if digits(text) > 0 {
		return text
	}
	blank := bytes.IndexFunc(b, isBlank)
	if text := after(b, blank); digits(text) > 0 {
		return text
	}
	version := len(b)
	if blank >= 0 {
		version = blank
	}
	return b[max(0, version-3):]
}

// isVersion reports whether b begins with what is left of a version that has a space
// in it, as in "HTTP / 1.1".
func isVersion(b []byte) bool {
	if digits(b) == 3 {
		return false
	}
	n := bytes.IndexFunc(b, func(c rune) bool { return c != '/' && c != '.' && (c < '0' || c > '9') })
	return n > 0 && b[n] == ' ' && bytes.ContainsAny(b[:n], "/.")
}

// after returns what follows the blanks at b[i], or nothing for an i below 0.
func after(b []byte, i int) []byte {
	if i < 0 {
		return nil
	}
	return bytes.TrimLeftFunc(b[i:], isBlank)
}

// isBlank reports whether c is a space or a control byte.
func isBlank(c rune) bool { return c <= ' ' || c == 0x7f }

// digits returns how many digits b begins with.
func digits(b []byte) (n int) {
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return n
}

// statusText returns the code and the reason phrase, up to what browsers take for the
// end of the line.
func statusText(b []byte) string {
	if string(b) == "200 OK" {
		return "200 OK" // most are, and need no copy
	}
	text, _, _ := bytes.Cut(b, []byte("\r"))
	return string(bytes.TrimSpace(text))
}
