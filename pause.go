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
func (p *probe) pause(u *url.URL, resp *http.Response, sent time.Time) bool {
	d := retryAfter(resp)
	if d <= 0 {
		return false
	}
	key, err := p.key(u)
	if err == nil {
		p.pacer.Pause(key, sent, min(d, p.timeout))
	}
	return true
}

func isPause(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable
}

// retryAfter returns for how long an answer asks not to be asked again: 0
// unless its status says so too (RFC 9110, section 15.6.4; RFC 6585, section 4)
// and its Retry-After is a number of seconds or a date to come (RFC 9110,
// section 10.2.3).
func retryAfter(resp *http.Response) time.Duration {
	if !isPause(resp.StatusCode) {
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
	now := time.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), most*time.Second)
}
