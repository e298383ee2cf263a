package checker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// tunnel is a connection without deadlines, as those within SSH are.
type tunnel struct{ net.Conn }

func (tunnel) SetDeadline(time.Time) error      { return errNoDeadline }
func (tunnel) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (tunnel) SetWriteDeadline(time.Time) error { return errNoDeadline }

var errNoDeadline = errors.New("no deadlines")

// F5, C6: a silent HEAD has a GET beside it, and both end in time, on connections
// of every kind.
func TestSilentHead(t *testing.T) {
	ca := hostile.NewCA(t)
	cert := ca.Issue(hostile.Cert{Names: []string{"127.0.0.1"}})
	getOnly := hostile.ByMethod(map[string]hostile.Handler{"HEAD": hostile.Silent(), "GET": hostile.Respond(hostile.OK)})
	for _, tunnelled := range []bool{false, true} {
		connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			if tunnelled {
				nc = tunnel{nc}
			}
			return nc, err
		}
		c := faults.NewChecker(t, checker.WithDialContext(connect), checker.WithTimeout(900*time.Millisecond),
			checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
		for _, scheme := range []string{"http", "https"} {
			serve := func(h hostile.Handler) string {
				if scheme == "https" {
					return hostile.Serve(t, "127.0.0.1:0", hostile.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}, h)).URLS()
				}
				return hostile.Serve(t, "127.0.0.1:0", h).URL()
			}
			if r := c.Check(t.Context(), serve(getOnly)); !r.Online() || r.Method != http.MethodGet {
				t.Errorf("%s, tunnelled %t: Check of a site that answers GET only = %v by %s; want online by GET", scheme, tunnelled, r, r.Method)
			}
			start := time.Now()
			r := c.Check(t.Context(), serve(hostile.Silent()))
			if took := time.Since(start); r.Reason() != checker.ReasonTimeout || took > 3*time.Second {
				t.Errorf("%s, tunnelled %t: Check of a silent site = %v after %v; want timeout after 0.9 s", scheme, tunnelled, r, took)
			}
		}
	}
}

// HEAD ends with the GET that is Online first also while it is between two
// connections, on its way to HTTP/2.
func TestGetIsFirstWhileHeadConnects(t *testing.T) {
	const timeout = 3 * time.Second
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
	head := hostile.TLS(conf, func(_ context.Context, conn net.Conn) {
		hostile.ReadHead(conn)
		time.Sleep(timeout/3 + 200*time.Millisecond)
	})
	get := hostile.TLS(conf, hostile.RespondTo(func(int, string) string {
		time.Sleep(400 * time.Millisecond)
		return hostile.OK
	}))
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Sequence(head, get, hostile.Silent()))
	c := faults.NewChecker(t, checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
	r := c.Check(t.Context(), s.URLS())
	if !r.Online() || r.Method != http.MethodGet || r.Timing.Total > timeout-300*time.Millisecond || s.Accepted() != 3 {
		t.Errorf("Check() = %v by %s on %d connections; want Online by GET, after 1.4 s, on 3", r, r.Method, s.Accepted())
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

// A judge that is slow is not a HEAD that is.
func TestSlowJudge(t *testing.T) {
	judge := checker.WithJudge(func(*http.Response) error { time.Sleep(400 * time.Millisecond); return nil })
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{}
		n := faults.Site(t, hostile.Respond(hostile.OK), nil)
		for name, opts := range map[string][]checker.Option{"a transport": {checker.WithTransport(m)}, "the package's own": faults.On(n)} {
			c := faults.NewChecker(t, append(opts, judge, checker.WithTimeout(900*time.Millisecond))...)
			if r := c.Check(t.Context(), "http://site.test/"); !r.Online() || r.Method != http.MethodHead || r.Timing.Total != 400*time.Millisecond {
				t.Errorf("%s: Check() = %v by %s after %v; want Online by HEAD after 400ms", name, r, r.Method, r.Timing.Total)
			}
		}
		if requests := m.Calls.Load() + int64(len(n.Dials())); requests != 2 {
			t.Errorf("%d requests; want two", requests)
		}
	})
}

