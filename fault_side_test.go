package checker_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// What goes wrong on this side, in a caller's code or for want of a token, is
// not the site's fault, and does not end the process.

type brokenConn struct {
	net.Conn
	broken string
}

func (c brokenConn) Close() error {
	err := c.Conn.Close()
	if c.broken == "Close" {
		panic("no")
	}
	return err
}

func (c brokenConn) SetDeadline(at time.Time) error {
	if c.broken == "SetDeadline" && at.Unix() == 1 { // an interruption
		panic("no")
	}
	return c.Conn.SetDeadline(at)
}

type brokenBody struct{ io.Reader }

func (brokenBody) Close() error { panic("no") }

// K8: also what runs on other goroutines, and after all is said.
func TestPanicsOnTheWay(t *testing.T) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	silent := hostile.Serve(t, "127.0.0.1:0", hostile.Silent())
	conns := func(method string) checker.Option {
		return checker.WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			return brokenConn{nc, method}, err
		})
	}
	for _, test := range []struct {
		name, target string
		opt          checker.Option
		want         checker.Reason
	}{
		{"a resolver's dial function", "http://site.test/", checker.WithResolver(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			panic("no")
		}}), checker.ReasonInternal},
		{"the end of a connection", s.URL(), conns("Close"), checker.ReasonInternal},
		{"the interruption of a connection", silent.URL(), conns("SetDeadline"), checker.ReasonCanceled},
		{"the end of a body", s.URL(), checker.WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := faults.Respond(req, 200)
			resp.Body = brokenBody{http.NoBody}
			return resp, nil
		})), checker.ReasonInternal},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := faults.NewChecker(t, test.opt, checker.WithTimeout(300*time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if r := c.CheckAll(ctx, []string{test.target})[0]; r.Reason() != test.want {
				t.Errorf("Check(%q) = %v; want %q", test.target, r, test.want)
			}
		})
	}
}

// A deadline that a dial function has left on its connection is not the site's.
func TestDeadlineOfDialContext(t *testing.T) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.RespondTo(func(int, string) string {
		time.Sleep(300 * time.Millisecond)
		return hostile.OK
	}))
	connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			nc.SetDeadline(time.Now().Add(100 * time.Millisecond)) // for a proxy's handshake, say
		}
		return nc, err
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		c := faults.NewChecker(t, checker.WithDialContext(connect), checker.WithMethod(method), checker.WithRetries(0))
		if r := c.Check(t.Context(), s.URL()); !r.Online() {
			t.Errorf("%s: Check of a site that answers after 300ms = %v; want Online", method, r)
		}
	}
}

// A proxy that is down, or any other error of a transport that no type tells to
// be the site's, is no verdict on the site.
func TestTransportsOwnFaults(t *testing.T) {
	dead := &url.URL{Scheme: "http", Host: hostile.ClosedPort(t).String()}
	refusing := hostile.Serve(t, "127.0.0.1:0", hostile.Respond("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
	asking := &url.URL{Scheme: "http", Host: refusing.Addr().String()}
	proxy := func(u *url.URL) http.RoundTripper {
		return &http.Transport{Proxy: http.ProxyURL(u), DisableKeepAlives: true}
	}
	for _, test := range []struct {
		name, target string
		rt           http.RoundTripper
	}{
		{"a dead proxy", "http://site.test/", proxy(dead)},
		{"a dead proxy for https", "https://site.test/", proxy(dead)},
		{"a proxy that wants a password", "https://site.test/", proxy(asking)},
		{"a quota", "http://site.test/", roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("used up") })},
		{"a name of the proxy's", "http://site.test/", roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "proxyconnect", Err: &net.DNSError{IsNotFound: true}}
		})},
	} {
		c := faults.NewChecker(t, checker.WithTransport(test.rt), checker.WithRetries(0))
		if r := c.Check(t.Context(), test.target); r.Reason() != checker.ReasonLocal {
			t.Errorf("%s: Check(%q) = %v; want local", test.name, test.target, r)
		}
	}
}

// No site is to blame for what our own limits cost, at whatever step.
func TestLimitsAreNoVerdict(t *testing.T) {
	slow := func(req *http.Request) (*http.Response, error) {
		if req.URL.Path != "/end" {
			resp := faults.Respond(req, 302)
			resp.Header.Set("Location", "/end")
			return resp, nil
		}
		select {
		case <-time.After(300 * time.Millisecond):
			return faults.Respond(req, 200), nil
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(roundTripper(slow)), checker.WithRedirects(3), checker.WithTimeout(time.Second),
			checker.WithHostRateLimit(rate.Every(900*time.Millisecond), 1), checker.WithMethod("GET"))
		if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonLocal {
			t.Errorf("a hop that had 100ms of its 300ms: %v; want local", r)
		}
	})
	ca := hostile.NewCA(t)
	site := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.NotFoundHandler())).URLS()
	for _, method := range []string{"HEAD", "GET"} {
		c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithTimeout(time.Second),
			checker.WithMethod(method), checker.WithHostRateLimit(0.1, 1))
		if r := c.Check(t.Context(), site); r.Reason() != checker.ReasonLocal {
			t.Errorf("%s of an HTTP/2-only site with one token: %v; want local", method, r)
		}
	}
}

