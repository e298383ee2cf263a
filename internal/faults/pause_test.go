package faults_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// S9: a pause is that of the origin which asked for it. Other ports and schemes of the host
// are checked in time. A check that waits says for what.
func TestPauseIsTheOrigins(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Answer: busyPort("8003")}), checker.WithRetryAfter(time.Hour))
		for i := range 12 {
			for _, port := range []string{"8001", "8002", "8003", "8004"} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				r := c.Check(ctx, "http://one.test:"+port)
				cancel()
				if port != "8003" || i == 0 {
					if !r.Online() || r.Timing.Wait != 0 {
						t.Errorf("%v after %v; want it online at once", r, r.Timing.Wait)
					}
					continue
				}
				const want = "the host asked to be left alone until 2000-01-01 00:02:00 UTC; its last answer was 503"
				if r.Reason() != checker.ReasonCanceled || r.Phase() != checker.PhaseWait || !strings.Contains(r.Err.Error(), want) || !errors.Is(r.Err, context.DeadlineExceeded) {
					t.Errorf("Check inside a pause = %v; want canceled, and %q", r, want)
				}
			}
			time.Sleep(9 * time.Second)
		}
		if r := c.Check(t.Context(), "https://one.test:8003"); r.Timing.Wait != 0 {
			t.Errorf("%v waited %v; want no wait by another scheme", r, r.Timing.Wait)
		}
		if r := c.Check(t.Context(), "one.test:8003"); r.Timing.Wait == 0 {
			t.Errorf("%v waited %v; want it to wait for http", r, r.Timing.Wait)
		}
	})
}

// S9: checks of a call say so as well, and one that runs when it is sent away.
func TestPauseIsTold(t *testing.T) {
	const want = "the host asked to be left alone until 2000-01-01 00:02:01 UTC; its last answer was 503"
	bubble.Test(t, func(t *testing.T) {
		// Six have begun by the time that the first is answered.
		m := &faults.Memory{Answer: busyPort(""), Takes: time.Second}
		opts := []checker.Option{checker.WithTransport(m), checker.WithRetryAfter(time.Hour), checker.WithTimeout(time.Hour)}
		c := faults.NewChecker(t, opts...)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for i, r := range c.CheckAll(ctx, slices.Repeat([]string{"http://one.test"}, 20)) {
			if r.Online() != (i < 6) || !r.Online() && !strings.Contains(r.Err.Error(), want) {
				t.Errorf("CheckAll()[%d] = %v; want six online, and else %q", i, r, want)
			}
		}
		strict := faults.NewChecker(t, append(opts, checker.WithJudge(checker.StatusIn(200, 299)))...)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if r := strict.Check(ctx, "http://one.test"); r.Reason() != checker.ReasonCanceled || r.StatusCode != 503 || !strings.Contains(r.Err.Error(), "asked to be left alone until") {
			t.Errorf("Check that is sent away = %v; want it to say so", r)
		}
	})
}

// S8: a pause is kept, however many other hosts come by and however long it is. It is at
// most as long as the option allows.
func TestPauseIsKept(t *testing.T) {
	others := 101_000
	if testing.Short() {
		others = 12_000
	}
	for most, want := range map[time.Duration]time.Duration{0: 0, time.Second: time.Second, 90 * time.Second: 90 * time.Second, time.Hour: 2 * time.Minute} {
		bubble.Test(t, func(t *testing.T) {
			var asked []time.Duration
			start := time.Now()
			busy := busyPort("8003")
			c := faults.NewChecker(t, checker.WithRetryAfter(most), checker.WithHostRateLimit(1e6, 1), checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
				if req.URL.Port() == "8003" {
					asked = append(asked, time.Since(start))
				}
				return busy(req)
			}}))
			c.Check(t.Context(), "http://one.test:8003")
			if most == time.Hour {
				for range c.Stream(t.Context(), faults.Sites(others, nil)) {
				}
			}
			spent := time.Since(start)
			c.Check(t.Context(), "http://one.test:8003")
			if len(asked) != 2 || asked[1] < max(want, spent) || asked[1] > max(want, spent)+time.Millisecond {
				t.Errorf("with WithRetryAfter(%v) it was asked after %v; want at 0 and after %v", most, asked, want)
			}
		})
	}
}

// S8: a canary that asks for a pause gets it.
func TestPauseOfACanary(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		c := faults.NewChecker(t, checker.WithRetryAfter(time.Hour), checker.WithCanaries("http://one.test:8003", "http://canary.test"), checker.WithRetries(0), checker.WithTimeout(2*time.Second),
			checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
				switch req.URL.Host {
				case "one.test:8003":
					asked.Add(1)
				case "dead.test":
					<-req.Context().Done()
					return nil, context.Cause(req.Context())
				case "canary.test": // slow, so that the other one is asked as well
					time.Sleep(100 * time.Millisecond)
				}
				return busyPort("8003")(req)
			}}))
		for range 20 {
			if r := c.Check(t.Context(), "http://dead.test"); r.Reason() != checker.ReasonTimeout {
				t.Errorf("Check of a dead site = %v; want a timeout", r)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("a canary that asked for 2m of pause was asked %d times in %v; want once", n, 40*time.Second)
		}
	})
}

// busyPort answers 503 for one port, with a Retry-After.
func busyPort(port string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		if req.URL.Port() != port || req.URL.Scheme == "https" {
			return faults.Respond(req, 200), nil
		}
		resp := faults.Respond(req, 503)
		resp.Header.Set("Retry-After", "120")
		return resp, nil
	}
}
