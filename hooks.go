package checker

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// The options here put a caller's code in the place of the package's own, or
// beside it. A panic in any of it becomes ReasonInternal.

// A Resolver looks up the addresses of a host, in one address family at a time:
// network is "ip4" or "ip6". A name with no address is reported by a
// [*net.DNSError] with IsNotFound set; any other error means that the resolver
// failed. [*net.Resolver] is a Resolver. It must be safe for concurrent use.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// WithJudge sets what counts as an acceptable answer: judge returns nil or says
// what is wrong, and the check is then Offline with ReasonRejected. What HEAD
// gets is rejected only if GET gets no better, so judge may see several answers
// in one check.
//
// The answer to HEAD has no body: a judge that reads it wants
// WithMethod(http.MethodGet). It may read up to 1 MiB, after which the body ends,
// and must neither close nor keep it. Reading fails when the time is over, and
// judge must return then; the context of resp.Request tells as well. It is called
// from many goroutines at once. The default accepts any answer; see [StatusIn]
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
// fallback led to it; IPv4 addresses are never in their IPv6-mapped form. An
// error refuses the address; a check whose every address is refused is Unknown
// with ReasonBlocked. The policy should not wait for anything: a check whose
// time runs out in it is Unknown with ReasonLocal. It is called from many
// goroutines at once. The default allows all; see [PublicOnly]. Nil is refused.
func WithAddrPolicy(policy func(netip.AddrPort) error) Option {
	return func(c *config) error {
		if policy == nil {
			return refuse("WithAddrPolicy", "nil")
		}
		c.policy = policy
		return nil
	}
}

// WithResolver sets who looks names up. A name is first asked for with a
// trailing dot, so that no search list applies to it, unless it has only one
// label. The default is the system's configuration read by Go's own resolver,
// which never blocks a thread. Nil is refused.
func WithResolver(r Resolver) Option {
	return func(c *config) error {
		if r == nil {
			return refuse("WithResolver", "nil")
		}
		c.resolver = r
		return nil
	}
}

// WithDialContext sets who opens connections. network is "tcp" and addr an IP
// address with a port; names are looked up before. The function must return
// once its context has ended. A connection that has no deadlines, such as one
// through SSH, is closed when its time is over. The function is called from many
// goroutines at once. The default is a [net.Dialer]. Nil is refused.
func WithDialContext(dial func(ctx context.Context, network, addr string) (net.Conn, error)) Option {
	return func(c *config) error {
		if dial == nil {
			return refuse("WithDialContext", "nil")
		}
		c.dial = dial
		return nil
	}
}

// WithTLSConfig sets the TLS configuration, for roots, client certificates or
// versions of one's own. It is cloned; NextProtos is replaced and sessions are
// never resumed. An empty ServerName, the usual case, stands for the host of
// each URL. The default is that of crypto/tls. Nil is refused, and so is a
// MinVersion over the MaxVersion.
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

// WithHostKey sets what the host limits group targets by. The default is the
// host of the URL, in lower case and without the port, which is also what the
// key "" stands for. The function is called from many goroutines at once. Nil is
// refused.
func WithHostKey(key func(*url.URL) string) Option {
	return func(c *config) error {
		if key == nil {
			return refuse("WithHostKey", "nil")
		}
		c.hostKey = key
		return nil
	}
}

// WithTransport replaces lookup, connecting, TLS and HTTP by rt. It is for
// proxies, for other protocols and for tests; the Result then has no Addr and
// of Timing only Wait, Total and FirstByte, which is then all of the exchange. rt must not follow redirects and
// must honour the context of its requests. An [http.Transport] keeps
// connections and their goroutines for later unless its DisableKeepAlives is
// set. An error of rt is taken for the site's if its type says so, as those of
// packages net, crypto/tls and syscall and io.EOF do, and is ReasonLocal
// otherwise. The default is the package's own, which makes every request on a
// fresh connection. Nil is refused, and so is every option that the replaced
// parts would have obeyed: WithAddrPolicy, since a policy that is not asked is
// worse than none, WithResolver, WithDialContext and WithTLSConfig.
func WithTransport(rt http.RoundTripper) Option {
	return func(c *config) error {
		if rt == nil {
			return refuse("WithTransport", "nil")
		}
		c.transport = rt
		return nil
	}
}