// A target without a scheme is Online if either scheme is; where both fail, the
// one that got further explains.
func TestCandidates(t *testing.T) {
	const plainURL, secureURL = "http://site.test/", "https://site.test/"
	ca := hostile.NewCA(t)
	ok := hostile.Respond(hostile.OK)
	good := hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}}), ok)
	bad := hostile.TLS(hostile.SelfSigned(t, "site.test"), ok)
	both := []string{faults.SiteAddr + ":80", faults.SiteAddr + ":443"}
	for _, test := range []struct {
		name          string
		plain, secure hostile.Handler
		takes         time.Duration
		url           string // which decided
		reason        checker.Reason
		phase         checker.Phase
		dials         []string // nil: not looked at
		opts          []checker.Option
	}{
		{name: "http answers", plain: ok, secure: good, url: plainURL, dials: both[:1]},
		{name: "D11 http is refused", secure: good, url: secureURL, dials: both},
		{name: "http is silent", plain: hostile.Silent(), secure: good, takes: 300 * time.Millisecond, url: secureURL, dials: both},
		{
			name: "http answers while https is silent", takes: 500 * time.Millisecond, url: plainURL, dials: both,
			plain: hostile.Trickle(hostile.OK, len(hostile.OK)-1, 500*time.Millisecond), secure: hostile.Silent(),
		},
		{
			name: "http is refused, the certificate of https too", secure: bad, url: secureURL, dials: both,
			reason: checker.ReasonCertificate, phase: checker.PhaseTLS,
		},
		{name: "both are refused", url: plainURL, dials: both, reason: checker.ReasonRefused, phase: checker.PhaseConnect},
		{
			name: "the judge refuses http", plain: hostile.Respond("HTTP/1.1 500 X\r\n\r\n"), secure: good, url: secureURL,
			opts: []checker.Option{checker.WithJudge(checker.StatusIn(200, 299))},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, test.plain, test.secure)
				opts := faults.On(n, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
				r := faults.NewChecker(t, append(opts, test.opts...)...).Check(t.Context(), "site.test")
				if r.Reason() != test.reason || r.Phase() != test.phase || r.Online() != (test.reason == "") {
					t.Errorf("Check(%q) = %v in %q; want %q in %q", r.Target, r, r.Phase(), test.reason, test.phase)
				}
				if r.URL != test.url || r.Method != "HEAD" || r.Timing.Total != test.takes {
					t.Errorf("Check(%q) was decided by %s %s after %v; want HEAD %s after %v", r.Target, r.Method, r.URL, r.Timing.Total, test.url, test.takes)
				}
				if got := n.Dials(); test.dials != nil && !slices.Equal(got, test.dials) {
					t.Errorf("Check(%q) connected to %v; want %v", r.Target, got, test.dials)
				}
				synctest.Wait()
				if n.Open() != 0 {
					t.Errorf("Check(%q) left %d connections open; want 0", r.Target, n.Open())
				}
			})
		})
	}
}

