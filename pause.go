package checker

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// pause heeds a host that is asked too much: no further check of it starts for
// as long as it says, or for the timeout if that is less. It reports whether
// the host asked for a pause.
func (p *probe) pause(u *url.URL, resp *http.Response, began time.Time) bool {
	d := retryAfter(resp, time.Now())
	if d <= 0 {
		return false
	}
	key, err := p.key(u)
	if err == nil {
		p.pacer.Pause(key, began, min(d, p.timeout))
	}
	return true
}

// retryAfter returns for how long an answer asks not to be asked again: 0
// unless its status says so too (RFC 9110, section 15.6.4; RFC 6585, section 4)
// and its Retry-After is a number of seconds or a date to come (RFC 9110,
// section 10.2.3).
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	if code := resp.StatusCode; code != http.StatusTooManyRequests && code != http.StatusServiceUnavailable {
		return 0
	}
	const most = 1 << 32 // seconds, which no timeout has
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(n, most)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// The server's clock made the date, so if it tells its time, that counts.
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), most*time.Second)
}
