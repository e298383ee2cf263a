package checker_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// O12: time that the lookup took is not the site's, but half of the timeout is a fair
// chance.
func TestSlowLookup(t *testing.T) {
	for _, test := range []struct {
		lookup, site time.Duration
		reason       checker.Reason
	}{
		{1800 * time.Millisecond, 100 * time.Millisecond, ""},
		{1800 * time.Millisecond, time.Second, checker.ReasonDNS},
		{1100 * time.Millisecond, time.Hour, checker.ReasonDNS},
		{900 * time.Millisecond, time.Second, ""},
		{900 * time.Millisecond, 1200 * time.Millisecond, checker.ReasonTimeout},
		{900 * time.Millisecond, time.Hour, checker.ReasonTimeout},
	} {
		bubble.Test(t, func(t *testing.T) {
			site := faults.Site(t, answersAfter(test.site), nil)
			c := faults.NewChecker(t, append(faults.On(site), checker.WithResolver(slowNames{site, test.lookup}), checker.WithTimeout(2*time.Second), checker.WithMethod("GET"))...)
			if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != test.reason {
				t.Errorf("a lookup of %v and a site that takes %v: %v; want %q", test.lookup, test.site, r, test.reason)
			}
		})
	}
}

// answersAfter is a site that takes a while.
func answersAfter(d time.Duration) hostile.Handler {
	return func(ctx context.Context, conn net.Conn) {
		if _, err := hostile.ReadHead(conn); err != nil {
			return
		}
		select {
		case <-time.After(d):
			io.WriteString(conn, hostile.OK)
		case <-ctx.Done():
		}
	}
}

// slowNames is a resolver that takes a while.
type slowNames struct {
	checker.Resolver
	takes time.Duration
}

func (s slowNames) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.Resolver.LookupNetIP(ctx, network, host)
}

// M6: the global rate counts every request: attempts, candidates and fallbacks.
func TestRateCountsEveryRequest(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var times []time.Duration
		start := time.Now()
		m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(start))
			if req.Method == http.MethodHead {
				return faults.Respond(req, 405), nil
			}
			return faults.Respond(req, 500), nil
		}}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithRateLimit(10, 2), checker.WithRetries(0), checker.WithJudge(checker.StatusIn(200, 299)))
		for r := range c.Stream(t.Context(), faults.Sites(50, nil)) {
			if r.Reason() != checker.ReasonRejected {
				t.Errorf("Reason() = %q; want rejected", r.Reason())
			}
		}
		if len(times) != 100 {
			t.Fatalf("%d requests; want 100", len(times))
		}
		for i := 12; i < len(times); i++ {
			if d := times[i] - times[i-12]; d < time.Second-time.Millisecond {
				t.Fatalf("13 requests within %v; want at most 12 in a second", d)
			}
		}
		if got := time.Since(start); got > 10*time.Second {
			t.Errorf("100 requests at 10/s took %v", got)
		}
	})
}

// K7: a limiter that has no token in time is no verdict on the site.
func TestDeadlineMeetsLimiter(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithRateLimit(rate.Limit(1), 1))
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		count := map[checker.Reason]int{}
		for r := range c.Stream(ctx, faults.Sites(100, nil)) {
			count[r.Reason()]++
		}
		if count[""] != 5 || len(count) != 2 || count[checker.ReasonCanceled] == 0 {
			t.Errorf("reasons %v; want 5 Online and the rest canceled", count)
		}
	})
}

// M11: no site is to blame for what our own limits cost, at whatever step.
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
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Answer: slow}), checker.WithRedirects(3), checker.WithTimeout(time.Second),
			checker.WithHostRateLimit(rate.Every(900*time.Millisecond), 1), checker.WithMethod("GET"))
		if r := c.Check(t.Context(), "http://site.test/"); r.Cause() != checker.CauseRateLimit {
			t.Errorf("a hop that had 100ms of its 300ms: %v; want local", r)
		}
	})
	ca := hostile.NewCA(t)
	site := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.NotFoundHandler())).URLS()
	for _, method := range []string{"HEAD", "GET"} {
		c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithTimeout(time.Second),
			checker.WithMethod(method), checker.WithHostRateLimit(0.1, 1))
		if r := c.Check(t.Context(), site); r.Reason() != checker.ReasonLocal || r.Cause() != checker.CauseRateLimit {
			t.Errorf("%s of an HTTP/2-only site with one token: %v; want local", method, r)
		}
	}
}
