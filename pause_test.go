package checker_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// throttled answers 429 with a Retry-After to what its bucket has no token for.
func throttled(bucket *rate.Limiter, after string) *faults.Memory {
	return &faults.Memory{Takes: time.Millisecond, Answer: func(req *http.Request) (*http.Response, error) {
		if bucket.Allow() {
			return faults.Respond(req, 200), nil
		}
		resp := faults.Respond(req, 429)
		resp.Header.Set("Retry-After", after)
		return resp, nil
	}}
}

// F7: a host that is asked too much is left alone for as long as it says, and
// then asked no faster than it can take.
func TestRetryAfter(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := throttled(rate.NewLimiter(10, 10), "1")
		c := faults.NewChecker(t, checker.WithTransport(m))
		refused := 0
		for _, r := range c.CheckAll(t.Context(), slices.Repeat([]string{"http://site.test/"}, 200)) {
			if !r.Online() {
				t.Fatal(r)
			}
			if r.StatusCode == 429 {
				refused++
			}
		}
		if refused == 0 || refused >= 20 || m.Calls.Load() != 200 {
			t.Errorf("%d of %d requests were answered 429; want fewer than 20 of 200", refused, m.Calls.Load())
		}
	})
}

// A host that is paused holds up no other, and the pause is at most the
// timeout, whatever the host says.
func TestRetryAfterBounds(t *testing.T) {
	future := time.Date(2000, 1, 1, 0, 0, 3, 0, time.UTC) // a bubble's clock begins with the year
	for after, want := range map[string]time.Duration{
		"":                                   0,
		"0":                                  0,
		"-1":                                 0,
		"soon":                               0,
		"1.5":                                0,
		"3":                                  3 * time.Second,
		"1000000000":                         10 * time.Second,
		"18446744073709551615":               10 * time.Second,
		"99999999999999999999999":            0,
		future.Format(http.TimeFormat):       3 * time.Second,
		"Fri, 31 Dec 1999 23:59:59 GMT":      0,
		"Sun, 06 Nov 2094 08:49:37 GMT":      10 * time.Second,
		strings.Repeat("9", 1<<10):           0,
		" 3":                                 0,
		future.Format(time.RFC850):           3 * time.Second,
		"Sat, 01 Jan 2000 00:00:03 +0100":    0,
		future.Format(time.ANSIC):            3 * time.Second,
		"Sat, 32 Jan 2000 00:00:03 GMT":      0,
		"3, 4":                               0,
		"+3":                                 0,
		"3\x00":                              0,
		"３":                                  0,
		"0x3":                                0,
		"1_000":                              0,
		"Infinity":                           0,
		fmt.Sprint(uint64(1) << 40):          10 * time.Second,
		future.Add(-9e9).Format(time.RFC850): 0,
	} {
		bubble.Test(t, func(t *testing.T) {
			m := throttled(rate.NewLimiter(0, 0), after)
			m.Takes = 0
			c := faults.NewChecker(t, checker.WithTransport(m))
			for i, target := range []string{"http://site.test/", "http://other.test/", "http://site.test/"} {
				r := c.Check(t.Context(), target)
				wait := time.Duration(0)
				if i == 2 {
					wait = want
				}
				if !r.Online() || r.Timing.Wait != wait {
					t.Errorf("after Retry-After %.40q, check %d = %v waited %v; want online after %v", after, i, r, r.Timing.Wait, wait)
				}
			}
		})
	}
}

// The server's own clock counts, if it tells its time.
func TestRetryAfterDate(t *testing.T) {
	const date, later = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:39 GMT"
	for name, opts := range map[string]func(*testing.T) []checker.Option{
		"a transport": func(*testing.T) []checker.Option {
			return []checker.Option{checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
				resp := faults.Respond(req, 503)
				resp.Header.Set("Date", date)
				resp.Header.Set("Retry-After", later)
				return resp, nil
			}})}
		},
		"the package's own": func(t *testing.T) []checker.Option {
			return faults.On(faults.Site(t, hostile.Respond("HTTP/1.1 503 Busy\r\nDate: "+date+"\r\nretry-after: "+later+"\r\n\r\n"), nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := faults.NewChecker(t, opts(t)...)
				c.Check(t.Context(), "http://site.test/")
				if r := c.Check(t.Context(), "http://site.test/"); r.Timing.Wait != 2*time.Second {
					t.Errorf("the second check waited %v; want 2s", r.Timing.Wait)
				}
			})
		})
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

// An answer to a request that was sent before its host asked for a pause tells
// nothing new of how much the host takes.
func TestRetryAfterBefore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var calls int
		var later []time.Time
		answer := func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			calls++
			n := calls
			if n > 10 {
				later = append(later, time.Now())
			}
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			if n == 10 {
				time.Sleep(100 * time.Millisecond)
			}
			if n != 9 && n != 10 {
				return faults.Respond(req, 200), nil
			}
			resp := faults.Respond(req, 429)
			resp.Header.Set("Retry-After", "1")
			return resp, nil
		}
		c := faults.NewChecker(t, checker.WithHostConcurrency(2), checker.WithTransport(&faults.Memory{Answer: answer}))
		c.CheckAll(t.Context(), slices.Repeat([]string{"http://site.test/"}, 13))
		// Eight checks in 400 ms, and a pause of a second.
		if gap := later[1].Sub(later[0]); gap > 200*time.Millisecond {
			t.Errorf("%v between two checks after the pause; want at most 200ms", gap)
		}
	})
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
