package checker_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

const timeout = 2 * time.Second

// A link carries requests until it is cut. Sites whose host begins with "dead"
// never answer.
type link struct {
	cut   atomic.Bool
	fails error // what a request over a cut link meets at once; nil: silence
	asked atomic.Int64
}

func (l *link) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "canary.test" {
		l.asked.Add(1)
	}
	if l.cut.Load() && l.fails != nil {
		return nil, l.fails
	}
	if !l.cut.Load() && req.URL.Host[:4] != "dead" {
		select {
		case <-time.After(20 * time.Millisecond):
			if !l.cut.Load() {
				return faults.Respond(req, 200), nil
			}
		case <-req.Context().Done():
		}
	}
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

// R15: a portal that answers for all, the canaries among them, proves no network; nor
// does it where it answers for another site.
func TestCanariesPortal(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "dead.test" {
				<-req.Context().Done()
				return nil, context.Cause(req.Context())
			}
			return faults.Respond(req, 511), nil
		}}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		for _, r := range c.CheckAll(t.Context(), []string{"http://dead.test/", "http://live.test/"}) {
			if r.Reason() != checker.ReasonLocal {
				t.Errorf("Check(%q) = %v; want local", r.Target, r)
			}
		}
	})
}

// J20: while the canaries answer, a dead list is Offline, however long it is.
func TestCanariesDeadList(t *testing.T) {
	for _, n := range []int{1, 200} {
		bubble.Test(t, func(t *testing.T) {
			l := new(link)
			c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
			var targets []string
			for i := range n {
				targets = append(targets, fmt.Sprintf("http://dead%d.test/", i))
			}
			start := time.Now()
			for _, r := range c.CheckAll(t.Context(), targets) {
				if r.Reason() != checker.ReasonTimeout {
					t.Fatalf("%v; want a timeout", r)
				}
			}
			took := time.Since(start)
			// Each site is asked twice at most, and the canaries four times a second.
			rounds := (n + 99) / 100
			if most := time.Duration(rounds)*2*timeout + time.Second; took > most {
				t.Errorf("%d dead sites took %v; want at most %v", n, took, most)
			}
			if asked := l.asked.Load(); float64(asked) > 4*took.Seconds()+1 {
				t.Errorf("the canary was asked %d times in %v; want at most four times a second", asked, took)
			}
		})
	}
}

// J10: what fails because the link is cut is Unknown until the link is back,
// whether connects hang or fail at once.
func TestCanariesCut(t *testing.T) {
	for name, fails := range map[string]error{"silence": nil, "unreachable": syscall.EHOSTUNREACH} {
		for _, cut := range []time.Duration{300 * time.Millisecond, time.Second, timeout - time.Millisecond, timeout, 7 * time.Second} {
			t.Run(fmt.Sprint(name, " for ", cut), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					l := &link{fails: fails}
					c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0),
						checker.WithConcurrency(20), checker.WithCanaries("http://canary.test/"))
					at := 500 * time.Millisecond
					time.AfterFunc(at, func() { l.cut.Store(true) })
					time.AfterFunc(at+cut, func() { l.cut.Store(false) })
					count := make(map[checker.Status]int)
					start := time.Now()
					for _, r := range c.CheckAll(t.Context(), slices.Collect(faults.Sites(2000, nil))) {
						count[r.Status()]++
						began := r.Start.Sub(start)
						if r.Status() == checker.Offline {
							t.Fatalf("%v, begun after %v, though the link was cut", r, began)
						}
						if inCut := began+20*time.Millisecond >= at && began < at+cut; !inCut && !r.Online() {
							t.Fatalf("%v, begun after %v, though the link was not cut", r, began)
						}
					}
					if count[checker.Online] < 1000 {
						t.Errorf("%v; want most of 2000 Online", count)
					}
				})
			})
		}
	}
}

// With the link cut for good and no canary in sight, everything is local.
func TestCanariesDown(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := new(link)
		l.cut.Store(true)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0),
			checker.WithCanaries("http://canary.test/", "http://canary.test/other"))
		for _, r := range c.CheckAll(t.Context(), slices.Collect(faults.Sites(50, nil))) {
			if r.Reason() != checker.ReasonLocal || r.Timing.Total > 2*timeout+time.Second {
				t.Fatalf("%v in %v; want local within twice the timeout", r, r.Timing.Total)
			}
		}
	})
}

// What is held back ends with the caller's context.
func TestCanariesCanceled(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := new(link)
		l.cut.Store(true)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		ctx, cancel := context.WithTimeout(t.Context(), timeout+time.Second)
		defer cancel()
		start := time.Now()
		results := c.CheckAll(ctx, slices.Collect(faults.Sites(20, nil)))
		for _, r := range results {
			if r.Reason() != checker.ReasonCanceled {
				t.Errorf("%v; want canceled", r)
			}
		}
		if took := time.Since(start); took != timeout+time.Second {
			t.Errorf("CheckAll took %v; want %v", took, timeout+time.Second)
		}
	})
}

// Verdicts that the network cannot be blamed for are not held back, and without
// canaries nothing is.
func TestCanariesNotAsked(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := &link{fails: syscall.ECONNREFUSED}
		l.cut.Store(true)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		if r := c.Check(t.Context(), "http://site.test/"); !errors.Is(r.Err, checker.ReasonRefused) || l.asked.Load() != 0 {
			t.Errorf("%v after %d requests to the canary; want refused after none", r, l.asked.Load())
		}
	})
}
