package checker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
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

// R17: what the site said stands if its retry gets no token, at whichever step, or
// no time.
func TestFirstVerdictStands(t *testing.T) {
	judged := checker.WithJudge(checker.StatusIn(200, 299))
	answer := func(code int) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) { return faults.Respond(req, code), nil }
	}
	gone := func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }
	for _, test := range []struct {
		name, target string
		answer       func(*http.Request) (*http.Response, error)
		opts         []checker.Option
		reason       checker.Reason
		status       int
	}{
		{"refused, no token of the host", "http://site.test/", gone, []checker.Option{checker.WithHostRateLimit(0.01, 1)}, checker.ReasonRefused, 0},
		{"refused, no token of all", "http://site.test/", gone, []checker.Option{checker.WithRateLimit(0.01, 1)}, checker.ReasonRefused, 0},
		{"refused twice, no token for https again", "site.test", gone, []checker.Option{checker.WithHostRateLimit(0.01, 3)}, checker.ReasonRefused, 0},
		{"refused, no token at all for a second way", "site.test", gone, []checker.Option{checker.WithHostRateLimit(0.01, 1)}, checker.ReasonLocal, 0},
		{"503, no token", "http://site.test/", answer(503), []checker.Option{judged, checker.WithMethod("GET"), checker.WithHostRateLimit(0.01, 1)}, checker.ReasonRejected, 503},
		{"503 to HEAD and GET, no token for GET again", "http://site.test/", answer(503), []checker.Option{judged, checker.WithHostRateLimit(0.01, 3)}, checker.ReasonRejected, 503},
		{"503 to HEAD, no token for GET", "http://site.test/", answer(503), []checker.Option{judged, checker.WithHostRateLimit(0.01, 1)}, checker.ReasonLocal, 0},
		{"503, no time", "http://site.test/", answer(503), []checker.Option{judged, checker.WithHostRateLimit(1, 2), checker.WithTimeout(time.Second / 2)}, checker.ReasonRejected, 503},
		{"503, a retry that is cut short", "http://site.test/", slowLater(3, answer(503)), []checker.Option{judged, checker.WithTimeout(time.Second)}, checker.ReasonRejected, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := faults.NewChecker(t, append(test.opts, checker.WithTransport(&faults.Memory{Answer: test.answer}))...)
				r := c.Check(t.Context(), test.target)
				if r.Reason() != test.reason || r.StatusCode != test.status {
					t.Errorf("Check(%q) = %v, status %d; want %s, %d", test.target, r, r.StatusCode, test.reason, test.status)
				}
			})
		})
	}
}

// slowLater answers the n-th request and all later ones only when their context ends.
func slowLater(n int64, answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	var asked atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		if asked.Add(1) >= n {
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		}
		return answer(req)
	}
}

// R17: a judge says of an answer that it may pass, as StatusIn does of some, and then
// it is asked for again; of any other the first word is the last.
func TestRejectedMayPass(t *testing.T) {
	strict := checker.StatusIn(200, 299)
	judges := map[string]func(*http.Response) error{
		"StatusIn": strict,
		"wrapped":  func(resp *http.Response) error { return wrapped(strict(resp)) },
		"own": func(resp *http.Response) error {
			if resp.StatusCode != 200 {
				return busy(resp.StatusCode)
			}
			return nil
		},
		"untold": func(resp *http.Response) error {
			if resp.StatusCode != 200 {
				return errors.New("no")
			}
			return nil
		},
	}
	for name, judge := range judges {
		for code := 300; code < 600; code++ {
			passes := slices.Contains([]int{408, 425, 429, 500, 502, 503, 504}, code) && name != "untold"
			want := 1
			if passes {
				want = 2
			}
			bubble.Test(t, func(t *testing.T) {
				calls := 0
				m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
					if calls++; calls > 1 {
						return faults.Respond(req, 200), nil
					}
					return faults.Respond(req, code), nil
				}}
				c := faults.NewChecker(t, checker.WithTransport(m), checker.WithJudge(judge), checker.WithMethod("GET"))
				r := c.Check(t.Context(), "http://site.test/")
				if r.Online() != passes || r.Attempts != want || calls != want {
					t.Errorf("%s of %d: %v after %d attempts and %d requests; want %d", name, code, r, r.Attempts, calls, want)
				}
			})
		}
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("wrapped: %w", err)
}

// busy is an error that may pass if its status may.
type busy int

func (e busy) Error() string { return fmt.Sprint("status ", int(e)) }
func (e busy) Temporary() bool {
	return slices.Contains([]int{408, 425, 429, 500, 502, 503, 504}, int(e))
}
