package checker_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A judge gets the request that was sent, and what it does to it stays with it.
func TestJudgeSeesRequest(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
	var sent atomic.Value
	h := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { sent.Store(req.Host + ", " + req.Header.Get("X-A")) })
	two := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(conf, h)).URLS()
	one := httptest.NewServer(h)
	defer one.Close()
	for _, url := range []string{one.URL, two} {
		judge := func(resp *http.Response) error {
			req := resp.Request
			if req.Method != "HEAD" || req.URL.String() != url+"/" || req.Host != "virtual.test" || req.Header.Get("X-A") != "1" || req.Context().Err() != nil {
				return fmt.Errorf("%s %s, Host %s, %v", req.Method, req.URL, req.Host, req.Header)
			}
			req.Header.Set("X-A", "2")
			return nil
		}
		c := faults.NewChecker(t, checker.WithHeader("X-A", "1"), checker.WithHeader("Host", "virtual.test"),
			checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithJudge(judge))
		for range 2 {
			if r := c.Check(t.Context(), url); !r.Online() || sent.Load() != "virtual.test, 1" {
				t.Errorf("Check(%q) = %v, sent %q; want Online, virtual.test, 1", url, r, sent.Load())
			}
		}
	}
}
