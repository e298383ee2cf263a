package faults_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// What goes wrong on this side, in a caller's code or for want of a token, is
// not the site's fault, and does not end the process.

// A policy that takes longer than there is time is this side's fault, wherever
// it is asked.
func TestSlowPolicy(t *testing.T) {
	for _, target := range []string{"http://" + siteAddr, "http://one.test", "http://two.test"} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("one.test", siteAddr)
			n.Name("two.test", siteAddr, "192.0.2.81")
			hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.Respond(hostile.OK))
			c := faults.NewChecker(t, checker.WithResolver(n), checker.WithDialContext(n.DialContext), checker.WithTimeout(timeout),
				checker.WithAddrPolicy(func(netip.AddrPort) error { time.Sleep(2 * timeout); return nil }))
			if r := c.Check(t.Context(), target); r.Reason() != checker.ReasonLocal {
				t.Errorf("Check(%q) = %v; want local", target, r)
			}
			time.Sleep(2 * timeout) // the policy may go on for that long
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
