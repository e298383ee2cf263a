package checker_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

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
					t.Errorf("Check(%q) left %d connections open", r.Target, n.Open())
				}
			})
		})
	}
}
