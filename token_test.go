package checker_test

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

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
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Answer: slow}), checker.WithRedirects(3), checker.WithTimeout(time.Second),
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
