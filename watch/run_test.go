package watch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// newChecker returns one that asks a transport once for each check.
func newChecker(t *testing.T, rt http.RoundTripper, opts ...checker.Option) *checker.Checker {
	return faults.NewChecker(t, append([]checker.Option{
		checker.WithTransport(rt), checker.WithMethod(http.MethodGet), checker.WithRetries(0),
	}, opts...)...)
}

// A log is a transport that notes when which site was asked, and holds that none is
// asked twice at a time.
type log struct {
	t     *testing.T
	start time.Time
	takes func(path string) time.Duration // nil: no time

	mu      sync.Mutex
	asked   []string // as "path@when"
	running map[string]bool
}

func newLog(t *testing.T, takes func(path string) time.Duration) *log {
	return &log{t: t, start: time.Now(), takes: takes, running: make(map[string]bool)}
}

func (l *log) begin(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[path] {
		l.t.Errorf("%s is checked twice at %v", path, time.Since(l.start))
	}
	l.running[path] = true
	l.asked = append(l.asked, path+"@"+time.Since(l.start).String())
}

func (l *log) end(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[path] = false
}

func (l *log) RoundTrip(req *http.Request) (*http.Response, error) {
	path := strings.Trim(req.URL.Path, "/")
	l.begin(path)
	defer l.end(path)
	if l.takes != nil {
		select {
		case <-time.After(l.takes(path)):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	return faults.Respond(req, http.StatusOK), nil
}

func sites(names string) (targets []string) {
	for _, name := range names {
		targets = append(targets, fmt.Sprintf("http://%c.test/%[1]c", name))
	}
	return targets
}

// The first round takes a tenth of the interval, and no site then waits longer than one.
func TestRunSchedule(t *testing.T) {
	for _, test := range []struct {
		names string
		every time.Duration
		want  string
	}{
		{"a", 30 * time.Second, "a@0s a@30s a@1m0s a@1m30s"},
		{"abc", 30 * time.Second, "a@0s b@1s c@2s a@12s b@22s c@32s a@42s b@52s c@1m2s a@1m12s b@1m22s c@1m32s"},
		{"ab", time.Minute, "a@0s b@3s a@33s b@1m3s a@1m33s"},
	} {
		bubble.Test(t, func(t *testing.T) {
			l := newLog(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
			defer cancel()
			targets := sites(test.names)
			for r := range Run(ctx, newChecker(t, l), test.every, targets) {
				if r.Target != targets[r.Index] || !r.Online() {
					t.Errorf("a Result of site %d is %v; want %s online", r.Index, r, targets[r.Index])
				}
			}
			if got := strings.Join(l.asked, " "); got != test.want {
				t.Errorf("every %v: asked %s; want %s", test.every, got, test.want)
			}
		})
	}
}

// A site that takes longer than the interval is passed over meanwhile, and holds up none.
func TestRunSlowSite(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLog(t, func(path string) time.Duration {
			if path == "b" {
				return 25 * time.Second
			}
			return time.Second
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range Run(ctx, newChecker(t, l, checker.WithTimeout(time.Minute)), 10*time.Second, sites("ab")) {
		}
		const want = "a@0s b@500ms a@5.5s a@15.5s a@25.5s b@30.5s a@35.5s a@45.5s a@55.5s"
		if got := strings.Join(l.asked, " "); got != want {
			t.Errorf("asked %s; want %s", got, want)
		}
	})
}

// A host that asks to be left alone has one check waiting, not one more each interval.
func TestRunPausedHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			resp := faults.Respond(req, http.StatusServiceUnavailable)
			resp.Header.Set("Retry-After", "3600")
			return resp, nil
		}}
		c := newChecker(t, m, checker.WithTimeout(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		n := 0
		for range Run(ctx, c, time.Second, []string{"http://a.test/"}) {
			n++
		}
		if n > 12 { // one a minute, and the one that is canceled
			t.Errorf("in ten minutes there were %d Results; want 12 at most", n)
		}
	})
}

// Two entries for one site are two sites, also at a time.
func TestRunDuplicates(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: 3 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n := make([]int, 3)
		for r := range Run(ctx, newChecker(t, m), 10*time.Second, slices.Repeat([]string{"http://a.test/"}, 3)) {
			n[r.Index]++
		}
		if slices.Max(n) != 7 || slices.Min(n) < 6 || m.Most.Load() != 3 {
			t.Errorf("three entries of a site have %v Results, at most %d at a time; want 6 or 7 and 3", n, m.Most.Load())
		}
	})
}

// While nobody receives, what runs ends and waits; then the sites are where they would
// have been.
func TestRunBackpressure(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const wide = 5
		m := new(faults.Memory)
		targets := slices.Collect(faults.Sites(100, nil))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		results := Run(ctx, newChecker(t, m, checker.WithConcurrency(wide)), 100*time.Second, targets)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := m.Calls.Load(); n > wide+1 {
			t.Errorf("in an hour in which nobody received, %d checks were made; want %d at most", n, wide+1)
		}
		start, n := time.Now(), make([]int, len(targets))
		for r := range results {
			if n[r.Index]++; time.Since(start) > 1000*time.Second {
				cancel()
			}
		}
		if low, high := slices.Min(n), slices.Max(n); low < 10 || high > 12 {
			t.Errorf("in ten intervals after it, sites had %d to %d Results; want 10 to 12", low, high)
		}
	})
}

// When ctx ends, what was pulled is reported to who goes on receiving, all is released
// within 100 ms, and nothing is left if nobody does.
func TestRunCancel(t *testing.T) {
	for _, receives := range []bool{true, false} {
		bubble.Test(t, func(t *testing.T) {
			m := &faults.Memory{Takes: time.Hour}
			ctx, cancel := context.WithCancel(t.Context())
			results := Run(ctx, newChecker(t, m, checker.WithTimeout(2*time.Hour)), time.Minute, sites("abcdefghij"))
			time.Sleep(10 * time.Minute)
			cancel()
			start := time.Now()
			if !receives {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				if _, ok := <-results; ok {
					t.Error("100 ms after the end the channel has a Result; want it closed")
				}
				return
			}
			seen := make(map[int]bool)
			for r := range results {
				if seen[r.Index] || r.Reason() != checker.ReasonCanceled {
					t.Errorf("site %d: %v; want canceled, once", r.Index, r)
				}
				seen[r.Index] = true
			}
			if took := time.Since(start); took > 100*time.Millisecond || len(seen) != 10 {
				t.Errorf("the channel was closed after %v with %d Results; want 10 within 100 ms", took, len(seen))
			}
		})
	}
}

func TestRunNothing(t *testing.T) {
	c := newChecker(t, new(faults.Memory))
	if r, ok := <-Run(t.Context(), c, time.Hour, nil); ok {
		t.Errorf("without targets there is %v; want a closed channel", r)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for r := range Run(ended, c, time.Hour, sites("abc")) {
		if r.Reason() != checker.ReasonCanceled {
			t.Errorf("after the end there is %v; want none, or canceled", r)
		}
	}
	for _, every := range []time.Duration{0, -time.Second} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Run every %v does not panic", every)
				}
			}()
			Run(t.Context(), c, every, nil)
		}()
	}
}
