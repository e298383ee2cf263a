package checker

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"example.com/checker/internal/target"
)

// A Result is what one check found. Every target given to [Checker.Check],
// [Checker.CheckAll] or [Checker.Stream] gets exactly one.
//
// The verdict is Online if and only if Err is nil and StatusCode is not 0.
// Otherwise Err wraps an [*Error] that says why not; in a Result that a caller
// makes, a [Reason] or a [Cause] by itself will do. The other fields are facts gathered on the
// way; they are filled as far as the check got, whatever the verdict.
//
// The zero Result is Unknown. A Result is a plain value that nothing else
// refers to, except for the struct behind TLS and the array behind Hops, which no method
// writes to.
type Result struct {
	// Index is the position in the input of CheckAll or Stream, from 0.
	Index int

	// Target is the target as the caller wrote it, userinfo included. String,
	// LogValue and MarshalJSON hide the userinfo.
	Target string

	// URL is the URL that decided, as WHATWG URL writes it and without userinfo: the
	// one of http and https that was chosen or, with WithRedirects, the last one of
	// the redirects. It is empty if the target names no site or the check never got
	// its turn.
	URL string

	// Err is nil when the site is Online, and wraps an *Error in every other Result
	// of a Checker. Online means Err == nil and StatusCode != 0.
	Err error

	// StatusCode is the HTTP status of the answer that decided; 0 without one.
	StatusCode int

	// Method is the HTTP method of the request that decided, HEAD or GET, even if it
	// could not be sent.
	Method string

	// Proto is the protocol of the answer, such as "HTTP/1.1".
	Proto string

	// Addr is the peer that was connected to. It is the zero AddrPort if none
	// was reached, or if the connection has no IP address.
	Addr netip.AddrPort

	// Hops has the redirects that were followed, in order; nil without any, and
	// without WithRedirects. URL is where the last of them led.
	Hops []Hop

	// Attempts counts the attempts, those that WithCanaries adds included; 0 if there
	// was none.
	Attempts int

	// TLS describes the server's certificate and the session, even when the
	// certificate was refused. It is nil unless the handshake got as far as the
	// server's certificate.
	TLS *TLS

	// Start is when the check got its turn; zero if it never did.
	Start time.Time

	// Timing says where the time went.
	Timing Timing
}

// A Hop is a redirect that was followed. One that was not, for a Location that leads to
// no site or for too many, is in the Result's own URL and StatusCode. The zero Hop is none.
type Hop struct {
	URL        string `json:"url"`         // which was asked, without userinfo
	StatusCode int    `json:"status_code"` // that it answered
}

// A Timing splits the duration of a check; the zero Timing is that of a check that
// was never made. DNS, Connect, TLS and FirstByte are those of the exchange that
// decided. A phase that was not reached is 0, and DNS is next to nothing where an
// earlier lookup of the batch was used.
type Timing struct {
	Wait      time.Duration // until the check got its turn; not part of Total
	DNS       time.Duration // until the first usable address
	Connect   time.Duration // from then until a connection stood
	TLS       time.Duration // the TLS handshake
	FirstByte time.Duration // from the request sent to the first byte of the answer
	Total     time.Duration // from Start to the verdict, over all attempts, redirects and fallbacks
}

// Status returns the verdict: Online if there was an acceptable answer, and
// otherwise what the Reason of Err stands for.
func (r Result) Status() Status {
	if r.Err == nil && r.StatusCode != 0 {
		return Online
	}
	if e := errorOf(r.Err); e != nil {
		return e.verdict()
	}
	return Unknown
}

// Online reports whether the verdict is Online. If it is not, the site may be
// Offline or Unknown: do not call a site down because Online is false.
func (r Result) Online() bool { return r.Status() == Online }

// Reason says why the site is not Online. It is empty when it is.
func (r Result) Reason() Reason { return reasonOf(r.Err) }

// Cause says which of the Reason's faults it was. It is empty when the site is Online,
// where the Reason says all, and where no more is known.
func (r Result) Cause() Cause {
	if e := errorOf(r.Err); e != nil {
		_, cause := e.why()
		return cause
	}
	return ""
}

// Phase says where the check ended. It is empty when the site is Online.
func (r Result) Phase() Phase {
	if e := errorOf(r.Err); e != nil {
		return e.Phase
	}
	return ""
}

// fromSite reports whether there was an answer that is not of a portal before all sites (511).
func (r *Result) fromSite() bool {
	return r.StatusCode != 0 && r.StatusCode != http.StatusNetworkAuthenticationRequired
}

// Redact returns the text of a target as it may be shown on a terminal, in a
// log or to a stranger: with "xxxxx" in place of userinfo, and with what is not
// printable escaped as in a Go string, so that it is one line.
func Redact(text string) string { return clean(target.Redact(text), math.MaxInt) }

// String describes the result in one printable line without userinfo. The
// wording may change; use the fields, MarshalJSON or LogValue to keep results.
func (r Result) String() string {
	shown := clean(target.Redact(r.Target), maxShownURL)
	s := fmt.Sprintf("%s: %s", shown, r.Status())
	e := errorOf(r.Err)
	switch {
	case r.Err == nil && r.StatusCode != 0:
		s += fmt.Sprintf(" (%d, %v)", r.StatusCode, r.Timing.Total.Round(time.Millisecond))
	case e == nil && r.Err != nil:
		s += ": " + textOf(r.Err)
	case e != nil && strings.TrimSuffix(clean(e.URL, maxShownURL), "/") == strings.TrimSuffix(shown, "/"):
		s += ": " + e.Message() // the URL stands there already
	case e != nil:
		s += ": " + e.Error()
	}
	return s
}