// Where a target without a scheme names a port, https decides if the port speaks
// TLS, and http if it does not.
func TestOnePort(t *testing.T) {
	const plainURL, secureURL = "http://site.test:8443/", "https://site.test:8443/"
	ca := hostile.NewCA(t)
	ok := hostile.Respond(hostile.OK)
	answer := func(status string, fields ...string) hostile.Handler {
		return hostile.Respond("HTTP/1.1 " + status + "\r\n" + strings.Join(append(fields, "Content-Length: 0"), "\r\n") + "\r\n\r\n")
	}
	bad400, toTLS := answer("400 Bad Request"), answer("301 X", "Location: "+secureURL)
	alert := func(_ context.Context, conn net.Conn) { conn.Write([]byte{0x15, 3, 3, 0, 2, 2, 70}) }
	good := hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}}), ok)
	bad := hostile.TLS(hostile.SelfSigned(t, "site.test"), ok)
	old := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	const (
		certificate = checker.ReasonCertificate
		no          = checker.ReasonTLS
	)
	judged := []checker.Option{checker.WithJudge(checker.StatusIn(200, 299))}
	followed := []checker.Option{checker.WithRedirects(3)}
	for _, test := range []struct {
		name          string
		plain, secure hostile.Handler // what answers plain HTTP on the port, and TLS
		url           string          // which decided
		reason        checker.Reason
		takes         time.Duration
		dials         int
		opts          []checker.Option
	}{
		{name: "P4 a 400 of a TLS port", plain: bad400, secure: good, url: secureURL, dials: 2},
		{name: "P4 a 400, untrusted", plain: bad400, secure: bad, url: secureURL, reason: certificate, dials: 2},
		{name: "P4 a 400, no version in common", plain: bad400, secure: hostile.TLS(old, ok), url: secureURL, reason: no, dials: 2},
		{name: "P4 a 400, judged", plain: bad400, secure: bad, url: secureURL, reason: certificate, dials: 3, opts: judged},
		{name: "P4 a 400, HTTPS answers 404", plain: bad400, secure: hostile.TLS(ca.Config(hostile.Cert{Names: []string{"site.test"}}), answer("404 X")), url: secureURL, dials: 2},
		{name: "P4 a redirect to itself by https, untrusted", plain: toTLS, secure: bad, url: secureURL, reason: certificate, dials: 2},
		{name: "P4 the same, followed", plain: toTLS, secure: bad, url: secureURL, reason: certificate, dials: 5, opts: followed},
		{name: "P4 426", plain: answer("426 X"), secure: bad, url: secureURL, reason: certificate, dials: 2},
		{name: "P4 an alert", plain: alert, secure: bad, url: secureURL, reason: certificate, dials: 3},
		{name: "P4 closed", plain: hostile.CloseAfterRequest(), secure: bad, url: secureURL, reason: certificate, dials: 3},
		{name: "P4 reset", plain: hostile.ResetAfterRequest(), secure: good, url: secureURL, dials: 3},
		{name: "P4 silence", plain: hostile.Silent(), secure: bad, url: secureURL, reason: certificate, takes: 300 * time.Millisecond, dials: 2},
		{name: "P4 silence, trusted", plain: hostile.Silent(), secure: good, url: secureURL, takes: 300 * time.Millisecond, dials: 2},

		{name: "P4 plain HTTP", plain: ok, secure: ok, url: plainURL, dials: 1},
		{name: "P4 plain HTTP and TLS, untrusted", plain: ok, secure: bad, url: plainURL, dials: 1},
		{name: "P4 plain HTTP, 404", plain: answer("404 X"), secure: bad400, url: plainURL, dials: 1},
		{name: "P4 plain HTTP, 400", plain: bad400, secure: hostile.AfterHello(func(_ context.Context, conn net.Conn) { io.WriteString(conn, "HTTP/1.1 400 X\r\n\r\n") }), url: plainURL, dials: 2},
		{name: "P4 plain HTTP, 400, closes on TLS", plain: bad400, secure: hostile.AfterHello(hostile.Close()), url: plainURL, dials: 2},
		{name: "P4 plain HTTP, 400, resets on TLS", plain: bad400, secure: hostile.AfterHello(hostile.Reset()), url: plainURL, dials: 2},
		{name: "P4 plain HTTP, 400, waits on TLS", plain: bad400, secure: hostile.Silent(), url: plainURL, takes: time.Second, dials: 2},
		{name: "P4 plain HTTP, a redirect elsewhere", plain: answer("301 X", "Location: https://site.test/"), secure: bad, url: plainURL, dials: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, nil, nil)
				hostile.ServeListener(t, n.Listen(faults.SiteAddr+":8443"), hostile.ByHello(test.secure, test.plain))
				opts := faults.On(n, checker.WithTimeout(3*time.Second), checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
				r := faults.NewChecker(t, append(opts, test.opts...)...).Check(t.Context(), "site.test:8443")
				if r.Reason() != test.reason || r.Online() != (test.reason == "") || r.URL != test.url || r.Timing.Total != test.takes {
					t.Errorf("Check(%q) = %v by %s after %v; want %q by %s after %v", r.Target, r, r.URL, r.Timing.Total, test.reason, test.url, test.takes)
				}
				if got := n.Dials(); len(got) != test.dials {
					t.Errorf("Check(%q) made %d connections; want %d", r.Target, len(got), test.dials)
				}
				synctest.Wait()
				if n.Open() != 0 {
					t.Errorf("Check(%q) left %d connections open; want 0", r.Target, n.Open())
				}
			})
		})
	}
}

// P4: what a port of TLS says to plain HTTP leads to itself by https, under whatever
// name, or is an error on the port that is https's own.
func TestOnePortDoubts(t *testing.T) {
	ca := hostile.NewCA(t)
	bad := hostile.TLS(hostile.SelfSigned(t, "site.test"), hostile.Respond(hostile.OK))
	for _, test := range []struct {
		port, status, location string
		https                  bool // decides
	}{
		{"443", "301 X", "https://site.test/", true},
		{"443", "302 X", "https://site.test:443/a", true},
		{"443", "301 X", "https://www.site.test/", true},
		{"443", "301 X", "http://site.test/", false},
		{"443", "301 X", "https://site.test:8443/", false},
		{"443", "404 X", "", true},
		{"443", "403 X", "", true},
		{"443", "503 X", "", true},
		{"443", "200 OK", "", false},
		{"8443", "308 X", "https://www.site.test:8443/", true},
		{"8443", "307 X", "https://site.test/", false},
		{"8443", "404 X", "", false},
		{"8443", "497 X", "", true},
		{"80", "301 X", "https://site.test/", false},
		{"80", "404 X", "", false},
		{"80", "400 X", "", true},
	} {
		t.Run(fmt.Sprintf("P4 %s to %q on %s", test.status, test.location, test.port), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, nil, nil)
				plain := hostile.Respond("HTTP/1.1 " + test.status + "\r\nLocation: " + test.location + "\r\nContent-Length: 0\r\n\r\n")
				hostile.ServeListener(t, n.Listen(faults.SiteAddr+":"+test.port), hostile.ByHello(bad, plain))
				opts := faults.On(n, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
				r := faults.NewChecker(t, opts...).Check(t.Context(), "site.test:"+test.port)
				if r.Online() == test.https || test.https && r.Reason() != checker.ReasonCertificate || len(n.Dials()) > 2 {
					t.Errorf("Check(%q) = %v on %d connections; want at most 2, and https to decide: %t", r.Target, r, len(n.Dials()), test.https)
				}
			})
		})
	}
}
