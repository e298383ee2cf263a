package checker

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/guard"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

// WithTimeout bounds one whole check: all attempts, redirects and fallbacks
// together. It begins when the check gets its turn; waiting for that, and for
// descriptors, memory or ports, comes before. [WithCanaries] may ask again beyond it.
// What has come when its end is noticed still counts. If this process did not get to
// run for a quarter of it near its end, and for 200 ms at least, because it was stopped
// or because all that wanted to run had too little CPU, or if the lookup took more than
// half of it, silence is not the site's: the check is Unknown with ReasonLocal or
// ReasonDNS. Less will do where the kernel says that something had come from the site and
// it was this process's turn. On Linux the check is ReasonLocal as well if half of the
// timeout had passed before this process sent what the site was silent on.
// A judge or a transport that is under way when the time is over is waited for; see
// [Option]. The default is 10 seconds. A duration that is not positive is refused.
func WithTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return refuse("WithTimeout", "%v is not positive", d)
		}
		c.timeout = d
		return nil
	}
}

// WithConcurrency bounds the checks that run at once, over all calls on the Checker, of
// Check as well. Calls take turns. A check may have several connections
// open for a moment, where addresses, candidates or methods are tried beside
// each other. The default is 100. Less than 1 is refused.
func WithConcurrency(n int) Option {
	return shared("WithConcurrency", func(c *config) error {
		if n < 1 {
			return refuse("WithConcurrency", "%d is less than 1", n)
		}
		c.limits.Width = n
		return nil
	})
}

// WithRateLimit bounds the requests that the whole Checker starts per second,
// over all calls: a token bucket that holds burst tokens, of which every
// attempt, redirect and fallback takes one. The first token of a check is waited for
// before its timeout begins, further ones within it. If a further one cannot come in
// time, that request is not made, and what has been found by then decides; if that
// is nothing, the check is Unknown with ReasonLocal. Tokens go to further requests first,
// in the order in which they were wanted, and then to calls in turn: single checks start
// in the order in which they came. The default is no limit,
// which is also what rate.Inf means. A limit that is not positive and a burst
// below 1 are refused.
func WithRateLimit(limit rate.Limit, burst int) Option {
	return shared("WithRateLimit", func(c *config) error {
		return setRate("WithRateLimit", &c.limits.Rate, &c.limits.Burst, limit, burst)
	})
}

// WithHostConcurrency bounds the checks that run at once on one host, over all
// calls on the Checker. A place that becomes free goes to the call that has waited for
// it longest, so calls share a host evenly. Checks that wait for their host hold none of
// the slots of WithConcurrency. A check counts on the host of its target, and not on those
// that redirects lead it to. The default is 6. Less than 1 is refused.
func WithHostConcurrency(n int) Option {
	return shared("WithHostConcurrency", func(c *config) error {
		if n < 1 {
			return refuse("WithHostConcurrency", "%d is less than 1", n)
		}
		c.limits.HostWidth = n
		return nil
	})
}

// WithHostRateLimit is WithRateLimit for each host by itself. The default is no
// limit, which is also what rate.Inf means. A limit that is not positive and a
// burst below 1 are refused.
func WithHostRateLimit(limit rate.Limit, burst int) Option {
	return shared("WithHostRateLimit", func(c *config) error {
		return setRate("WithHostRateLimit", &c.limits.HostRate, &c.limits.HostBurst, limit, burst)
	})
}

// WithRetryAfter bounds the pauses that are kept. An origin (scheme, host and port) that
// answers 429 or 503 with a Retry-After field is left alone for as long as that says, or
// for max if that is less: no check of it starts, nor is it asked as a canary; then its
// checks start one by one, at first no faster than its host took them before. If ctx ends
// meanwhile, the error says until when the pause is. Other origins of the host are not concerned. A
// pause is remembered, in some hundred bytes, until a minute after its end.
// The default is the timeout; 0 ignores the field. A negative duration is refused.
func WithRetryAfter(max time.Duration) Option {
	return shared("WithRetryAfter", func(c *config) error {
		if max < 0 {
			return refuse("WithRetryAfter", "%v is negative", max)
		}
		c.retryAfter = max
		return nil
	})
}

// shared is an option of what With shares, which it therefore refuses.
func shared(option string, set Option) Option {
	return func(c *config) error {
		if c.derived {
			return refuse(option, "the Checker that With is called on has its limits, pauses and canaries in common with the new one; give it to New")
		}
		return set(c)
	}
}

