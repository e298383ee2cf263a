package checker_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// blocked means every address; a candidate that the site refused says more.
func TestBlockedCandidate(t *testing.T) {
	for _, port := range []uint16{80, 443} {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, faults.On(faults.Site(t, nil, nil), checker.WithAddrPolicy(func(a netip.AddrPort) error {
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

// With a judge that refuses the answer, the check is made again after the pause
// if its timeout leaves time for that, and GET is not asked beside HEAD.
func TestRetryAfterRejected(t *testing.T) {
	for _, test := range []struct {
		after         string
		opts          []checker.Option
		status, calls int
		takes         time.Duration
	}{
		{"3", nil, 200, 2, 3 * time.Second},
		{"30", nil, 429, 1, 0}, // more than the timeout
		{"3", []checker.Option{checker.WithTimeout(2 * time.Second)}, 429, 1, 0},
		{"3", []checker.Option{checker.WithRetries(0)}, 429, 1, 0},
	} {
		bubble.Test(t, func(t *testing.T) {
			calls := 0
			m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
				if calls++; calls > 1 {
					return faults.Respond(req, 200), nil
				}
				resp := faults.Respond(req, 429)
				resp.Header.Set("Retry-After", test.after)
				return resp, nil
			}}
			c := faults.NewChecker(t, append(test.opts, checker.WithTransport(m), checker.WithJudge(checker.StatusIn(200, 299)))...)
			r := c.Check(t.Context(), "http://site.test/")
			if r.StatusCode != test.status || r.Attempts != test.calls || calls != test.calls || r.Timing.Total != test.takes {
				t.Errorf("Check() = %v with %d attempts, %d requests in %v; want status %d with %d in %v",
					r, r.Attempts, calls, r.Timing.Total, test.status, test.calls, test.takes)
			}
			if r.Online() != (test.status == 200) || !r.Online() && r.Reason() != checker.ReasonRejected {
				t.Errorf("Check() = %v; want online or rejected", r)
			}
		})
	}
}

// The caller's end is at once the end of a check that waits for the pause to
// end, parked or not.
func TestRetryAfterCanceled(t *testing.T) {
	for name, opts := range map[string][]checker.Option{
		"parked":  nil,
		"running": {checker.WithJudge(checker.StatusIn(200, 299))},
	} {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, append(opts, checker.WithTransport(throttled(rate.NewLimiter(0, 0), "5")))...)
			if name == "parked" {
				c.Check(t.Context(), "http://site.test/")
			}
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			time.AfterFunc(time.Second, cancel)
			r := c.Check(ctx, "http://site.test/")
			if took := time.Since(start); r.Reason() != checker.ReasonCanceled || r.Phase() != checker.PhaseWait || took != time.Second {
				t.Errorf("%s: Check() = %v in %q after %v; want canceled while waiting, after 1s", name, r, r.Phase(), took)
			}
		})
	}
}
