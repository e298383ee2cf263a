package checker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/pace"
	"example.com/checker/internal/resolve"
	"example.com/checker/internal/wire"
)

// ErrInvalidOption is wrapped by every error that [New] and [Checker.With] return.
var ErrInvalidOption = errors.New("invalid option")

// An Option sets one property of a [Checker]. An option given twice counts as
// given last, except WithHeader and WithCanaries, which add up. The zero Option
// is refused.
//
// Functions and interfaces that options take are called hooks, and so are the
// connections and bodies that they return. A hook that panics, or ends its goroutine,
// makes its check Unknown with ReasonInternal, and whatever the check had opened is
// closed. [Checker.Check] calls most hooks on the goroutine of its caller, so
// runtime.Goexit ends that.
//
// A resolver, a dial function and an address policy are not waited for when the time of
// their check is over: they go on alone, and a connection that comes then is closed. All
// other hooks are waited for, and must return when the time is over.
type Option func(*config) error

func refuse(option, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalidOption, option, fmt.Sprintf(format, args...))
}

// A Resolver looks up the addresses of a host, in one address family at a time:
// network is "ip4" or "ip6". A name with no address is reported by a
// [*net.DNSError] with IsNotFound set, by a [*net.AddrError], or by no address and
// no error; an error whose Timeout method reports true means that it was not
// answered, and any other error that the resolver failed. Host is the name as
// the target has it, with a trailing dot only if that has one. The first eight
// addresses are used. If the only ones are unspecified (0.0.0.0, ::), the verdict is
// Unknown with [ReasonDNS]. [*net.Resolver] is a Resolver. It must be safe for
// concurrent use.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// userAgent names this package and nothing else. It has neither "bot" nor
// "link" in it, which common rule sets of web application firewalls refuse.
const userAgent = "checker/0.1 (Go)"

// A config is what options fill.
type config struct {
	derived    bool // it is for With, which sets neither limits, pauses nor canaries
	timeout    time.Duration
	limits     pace.Limits
	retryAfter time.Duration // the longest pause; negative for the timeout
	retries    int
	method     string
	header     http.Header
	host       string // the Host field, if not that of the URL
	redirects  int
	judge      func(*http.Response) error
	policy     func(netip.AddrPort) error
	resolver   Resolver
	dial       func(ctx context.Context, network, addr string) (net.Conn, error)
	tls        *tls.Config // as the caller gave it
	hostKey    func(*url.URL) string
	transport  http.RoundTripper

	canaryTargets []string
}

func defaults() *config {
	return &config{
		timeout:    10 * time.Second,
		limits:     pace.Limits{Width: 100, HostWidth: 6},
		retryAfter: -1,
		retries:    1,
		method:     http.MethodHead,
		header: http.Header{
			"Accept":          {"*/*"},
			"Accept-Encoding": {"identity"},
			"User-Agent":      {userAgent},
		},
	}
}

// further returns a copy of c for With to apply its options to.
func (c *config) further() *config {
	own := *c
	own.derived, own.header = true, c.header.Clone()
	return &own
}

// apply applies the options and returns all that is wrong with them.
func (c *config) apply(opts []Option) error {
	var errs []error
	for i, opt := range opts {
		if opt == nil {
			errs = append(errs, fmt.Errorf("%w: option %d is nil", ErrInvalidOption, i))
			continue
		}
		if err := opt(c); err != nil {
			errs = append(errs, err)
		}
	}
	if c.retryAfter < 0 {
		c.retryAfter = c.timeout
	}
	return errors.Join(append(errs, c.validate())...)
}

// validate checks the rules that span options.
func (c *config) validate() error {
	rules := []struct {
		broken bool
		with   string
	}{
		// A transport connects by itself. A policy would not be asked, and what
		// looks safe would not be.
		{c.transport != nil && c.policy != nil, "WithAddrPolicy"},
		// The others would be silently without effect.
		{c.transport != nil && c.resolver != nil, "WithResolver"},
		{c.transport != nil && c.dial != nil, "WithDialContext"},
		{c.transport != nil && c.tls != nil, "WithTLSConfig"},
	}
	var errs []error
	for _, r := range rules {
		if r.broken {
			errs = append(errs, refuse("WithTransport", "it replaces what %s is for", r.with))
		}
	}
	return errors.Join(errs...)
}

// tlsConfig returns the base of every connection's TLS configuration. Sessions
// are not resumed: a check must see the certificate, and tickets would tie one
// check to another.
//
// Where the caller chose neither suites nor versions, TLS is what browsers offer,
// since a visitor gets through with that: key exchange by RSA, which crypto/tls
// knows and leaves out since Go 1.22, and one renegotiation, by which servers ask
// for a client certificate once they know the path. A server gains nothing by
// either but the fields that are sent to it.
func (c *config) tlsConfig() *tls.Config {
	conf := &tls.Config{}
	if c.tls != nil {
		conf = c.tls.Clone()
	}
	if conf.CipherSuites == nil && conf.MinVersion == 0 && conf.MaxVersion == 0 {
		conf.CipherSuites = browserSuites()
		if conf.Renegotiation == tls.RenegotiateNever {
			conf.Renegotiation = tls.RenegotiateOnceAsClient
		}
	}
	conf.ClientSessionCache = nil
	conf.SessionTicketsDisabled = true
	return conf
}

// browserSuites returns crypto/tls's own cipher suites and those of RSA key
// exchange. The order is crypto/tls's, whatever the list says: a server that can
// do better does.
func browserSuites() []uint16 {
	ids := slices.Clone(wire.RSAKeyExchange)
	for _, s := range tls.CipherSuites() {
		ids = append(ids, s.ID)
	}
	return ids
}

// forCanaries returns what canaries are asked with: the ways to the sites, since those are
// to be tried, and nothing that is meant for a site.
func (c *config) forCanaries() *config {
	own, plain := *c, defaults()
	own.method, own.header, own.host, own.judge, own.redirects = plain.method, plain.header, "", nil, 0
	if own.tls = c.tls.Clone(); own.tls != nil {
		own.tls.Certificates, own.tls.GetClientCertificate = nil, nil
		own.tls.ServerName, own.tls.EncryptedClientHelloConfigList = "", nil
	}
	return &own
}

// names returns what finds addresses: the caller's resolver, or else the package's
// own where the system has its files, or else package net's in Go, since a context
// could not end a call in C.
func (c *config) names() dial.Names {
	switch {
	case c.resolver != nil:
		return resolve.NewCustom(c.resolver)
	case resolve.Files:
		return resolve.New(resolve.Config{})
	}
	return resolve.NewCustom(&net.Resolver{PreferGo: true})
}
