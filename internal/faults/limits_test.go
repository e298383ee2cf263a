package faults_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// S: limits, shared by many calls on one Checker.

// endless yields a target for ever, not much faster than it can be checked: a computer
// would be 10 000 targets ahead.
func endless(target string, every time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		for yield(target) {
			time.Sleep(every)
		}
	}
}

// shares lets n endless Streams of one host run until they have had per checks each, on
// average, and returns how many each had. It leaves out how they began.
func shares(ctx context.Context, c *checker.Checker, n, per int) []int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	had := make([]int, n)
	all := -n * per / 5
	for i := range n {
		wg.Go(func() {
			for range c.Stream(ctx, endless(fmt.Sprintf("http://one.test/%d", i), time.Duration(n)*100*time.Microsecond)) {
				mu.Lock()
				if all++; all > 0 && all <= n*per {
					had[i]++
				}
				if all == n*per {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return had
}

// S1: calls share a host evenly, however many there are, and so they do with what
// limits them together.
func TestShares(t *testing.T) {
	check := func(t *testing.T, n, per int, opts ...checker.Option) {
		t.Helper()
		c := faults.NewChecker(t, append(opts, checker.WithTransport(&faults.Memory{Takes: time.Millisecond}))...)
		had := shares(t.Context(), c, n, per)
		if low, high := slices.Min(had), slices.Max(had); float64(low) < 0.9*float64(per) || float64(high) > 1.1*float64(per) {
			t.Errorf("%d Streams had %v checks; want each within a tenth of %d", n, had, per)
		}
	}
	limits := map[string][]checker.Option{
		"a host's rate":   {checker.WithHostRateLimit(1000, 1)},
		"a rate":          {checker.WithRateLimit(1000, 1)},
		"the concurrency": {checker.WithConcurrency(2), checker.WithHostConcurrency(100)},
		"one at a time":   {checker.WithConcurrency(1)},
		"all of them":     {checker.WithConcurrency(3), checker.WithHostConcurrency(2), checker.WithHostRateLimit(900, 2), checker.WithRateLimit(800, 3)},
	}
	for width := 1; width <= 6; width++ {
		limits[fmt.Sprint("width ", width)] = []checker.Option{checker.WithHostConcurrency(width)}
	}
	for name, opts := range limits {
		t.Run(name, func(t *testing.T) {
			queues := []int{2, 7, 50}
			if testing.Short() {
				queues = queues[:2]
			}
			for _, n := range queues {
				bubble.Test(t, func(t *testing.T) { check(t, n, 50, opts...) })
			}
			check(t, 2, 100, opts...)
			check(t, 7, 50, opts...)
		})
	}
}

// S2: single checks under a limit are made in the order in which they came, and no later
// than the limit makes it.
func TestSinglesInOrder(t *testing.T) {
	for name, opts := range map[string][]checker.Option{
		"a rate":          {checker.WithRateLimit(200, 1), checker.WithHostConcurrency(10_000), checker.WithConcurrency(10_000)},
		"a host's rate":   {checker.WithHostRateLimit(200, 1), checker.WithHostConcurrency(10_000), checker.WithConcurrency(10_000)},
		"a host's width":  {checker.WithHostConcurrency(1)},
		"the concurrency": {checker.WithConcurrency(1)},
	} {
		bubble.Test(t, func(t *testing.T) {
			const n = 2000
			var mu sync.Mutex
			var order []string
			c := faults.NewChecker(t, append(opts, checker.WithTransport(&faults.Memory{Takes: 5 * time.Millisecond, Answer: func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, req.URL.Path)
				return faults.Respond(req, 200), nil
			}}))...)
			var wg sync.WaitGroup
			waits := make([]time.Duration, n)
			for i := range n {
				wg.Go(func() { waits[i] = c.Check(t.Context(), fmt.Sprintf("http://one.test/%04d", i)).Timing.Wait })
				synctest.Wait()
			}
			wg.Wait()
			if !slices.IsSorted(order) || len(order) != n {
				t.Errorf("%s: %d checks were made, in another order than that in which they came", name, len(order))
			}
			slices.Sort(waits)
			if ideal := n * 99 / 100 * 5 * time.Millisecond; waits[n*99/100] > ideal*11/10 {
				t.Errorf("%s: the 99th percentile of the waits is %v; want at most 1.1 × %v", name, waits[n*99/100], ideal)
			}
		})
	}
}

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

// S10: a Checker that With returns has its limits and pauses in common with the first.
func TestWithShares(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second, Answer: busyPort("8003")}
		first := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(3), checker.WithHostConcurrency(2), checker.WithHeader("A", "1"))
		second, err := first.With(checker.WithHeader("B", "2"), checker.WithJudge(checker.StatusIn(200, 299)), checker.WithTimeout(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		third, err := second.With(checker.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i, c := range []*checker.Checker{first, second, third} {
			for range 4 {
				wg.Go(func() { c.Check(t.Context(), "http://one.test/") })
				wg.Go(func() { c.Check(t.Context(), fmt.Sprintf("http://h%d.test/", i)) })
			}
		}
		wg.Wait()
		if took := time.Since(start); m.Most.Load() != 3 || took < 8*time.Second || took > 10*time.Second {
			t.Errorf("24 checks by three Checkers, %d at once, took %v; want 3 in some 8s", m.Most.Load(), took)
		}
		if r := third.Check(t.Context(), "http://one.test:8003"); r.Reason() != checker.ReasonRejected {
			t.Errorf("Check = %v; want it rejected by the judge of before", r)
		}
		if r := first.Check(t.Context(), "http://one.test:8003"); !r.Online() || r.Timing.Wait != 10*time.Second {
			t.Errorf("Check = %v after %v; want it online, after the pause of the other", r, r.Timing.Wait)
		}
	})
}

// What With adds is not seen by the Checker that it was added to.
func TestWithAdds(t *testing.T) {
	var got http.Header
	first := faults.NewChecker(t, checker.WithHeader("A", "1"), checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		got = req.Header
		return faults.Respond(req, 404), nil
	}}))
	second, err := first.With(checker.WithHeader("A", "2"), checker.WithHeader("Authorization", "secret"), checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		t.Fatal(err)
	}
	if r := second.Check(t.Context(), "http://site.test"); r.Online() || !slices.Equal(got["A"], []string{"1", "2"}) || got.Get("Authorization") != "secret" {
		t.Errorf("Check with further options = %v, sent %v; want it rejected, with all fields", r, got)
	}
	if r := first.Check(t.Context(), "http://site.test"); !r.Online() || !slices.Equal(got["A"], []string{"1"}) || got.Get("Authorization") != "" {
		t.Errorf("Check without them = %v, sent %v; want it online, with its own fields", r, got)
	}
}