// A server that is asked again by HTTP/2 is asked by GET once, and not at all
// when it has answered.
func TestRaceIsArmedOnce(t *testing.T) {
	ca := hostile.NewCA(t)
	site := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.NotFoundHandler())).URLS()
	const timeout = 300 * time.Millisecond
	var dials atomic.Int64
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithTimeout(timeout),
		checker.WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}))
	if r := c.Check(t.Context(), site); !r.Online() {
		t.Fatalf("Check(%q) = %v; want Online", site, r)
	}
	before := dials.Load()
	<-time.After(timeout)
	if after := dials.Load(); after != before {
		t.Errorf("%d connections were opened after the verdict", after-before)
	}
}

// B8: a dead address is not all of a site while it is not known whether there are
// others.
func TestOtherFamilyIsNotKnown(t *testing.T) {
	for name, other := range map[string]func(*hostile.Net){
		"fails": func(n *hostile.Net) {
			n.NameFails("ip4", "site.test", &net.DNSError{Err: "server misbehaving", IsTemporary: true})
		},
		"hangs": func(n *hostile.Net) { n.NameHangs("ip4", "site.test") },
	} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("site.test", "2001:db8::1")
			other(n)
			if r := faults.NewChecker(t, faults.On(n)...).Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonDNS {
				t.Errorf("where the lookup of IPv4 %s and IPv6 is refused: %v; want dns", name, r)
			}
		})
	}
}

// A certificate that crypto/tls keeps for others is not what a caller gets.
func TestResultOwnsItsNames(t *testing.T) {
	ca := hostile.NewCA(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}}), hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
	for range 2 {
		r := c.Check(t.Context(), s.URLS())
		if !r.Online() || !slices.Equal(r.TLS.DNSNames, []string{"site.test"}) {
			t.Fatalf("Check(%q) = %v, %v; want Online", s.URLS(), r, r.TLS)
		}
		r.TLS.DNSNames[0] = "mine"
	}
}

// A peer that does not read cannot keep a check from ending.
func TestLastWordsAreInTime(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	bubble.Test(t, func(t *testing.T) {
		var peers sync.WaitGroup
		defer peers.Wait()
		c := faults.NewChecker(t, checker.WithTimeout(time.Second), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}),
			checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe() // which has no buffer
				peers.Go(func() {
					defer there.Close()
					s := tls.Server(there, conf)
					s.Read(make([]byte, 4096))
					io.WriteString(s, hostile.OK)
					time.Sleep(time.Minute)
				})
				return here, nil
			}))
		for _, limit := range []time.Duration{100 * time.Millisecond, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			c.Check(ctx, "https://192.0.2.1/")
			if took, want := time.Since(start), min(limit, time.Second); took != want {
				t.Errorf("Check took %v; want %v", took, want)
			}
			cancel()
		}
	})
}

// blocked means every address; a candidate that the site refused says more.
func TestBlockedCandidate(t *testing.T) {
	for _, port := range []uint16{80, 443} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("site.test", siteAddr)
			c := faults.NewChecker(t, faults.On(n, checker.WithAddrPolicy(func(a netip.AddrPort) error {
				if a.Port() != port {
					return errors.New("another port")
				}
				return nil
			}))...)
			if r := c.Check(t.Context(), "site.test"); r.Reason() != checker.ReasonRefused {
				t.Errorf("with port %d alone: %v; want refused", port, r)
			}
		})
	}
}

// A certificate may say anything of when it ends; its site must not keep the
// Results from being written.
func TestYearTenThousand(t *testing.T) {
	for _, end := range []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -7*3600)), time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7*3600))} {
		r := checker.Result{Start: end, TLS: &checker.TLS{NotBefore: end, NotAfter: end}}
		var back checker.Result
		data, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if d := back.TLS.NotAfter.Sub(end).Abs(); err != nil || d > 7*time.Hour {
			t.Errorf("%v became %s, %v", end, data, err)
		}
	}
}

// A client certificate that cannot be had is this side's fault.
func TestClientCertificateFails(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	conf.ClientAuth = tls.RequestClientCert
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test", GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return nil, errors.New("the token is unplugged")
	}}))
	if r := c.Check(t.Context(), s.URLS()); r.Reason() != checker.ReasonLocal {
		t.Errorf("Check(%q) = %v; want local", s.URLS(), r)
	}
}

// B3: a resolver that fails for one candidate leaves open what that would have
// said.
func TestCandidateIsNotKnown(t *testing.T) {
	d := hostile.ServeDNS(t)
	d.Set("site.test", hostile.Addrs("127.0.0.77").For(dnsmessage.TypeA).Once(), hostile.NoData().For(dnsmessage.TypeAAAA).Once(), hostile.ServFail())
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithRetries(0))
	if r := c.Check(t.Context(), "site.test:1"); r.Reason() != checker.ReasonDNS {
		t.Errorf("Check() = %v; want dns", r)
	}
}

// A server that was asked by HTTP/2 in vain is judged by what it did before.
func TestPhaseWithoutHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.CloseAfterRequest()))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}), checker.WithRetries(0))
	r := c.Check(t.Context(), s.URLS())
	if e, _ := errors.AsType[*checker.Error](r.Err); e == nil || e.Phase != checker.PhaseResponse || e.Reason != checker.ReasonReset {
		t.Errorf("Check(%q).Err = %v; want reset in response", s.URLS(), r.Err)
	}
}