// way is an option of how canaries are asked as well as sites.
func way(option string, set Option) Option {
	return func(c *config) error {
		if c.derived && len(c.canaryTargets) > 0 {
			return refuse(option, "the canaries of the Checker that With is called on are asked in another way")
		}
		return set(c)
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
// Retry-After or the judge's error says that it may pass ([WithJudge]). Each begins
// anew, with a fresh lookup and a fresh connection,
// after a random wait of up to 200 ms, a bound that doubles each time, or after the time that
// Retry-After gives, and only while time is left. What a further attempt found does
// not count where it was cut short, by the timeout or for want of a token: the verdict
// before it stands. The default is 1. A negative number is refused.
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

// WithHeader adds a field to every request to the origin of the target: its
// scheme, host and port. Requests to other origins, which redirects lead to, do
// not get it, so a secret in it reaches the target's server only.
//
// The key "Host" sets the Host field. A key that is given again gets another
// value beside the first, except for Accept, Accept-Encoding, User-Agent and Host,
// which have one value only, the last, and Cookie, whose values become one field.
// The defaults are "Accept: */*", "Accept-Encoding: identity" and a User-Agent that
// names this package. What RFC 9110 does not allow in a field is refused, and so are
// the fields that belong to the connection or delimit a message.
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
		case "Cookie":
			// There is only one such field in a request (RFC 6265, section 5.4).
			if before := c.header.Get(key); before != "" {
				value = before + "; " + value
			}
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
// them decides. A site with more of them is Offline with ReasonRedirect, and so is
// one with a Location that leads to no site or is over 32 KiB, or with two that
// differ. A redirect without a Location is an answer like any other. [Result.Hops]
// has the way.
//
// Redirects are followed as a browser does that visits the site for the first time.
// A loop is walked until their number is used up, and cookies come back to the
// sites that set them, by the rules of RFC 6265bis and the list of public suffixes.
// They live for one walk and are told to nobody: each attempt, http and https of a
// target without a scheme, and HEAD and GET are visitors of their own. Where HEAD was
// led to what fails, or is silent for a third of the timeout, GET walks from the
// beginning, and decides.
//
// The default is 0: the first answer decides, and a redirect is an answer. A
// negative number is refused.
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
// network may fail. Without canaries, sites that cannot be reached because this
// machine's network is down are Offline.
//
// With them, a site that gave no answer is Offline only if this machine's network is
// known to have worked while the site had its chance: from the beginning of its check
// until it failed, or for a second. A site that is silent for two seconds or more has it
// half a second later, when the canaries are asked as well: TCP sends again by then. The network is known to have worked while canaries
// or other sites answered, in short intervals. Sites count only if their addresses are
// global, as [PublicOnly] has it, which they are not known to be with [WithTransport];
// canaries always do. After a site that failed by https an answer by https is wanted,
// and after ReasonNotFound one of a site whose name was looked up, if there are
// canaries that can give it.
//
// If that is not known, and somebody answers now, the site is asked again, while the
// canaries are. If nobody does, or only now and then, the result is Unknown with
// ReasonLocal. All this is over in twice the timeout, not counting waits for tokens;
// Timing.Total tells how long it took. The check keeps its slot meanwhile.
//
// The canaries are asked while some check has waited for a quarter of a second, or has
// failed, and there are no answers of other sites: all at once, and at most four times
// a second, or in a timeout that is less. One answer is enough, whatever its status, except 511, by which a captive portal speaks for itself. They
// are asked as by the defaults: without the options that are for the sites (header
// fields, a Host, a judge, a method, redirects, client certificates and a name in
// WithTLSConfig), but in the same ways (resolver, dial function, address policy, roots,
// transport). They are not counted in the rates, need no slot, and are not asked for as
// long as a Retry-After of theirs says ([WithRetryAfter]).
//
// Write https://, and choose canaries that answer in much less than the timeout and have
// nothing but the network in common with the sites and with each other. A captive portal
// answers in the place of all sites by http, and cannot by https. The default is none. An
// empty list and targets that name no site are refused.
func WithCanaries(targets ...string) Option {
	return shared("WithCanaries", func(c *config) error {
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
	})
}

// WithJudge sets what counts as an acceptable answer: judge returns nil or says
// what is wrong, and the check is then Offline with ReasonRejected. What HEAD
// gets is rejected only if GET gets no better, so judge may see several answers
// in one check. An answer is asked for again, as [WithRetries] says, if the error has,
// or wraps one that has, a method Temporary() bool that reports true.
//
// It is not asked about an answer of status 511, which is Unknown with ReasonLocal as
// it is without a judge, nor about one that its sender marks as a challenge to bots,
// which is Unknown with ReasonChallenge, and without a judge Online. The marks are
// Cloudflare's (cf-mitigated: challenge) and those of Amazon's firewall
// (x-amzn-waf-action: challenge or captcha).
//
// The answer to HEAD has no body: a judge that reads it wants
// WithMethod(http.MethodGet). It may read up to 1 MiB, after which the body ends,
// and must neither close nor keep it. A body that breaks off ends with
// [io.ErrUnexpectedEOF], though browsers show what there is; it is for judge to say
// what that is worth. Reading fails when the time is over, and judge must return
// then; the context of resp.Request tells as well. It is called from many
// goroutines at once.
//
// A judge may check other URLs on the same Checker. Such a check waits for its turn like
// any other, while the one that is judged keeps its own place on its host and among those
// that run at once; where all places are kept by checks whose judges wait like that, they
// wait for each other. With the context of resp.Request that ends with the time of the
// check that is judged, and the inner one is Unknown with ReasonCanceled.
//
// The default accepts any answer; see [StatusIn]
// for the usual one. Nil is refused.
func WithJudge(judge func(*http.Response) error) Option {
	return func(c *config) error {
		if judge == nil {
			return refuse("WithJudge", "nil")
		}
		c.judge = judge
		return nil
	}
}

// WithAddrPolicy sets who decides which addresses may be connected to. The
// policy is asked for the literal IP address and port of every connection,
// before it is opened and again when it stands, whatever name, redirect or
// fallback led to it, and about the addresses of a name as soon as they are known;
// IPv4 addresses are never in their IPv6-mapped form. An error refuses the address; a
// check whose every address is refused is Unknown with ReasonBlocked. The policy should
// not wait for anything: what it takes is taken from the check's time, and if that is
// over before it answers, the check is Unknown with ReasonLocal. It is called from many goroutines at once. The default
// allows all; see [PublicOnly]. Nil is refused.
func WithAddrPolicy(policy func(netip.AddrPort) error) Option {
	return func(c *config) error {
		if policy == nil {
			return refuse("WithAddrPolicy", "nil")
		}
		c.policy = policy
		return nil
	}
}

// WithResolver sets who looks names up. It is asked for each name as it is, once in
// each address family and in both at once; what it does about hosts files and search
// lists is its own business. The default is the package's own resolver, which reads
// the system's files; see the package comment. Nil is refused.
func WithResolver(r Resolver) Option {
	return way("WithResolver", func(c *config) error {
		if r == nil {
			return refuse("WithResolver", "nil")
		}
		c.resolver = r
		return nil
	})
}

// WithDialContext sets who opens connections. network is "tcp" and addr an IP
// address with a port; names are looked up before. The function should return
// once its context has ended: it is not waited for, and its connection is closed if it
// comes later. A connection that has no deadlines, or does not keep them, such as one
// through SSH, is closed when its time is over. The function is called from many
// goroutines at once. The default connects as a [net.Dialer] does, and asks the kernel
// who made a connect fail. Of a connect to addr itself that a net.Dialer of the caller's
// made, it is told where the gateway does not answer, the interface has no link or a route
// of this machine forbids it. Nil is refused.
func WithDialContext(dial func(ctx context.Context, network, addr string) (net.Conn, error)) Option {
	return way("WithDialContext", func(c *config) error {
		if dial == nil {
			return refuse("WithDialContext", "nil")
		}
		c.dial = dial
		return nil
	})
}

// WithTLSConfig sets the TLS configuration, for roots, client certificates or
// versions of one's own. It is cloned; NextProtos is replaced and sessions are
// never resumed. An empty ServerName, the usual case, stands for the host of
// each URL. Nil is refused, and so is a MinVersion over the MaxVersion.
//
// The default, which roots and client certificates leave as it is, offers what
// browsers offer: TLS 1.2 and 1.3, crypto/tls's cipher suites with the RSA key
// exchange behind them, and one renegotiation. Where CipherSuites, MinVersion or
// MaxVersion is set, crypto/tls alone decides on suites, and the Renegotiation of conf
// counts. GODEBUG=tlsrsakex and tls3des change nothing in the default.
//
// An error of GetClientCertificate, of a client's key, of Rand or of KeyLogWriter is not
// the site's: the check is Unknown with ReasonLocal. crypto/tls writes to every
// KeyLogWriter of the process under one lock, and keeps it for ever if one panics. One
// that is given here does not do that to it: its panic, like its runtime.Goexit, is
// caught before. But while it blocks, no handshake that writes to a KeyLogWriter goes
// on, in this program as a whole.
func WithTLSConfig(conf *tls.Config) Option {
	return func(c *config) error {
		if conf == nil {
			return refuse("WithTLSConfig", "nil")
		}
		if conf.MaxVersion != 0 && conf.MinVersion > conf.MaxVersion {
			return refuse("WithTLSConfig", "its MinVersion is over its MaxVersion")
		}
		c.tls = conf.Clone()
		return nil
	}
}

// WithHostKey sets what the host limits group targets by: URLs with the same key
// share one limit. Pauses are an origin's, whatever its key. The default is the host
// as [Host] returns it, which is also what the key "" stands for.
//
// The function may be called several times in a check, from many goroutines at
// once. It must be pure: always the same key for the same URL, and no effect. Nil
// is refused.
func WithHostKey(key func(*url.URL) string) Option {
	return shared("WithHostKey", func(c *config) error {
		if key == nil {
			return refuse("WithHostKey", "nil")
		}
		c.hostKey = key
		return nil
	})
}

// WithTransport replaces lookup, connecting, TLS and HTTP by rt. It is for proxies and
// other protocols; for tests there is package checkertest. The default is the package's
// own transport, which makes every request on a fresh connection.
//
// rt must not follow redirects and must end a request when its context ends. An
// [http.Transport] keeps connections and their goroutines for later unless its
// DisableKeepAlives is set. A Result then has no Addr, and of the parts of Timing
// only Wait, Total and FirstByte, which is the whole exchange.
//
// An error of rt counts as the site's if its type is one by which packages net,
// crypto/tls and syscall tell of a peer, or if it is io.EOF. Any other error is
// ReasonLocal.
//
// Nil is refused, and so is every option that only the package's own transport
// obeys: WithResolver, WithDialContext, WithTLSConfig, and WithAddrPolicy above
// all, since a policy that is not asked is worse than none.
func WithTransport(rt http.RoundTripper) Option {
	return way("WithTransport", func(c *config) error {
		if rt == nil {
			return refuse("WithTransport", "nil")
		}
		c.transport = rt
		return nil
	})
}

// StatusIn returns a judge for [WithJudge] that accepts the status codes from
// min to max, both included, and refuses others, which is all of them if min is
// greater than max. StatusIn(200, 299) is the usual one; with redirects that
// are not followed it is StatusIn(200, 399).
//
// Of 408, 425, 429, 500, 502, 503 and 504 its error says that they may pass, so they
// are tried again ([WithRetries]).
func StatusIn(min, max int) func(*http.Response) error {
	return func(resp *http.Response) error {
		if code := resp.StatusCode; code < min || code > max {
			return &statusError{code, min, max}
		}
		return nil
	}
}

// Host returns the host that a target names, as the host limits group targets by
// default: in lower case and in ASCII, without the port and without the dot of a
// rooted name. An IPv6 address has no brackets. For a target that names no site it
// returns an *Error with ReasonInvalid, as a check of it does.
func Host(text string) (string, error) {
	parsed, err := target.Parse(text)
	if err != nil {
		return "", newError(PhaseTarget, ReasonInvalid, "", err)
	}
	return hostOf(parsed.URLs[0]), nil
}

// PublicOnly is a policy for [WithAddrPolicy] that allows addresses of the
// public Internet only, on any port. A server that checks URLs from strangers
// wants it, or a request could reach its own network.
//
// It refuses what the IANA special-purpose address registries for IPv4 and IPv6
// list (RFC 6890), such as loopback, private, link-local and documentation
// addresses, multicast, IPv6 outside of 2000::/3, addresses with a zone, and a
// few well-known addresses that serve a cloud's own machines. An IPv4 address
// in its IPv6-mapped or NAT64 form counts as that IPv4 address.
func PublicOnly(addr netip.AddrPort) error {
	return guard.Public(addr.Addr())
}

// hostOf returns the host of u in lower case, without the port and the dot of a
// rooted name.
func hostOf(u *url.URL) string {
	host, _ := target.Host(u)
	return strings.TrimSuffix(host, ".")
}
