package cli

import (
	"net/http"

	"example.com/checker"
)

// Moved returns where the site of a Result has moved for good (301 and 308; RFC 9110,
// sections 15.4.2 and 15.4.9), so that its URL may be replaced; "" if it has not. It
// counts the redirects up to the first that is not for good, and those that lead to an
// answer that is no error. It wants [checker.WithRedirects].
func Moved(r checker.Result) string {
	n := 0
	for n < len(r.Hops) && (r.Hops[n].StatusCode == http.StatusMovedPermanently || r.Hops[n].StatusCode == http.StatusPermanentRedirect) {
		n++
	}
	if n == 0 || !r.Online() || r.StatusCode >= http.StatusBadRequest {
		return ""
	}
	to := r.URL
	if n < len(r.Hops) {
		to = r.Hops[n].URL
	}
	if to == r.Hops[0].URL { // as after a cookie was set
		return ""
	}
	return to
}