// S11: leaving a range over Each leaves nothing behind, however it is left.
func TestEachIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	m := &faults.Memory{Takes: 10 * time.Millisecond}
	c := faults.NewChecker(t, checker.WithTransport(m))
	each := c.Each(t.Context(), faults.Sites(1_000_000, nil))
	leave := map[string]func(){
		"break": func() {
			for range each {
				break
			}
		},
		"panic": func() {
			defer func() { _ = recover() }()
			for range each {
				panic("left")
			}
		},
		"next": func() {
			next, stop := iter.Pull(each)
			next()
			stop()
		},
	}
	for name, f := range leave {
		for range 5 {
			f()
			if n := m.Running.Load(); n != 0 {
				t.Errorf("%s: %d requests run afterwards; want none", name, n)
			}
		}
	}
	// A goroutine that has done its last may be there for a moment.
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left; want %d", runtime.NumGoroutine(), before)
		}
	}
}

// Each gives every Result, and can be ranged over again.
func TestEach(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Takes: time.Second}))
		each := c.Each(t.Context(), faults.Sites(250, nil))
		for range 2 {
			seen := make(map[int]bool)
			for r := range each {
				seen[r.Index] = r.Online()
			}
			if len(seen) != 250 {
				t.Errorf("%d results; want 250", len(seen))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		pulled, told, canceled := new(atomic.Int64), int64(0), 0
		for r := range c.Each(ctx, faults.Sites(1000, pulled)) {
			told++
			if r.Reason() == checker.ReasonCanceled {
				canceled++
			}
		}
		if told != pulled.Load() || canceled != int(told)-100 {
			t.Errorf("%d results of %d targets, %d of them canceled; want all, and all but 100", told, pulled.Load(), canceled)
		}
		forever := make(chan struct{})
		start := time.Now()
		for range c.Each(t.Context(), func(yield func(string) bool) {
			yield("http://a.test/")
			<-forever
		}) {
			break
		}
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("break beside a sequence that blocks took %v; want no more than 100ms", took-time.Second)
		}
		close(forever)
	})
}

// S10: every limit is the Checker's, over all calls.
func TestConcurrencyOfChecks(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(2))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() { c.Check(t.Context(), fmt.Sprintf("http://h%d.test/", i)) })
		}
		wg.Go(func() {
			for range c.Stream(t.Context(), faults.Sites(20, nil)) {
			}
		})
		wg.Go(func() { c.CheckAll(t.Context(), slices.Repeat([]string{"http://all.test/"}, 20)) })
		wg.Wait()
		if took := time.Since(start); m.Most.Load() != 2 || took != 40*time.Second {
			t.Errorf("80 checks, %d at once, took %v; want 2, 40s", m.Most.Load(), took)
		}
	})
}
