package checker

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

// ErrInvalidOption is wrapped by every error that [New] returns.
var ErrInvalidOption = errors.New("invalid option")

// An Option sets one property of a [Checker]. An option given twice counts as
// given last, except WithHeader and WithCanaries, which add up. The zero Option
// is refused.
type Option func(*config) error

func refuse(option, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalidOption, option, fmt.Sprintf(format, args...))
}

// WithTimeout bounds one whole check: all attempts, hops and fallbacks together.
// Waiting for a turn is not counted. Hooks that are under way are waited for, so
// a judge or a policy that takes its time makes a check that much longer. The
// default is 10 seconds. A duration that is not positive is refused.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return refuse("WithTimeout", "%v is not positive", d)
		}
		c.timeout = d
		return nil
	}
}

// WithConcurrency bounds the checks that run at once in one call of CheckAll or
// Stream; each call has its own bound. A check may have several connections
// open for a moment, where addresses, candidates or methods are tried beside
// each other. The default is 100. Less than 1 is refused.
func WithConcurrency(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return refuse("WithConcurrency", "%d is less than 1", n)
		}
		c.concurrency = n
		return nil
	}
}

// WithRateLimit bounds the requests that the whole Checker starts per second,
// over all calls: a token bucket that holds burst tokens, of which every
// attempt, hop and fallback takes one. The first token of a check is waited for
// before its timeout begins, further ones within it. The default is no limit,
// which is also what rate.Inf means. A limit that is not positive and a burst
// below 1 are refused.
func WithRateLimit(limit rate.Limit, burst int) Option {
	return func(c *config) error {
		return setRate("WithRateLimit", &c.limits.Rate, &c.limits.Burst, limit, burst)
	}
}

// WithHostConcurrency bounds the checks that run at once on one host, over all
// calls on the Checker. Checks that wait for their host hold none of the slots
// of WithConcurrency. A check counts on the host of its target, and not on those
// that redirects lead it to. The default is 6. Less than 1 is refused.
func WithHostConcurrency(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return refuse("WithHostConcurrency", "%d is less than 1", n)
		}
		c.limits.HostWidth = n
		return nil
	}
}

// WithHostRateLimit is WithRateLimit for each host by itself. The default is no
// limit, which is also what rate.Inf means. A limit that is not positive and a
// burst below 1 are refused.
func WithHostRateLimit(limit rate.Limit, burst int) Option {
	return func(c *config) error {
		return setRate("WithHostRateLimit", &c.limits.HostRate, &c.limits.HostBurst, limit, burst)
	}
}

func setRate(option string, l *rate.Limit, b *int, limit rate.Limit, burst int) error {
	if !(limit > 0) { // also NaN
		return refuse(option, "a limit of %v is not positive", float64(limit))
	}
	if burst < 1 {
		return refuse(option, "a burst of %d lets nothing through", burst)
	}
	if *l, *b = limit, burst; limit >= rate.Inf {
		*l = 0
	}
	return nil
}

// WithRetries sets how many further attempts a check makes after a reason that
// may pass: reset, refused, dns, and rejected if the answer came with a
// Retry-After. Each begins anew, with a fresh lookup and a fresh connection,
// after a random wait of up to 200 ms, doubled each time, or after the time that
// Retry-After gives, and only while time is left. The default is 1. A negative
// number is refused.
func WithRetries(n int) Option {
	return func(c *config) error {
		if n < 0 {
			return refuse("WithRetries", "%d is negative", n)
		}
		c.retries = n
		return nil
	}
}

// WithMethod sets the method of requests: HEAD, the default, or GET. HEAD falls
// back to GET where a server cannot deal with it; where it is not answered within
// a third of the timeout, GET is asked beside it, on a connection of its own.
// Other methods are refused.
func WithMethod(method string) Option {
	return func(c *config) error {
		if method != http.MethodHead && method != http.MethodGet {
			return refuse("WithMethod", "%q is neither HEAD nor GET", method)
		}
		c.method = method
		return nil
	}
}

// WithHeader adds a field to every request to the origin of the target (its
// scheme, host and port); a redirect to another origin does not get it. The key
// "Host" sets the Host header. Given again with the same key it adds another
// value, but for Accept, Accept-Encoding, User-Agent and Host, which it
// replaces. The defaults are "Accept: */*", "Accept-Encoding: identity" and a
// User-Agent that names this package. Refused are what RFC 9110 does not allow
// in a field, and the fields that belong to the connection or delimit a message.
func WithHeader(key, value string) Option {
	return func(c *config) error {
		key := http.CanonicalHeaderKey(key)
		switch {
		case !wire.IsToken(key):
			return refuse("WithHeader", "%q is not a field name", key)
		case !wire.IsText(value):
			return refuse("WithHeader", "the value of %s has a control character", key)
		case slices.Contains(reservedFields, key):
			return refuse("WithHeader", "%s belongs to the connection", key)
		}
		value = strings.Trim(value, " \t")
		switch key {
		case "Host":
			if _, err := target.Parse("http://" + value); err != nil || strings.ContainsAny(value, "/?#@") {
				return refuse("WithHeader", "%q is not a host", value)
			}
			c.host = value
		case "Accept", "Accept-Encoding", "User-Agent":
			c.header.Set(key, value)
		default:
			c.header.Add(key, value)
		}
		return nil
	}
}

// reservedFields delimit the message or belong to the connection. A caller who
// could set them could make one request look like two.
var reservedFields = []string{
	"Connection", "Content-Length", "Expect", "Keep-Alive", "Proxy-Connection", "Te",
	"Trailer", "Transfer-Encoding", "Upgrade",
}

// WithRedirects sets how many redirects are followed; the answer at the end of
// them decides. A site with more of them is Offline with ReasonRedirect. The
// default is 0: the first answer decides, and a redirect is an answer. A negative
// number is refused.
func WithRedirects(max int) Option {
	return func(c *config) error {
		if max < 0 {
			return refuse("WithRedirects", "%d is negative", max)
		}
		c.redirects = max
		return nil
	}
}

// WithCanaries names sites that are known to be up, for a machine whose own
// network may fail. A network that is down here looks like sites that do not
// answer (ReasonTimeout) or cannot be reached (ReasonUnreachable), so with
// canaries these two verdicts stand only if the network is known to have worked
// while the site had its chance: if answers of other sites came in from the
// beginning of the check until a second later, never more than a second apart.
//
// If that is not known, the canaries are asked, all at once and at most four
// times a second; one answer, whatever its status, is enough. If none answers,
// the verdict is Unknown with ReasonLocal. If one does, the site is asked again
// and the canaries beside it, up to three times. What failed at once is always
// asked again. A verdict may so be held back for several times the timeout, and
// holds its slot meanwhile; Timing.Total tells.
//
// Choose canaries that share nothing but the network with the sites and with
// each other. The default is none, and then nothing is held back. An empty list
// and targets that name no site are refused.
func WithCanaries(targets ...string) Option {
	return func(c *config) error {
		if len(targets) == 0 {
			return refuse("WithCanaries", "there are none")
		}
		for _, t := range targets {
			if _, err := target.Parse(t); err != nil {
				return refuse("WithCanaries", "%v", err)
			}
		}
		c.canaryTargets = append(c.canaryTargets, targets...)
		return nil
	}
}
