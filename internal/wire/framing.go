package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A framing is what the fields of a head say of the end of its body.
type framing struct {
	listed  bool   // there is a Content-Length
	sized   bool   // one of them, or of those in a list, is a number
	size    int64  // the first such number
	differ  bool   // another is another number
	unclear bool   // a field is no number
	absurd  bool   // and does not even begin with one
	first   string // what it begins with, up to a comma
	apart   bool   // what follows a comma or in another field is not the same

	coded   bool // the body is encoded for the transfer
	chunked bool // in chunks
}

// addCodings takes in a Transfer-Encoding. "identity" is none. Chunks need not come last,
// as RFC 9112, section 6.1 has it: Chromium decodes them anyway.
func (f *framing) addCodings(value string) {
	for coding := range strings.SplitSeq(value, ",") {
		coding = strings.Trim(coding, " \t")
		if coding != "" && !strings.EqualFold(coding, "identity") {
			f.coded, f.chunked = true, f.chunked || strings.EqualFold(coding, "chunked")
		}
	}
}

// addLength takes in a Content-Length.
func (f *framing) addLength(value string) {
	for one := range strings.SplitSeq(value, ",") {
		one = strings.Trim(one, " \t")
		if !f.listed {
			f.listed, f.first = true, one
		}
		f.apart = f.apart || one != f.first
		if n, err := strconv.ParseUint(one, 10, 63); err == nil {
			if !f.sized {
				f.sized, f.size = true, int64(n)
			}
			f.differ = f.differ || int64(n) != f.size
		}
	}
	if _, err := strconv.ParseUint(value, 10, 63); err != nil {
		f.unclear = true
		f.absurd = f.absurd || digits([]byte(strings.TrimPrefix(value, "+"))) == 0
	}
}

// settle returns the length of the body and whether it comes in chunks; a body whose
// end is not clear has length -1 and ends with the connection.
//
// Two lengths are the mark of a response that was put together from two. Chromium
// refuses all that differ as text, where they matter to it, and curl what is no
// number. What neither reads is refused, and so are two different numbers.
func (f *framing) settle(code, minor int) (length int64, chunked bool, err error) {
	coded := f.coded && minor > 0 // RFC 9112, section 6.1: HTTP/1.0 has no codings
	switch {
	case !coded && !isBodiless(code) && (f.differ || f.apart && f.absurd):
		return 0, false, &HeadError{text: fmt.Sprintf("lengths that differ, of which the first is %.64q", f.first)}
	case f.sized && !f.unclear && !f.coded:
		return f.size, false, nil
	}
	return -1, coded && f.chunked, nil
}

// isBodiless reports whether no answer of that status has a body, whatever its fields
// say (RFC 9112, section 6.3).
func isBodiless(code int) bool {
	return code < 200 || code == http.StatusNoContent || code == http.StatusNotModified
}
