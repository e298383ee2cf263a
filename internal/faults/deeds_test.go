package faults_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// A culprit is a hook that does something else than its work.
type culprit struct {
	name  string
	sites []string // keys of the sites that it takes part in checks of
	opts  func(sites *sites, act func()) []checker.Option

	waited bool           // a check waits for it, even when its time is over
	empty  checker.Reason // what a check finds where it returns zero values, if that matters
}

// The sites that culprits take part in checks of.
const (
	plain    = "http"
	oneAddr  = "a name of one address"
	twoAddrs = "a name of two addresses"
	secure   = "https"
	secure2  = "https, HTTP/2"
)

// unsettled is an empty that does not matter, as long as the check ends.
const unsettled checker.Reason = "unsettled"

var (
	dialled   = []string{plain, oneAddr, twoAddrs}
	encrypted = []string{secure, secure2}
	all       = []string{plain, oneAddr, twoAddrs, secure, secure2}
)

// sites are what culprits take part in checks of.
type sites struct {
	ca      *hostile.CA
	client  tls.Certificate
	targets map[string]string
}

func newSites(tb hostile.TB) *sites {
	s := &sites{ca: hostile.NewCA(tb), targets: make(map[string]string)}
	s.client = s.ca.Issue(hostile.Cert{Names: []string{"client"}})
	conf := s.ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
	conf.ClientAuth = tls.RequestClientCert
	served := hostile.Serve(tb, "127.0.0.1:0", hostile.Respond(hostile.OK))
	s.targets[plain] = served.URL()
	s.targets[oneAddr] = fmt.Sprintf("http://one.test:%d/", served.Port())
	s.targets[twoAddrs] = fmt.Sprintf("http://two.test:%d/", served.Port())
	s.targets[secure] = hostile.Serve(tb, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK))).URLS()
	s.targets[secure2] = hostile.Serve(tb, "127.0.0.1:0", hostile.HTTP2(conf, http.NotFoundHandler())).URLS()
	return s
}

// LookupNetIP makes sites a resolver of their names. All of 127.0.0.0/8 is one machine,
// but nobody listens at 127.0.0.2.
func (*sites) LookupNetIP(_ context.Context, network, host string) (addrs []netip.Addr, err error) {
	switch {
	case network == "ip6":
		return nil, nil
	case host == "two.test":
		addrs = append(addrs, netip.MustParseAddr("127.0.0.2"))
	}
	return append(addrs, netip.MustParseAddr("127.0.0.1")), nil
}

// culprits are all hooks but the sequence of targets.
func culprits() []culprit {
	one := func(opt checker.Option) []checker.Option { return []checker.Option{opt} }
	rows := []culprit{
		{name: "resolver", sites: []string{oneAddr}, empty: checker.ReasonNotFound, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithResolver(resolverFunc(func(context.Context, string, string) ([]netip.Addr, error) { act(); return nil, nil })))
		}},
		{name: "dial function", sites: dialled, empty: checker.ReasonLocal, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) { act(); return nil, nil }))
		}},
		{name: "dial function, nil pointer", sites: dialled, empty: checker.ReasonInternal, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) { act(); return (*net.TCPConn)(nil), nil }))
		}},
		{name: "host key", waited: true, sites: all, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithHostKey(func(*url.URL) string { act(); return "" }))
		}},
		{name: "judge", waited: true, sites: all, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithJudge(func(*http.Response) error { act(); return nil }))
		}},
		{name: "transport", waited: true, sites: []string{plain}, empty: checker.ReasonLocal, opts: func(_ *sites, act func()) []checker.Option {
			return one(checker.WithTransport(roundTripper(func(*http.Request) (*http.Response, error) { act(); return nil, nil })))
		}},
	}
	for nth := range 2 { // before there is a socket, and about its peer
		rows = append(rows, culprit{name: fmt.Sprint("policy, call ", nth), sites: dialled, opts: func(_ *sites, act func()) []checker.Option {
			act = onCall(nth, act)
			return one(checker.WithAddrPolicy(func(netip.AddrPort) error { act(); return nil }))
		}})
	}
	for _, method := range []string{"Read", "Close"} {
		rows = append(rows, culprit{name: "body's " + method, waited: true, sites: []string{plain}, opts: func(_ *sites, act func()) []checker.Option {
			return bodies(method, act)
		}})
	}
	return append(rows, append(connCulprits(), tlsCulprits()...)...)
}

// connCulprits are the methods of a connection, each when it is called for the first
// time and later.
func connCulprits() (rows []culprit) {
	for _, method := range []string{"RemoteAddr", "LocalAddr", "SetDeadline", "Read", "Write", "Close"} {
		for nth := range 4 {
			// What is asked of a connection at first is a part of connecting.
			waited := nth > 0 || method == "Read" || method == "Write" || method == "Close"
			rows = append(rows, culprit{name: fmt.Sprintf("connection's %s, call %d", method, nth), sites: all, waited: waited, empty: unsettled,
				opts: func(s *sites, act func()) []checker.Option {
					dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
						nc, err := new(net.Dialer).DialContext(ctx, network, addr)
						if err != nil {
							return nil, err
						}
						return &actingConn{nc, method, onCall(nth, act)}, nil
					}
					return []checker.Option{checker.WithDialContext(dial), checker.WithTLSConfig(&tls.Config{RootCAs: s.ca.Pool()})}
				}})
		}
	}
	return rows
}

// tlsCulprits are the functions and interfaces in a TLS configuration.
func tlsCulprits() (rows []culprit) {
	for _, field := range []struct {
		name  string
		set   func(conf *tls.Config, s *sites, act func())
		empty checker.Reason
	}{
		{"VerifyPeerCertificate", func(conf *tls.Config, _ *sites, act func()) {
			conf.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { act(); return nil }
		}, ""},
		{"VerifyConnection", func(conf *tls.Config, _ *sites, act func()) {
			conf.VerifyConnection = func(tls.ConnectionState) error { act(); return nil }
		}, ""},
		{"GetClientCertificate", func(conf *tls.Config, _ *sites, act func()) {
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { act(); return nil, nil }
		}, checker.ReasonLocal},
		{"Sign", func(conf *tls.Config, s *sites, act func()) {
			cert := s.client
			cert.PrivateKey = actingKey{s.client.PrivateKey.(crypto.Signer), act}
			conf.Certificates = []tls.Certificate{cert}
		}, checker.ReasonLocal},
		{"Time", func(conf *tls.Config, _ *sites, act func()) {
			conf.Time = func() time.Time { act(); return time.Time{} }
		}, ""},
		{"Rand", func(conf *tls.Config, _ *sites, act func()) { conf.Rand = acting(act) }, checker.ReasonLocal},
		{"KeyLogWriter", func(conf *tls.Config, _ *sites, act func()) { conf.KeyLogWriter = acting(act) }, ""},
	} {
		rows = append(rows, culprit{name: field.name, sites: encrypted, waited: true, empty: field.empty, opts: func(s *sites, act func()) []checker.Option {
			conf := &tls.Config{RootCAs: s.ca.Pool()}
			field.set(conf, s, act)
			return []checker.Option{checker.WithTLSConfig(conf)}
		}})
	}
	return rows
}
