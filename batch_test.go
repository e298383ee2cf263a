package checker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// K15, A19: every target gets its Result in its place, whatever happens to the
// others, also if it is listed twice.
func TestCheckAllOrder(t *testing.T) {
	m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		if strings.HasPrefix(req.URL.Path, "/bad") {
			return nil, io.EOF
		}
		return faults.Respond(req, 200), nil
	}}
	c := faults.NewChecker(t, checker.WithTransport(m), checker.WithRetries(0))
	var targets []string
	for i := range 1000 {
		switch i % 4 {
		case 0:
			targets = append(targets, "http://same.test/")
		case 1:
			targets = append(targets, fmt.Sprintf("http://h%d.test/bad", i))
		case 2:
			targets = append(targets, "http://:80/")
		default:
			targets = append(targets, fmt.Sprintf("h%d.test", i))
		}
	}
	want := []checker.Status{checker.Online, checker.Offline, checker.Unknown, checker.Online}
	results := c.CheckAll(t.Context(), targets)
	if len(results) != len(targets) {
		t.Fatalf("CheckAll gave %d results; want %d", len(results), len(targets))
	}
	for i, r := range results {
		if r.Index != i || r.Target != targets[i] || r.Status() != want[i%4] {
			t.Errorf("results[%d] = %d, %q, %v; want %d, %q, %v", i, r.Index, r.Target, r, i, targets[i], want[i%4])
		}
	}
}

func TestCheckAllNothing(t *testing.T) {
	if got := faults.NewChecker(t).CheckAll(t.Context(), nil); len(got) != 0 {
		t.Errorf("CheckAll(nil) = %v; want none", got)
	}
}

// K12: what the caller does to the slice afterwards changes nothing.
func TestCheckAllCopies(t *testing.T) {
	targets := []string{"http://a.test/", "http://b.test/"}
	results := faults.NewChecker(t, checker.WithTransport(&faults.Memory{})).CheckAll(t.Context(), targets)
	targets[0] = "changed"
	if got := results[0].Target; got != "http://a.test/" {
		t.Errorf("Target = %q after the slice was changed", got)
	}
}

func TestConcurrencyBound(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(7))
		start := time.Now()
		n := 0
		for range c.Stream(t.Context(), faults.Sites(70, nil)) {
			n++
		}
		if n != 70 || m.Most.Load() != 7 || time.Since(start) != 10*time.Second {
			t.Errorf("%d results, %d at once, in %v; want 70, 7, 10s", n, m.Most.Load(), time.Since(start))
		}
	})
}

// The host limit belongs to the Checker and holds across calls; other hosts go
// on meanwhile.
func TestHostConcurrencyAcrossCalls(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithHostConcurrency(2))
		targets := slices.Repeat([]string{"http://one.test/"}, 10)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.CheckAll(t.Context(), targets) })
		}
		wg.Go(func() { c.Check(t.Context(), "http://one.test/x") })
		start := time.Now()
		wg.Wait()
		if m.Most.Load() != 2 || time.Since(start) != 16*time.Second {
			t.Errorf("%d at once on one host in %v; want 2 in 16s", m.Most.Load(), time.Since(start))
		}
	})
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
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithRateLimit(10, 2), checker.WithJudge(checker.StatusIn(200, 299)))
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

// K4: with a context that has ended nothing is asked, and nothing is lost.
func TestCanceledBefore(t *testing.T) {
	m := &faults.Memory{}
	c := faults.NewChecker(t, checker.WithTransport(m))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results := c.CheckAll(ctx, []string{"http://a.test/", "http://b.test/", ""})
	results = append(results, c.Check(ctx, "http://a.test/"))
	for _, r := range results {
		e, _ := errors.AsType[*checker.Error](r.Err)
		if e == nil || e.Reason != checker.ReasonCanceled || e.Phase != checker.PhaseWait || !errors.Is(r.Err, context.Canceled) {
			t.Errorf("%q: Err = %v; want canceled while waiting", r.Target, r.Err)
		}
	}
	if n := m.Calls.Load(); n != 0 {
		t.Errorf("%d requests; want none", n)
	}
}

// K13: a nil context is the caller's mistake and panics where the caller sees
// it.
func TestNilContext(t *testing.T) {
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}))
	var none context.Context
	for name, call := range map[string]func(){
		"Check":    func() { c.Check(none, "http://site.test/") },
		"CheckAll": func() { c.CheckAll(none, []string{"http://site.test/"}) },
		"Stream":   func() { c.Stream(none, faults.Sites(1, nil)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s with a nil context did not panic", name)
				}
			}()
			call()
		}()
	}
	if r := c.Check(t.Context(), "http://site.test/"); !r.Online() {
		t.Errorf("Check() after that = %v; want online", r)
	}
}

// K6: the caller's deadline is not the site's fault.
func TestCallersDeadline(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Takes: time.Minute}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		r := c.Check(ctx, "http://slow.test/")
		if r.Reason() != checker.ReasonCanceled || time.Since(start) != time.Second {
			t.Errorf("Check = %v after %v; want canceled after 1s", r, time.Since(start))
		}
		r = c.Check(t.Context(), "http://slow.test/")
		if r.Reason() != checker.ReasonTimeout || r.Timing.Total != 10*time.Second {
			t.Errorf("Check = %v after %v; want timeout after 10s", r, r.Timing.Total)
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

// K2, K3: while nobody reads, the checks that run end and wait, and nothing
// more is pulled.
func TestBackpressure(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var pulled atomic.Int64
		m := &faults.Memory{Takes: time.Millisecond}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(5))
		ctx, cancel := context.WithCancel(t.Context())
		out := c.Stream(ctx, faults.Sites(1_000_000, &pulled))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := m.Calls.Load(); n != 5 {
			t.Errorf("%d checks ran while nobody read; want 5", n)
		}
		if n := pulled.Load(); n > 11 {
			t.Errorf("%d targets were pulled while nobody read; want at most 11", n)
		}
		for range 10 {
			<-out
			time.Sleep(time.Second)
		}
		if n := m.Calls.Load(); n != 15 {
			t.Errorf("%d checks ran when 10 had been read; want 15", n)
		}
		cancel()
		got := 0
		for range out {
			got++
		}
		if n := int64(got) + 10; n != pulled.Load() {
			t.Errorf("%d results for %d targets pulled", n, pulled.Load())
		}
	})
}

// K1: a reader that stops and cancels leaves nothing behind.
func TestAbandonedStream(t *testing.T) {
	before := runtime.NumGoroutine()
	m := &faults.Memory{Takes: 10 * time.Millisecond}
	c := faults.NewChecker(t, checker.WithTransport(m))
	ctx, cancel := context.WithCancel(t.Context())
	out := c.Stream(ctx, faults.Sites(1_000_000, nil))
	for range 10 {
		<-out
	}
	cancel()
	start := time.Now()
	for runtime.NumGoroutine() > before && time.Since(start) < 5*time.Second {
		runtime.Gosched()
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("goroutines were left %v after the cancellation: %d; want %d", d, runtime.NumGoroutine(), before)
	}
	if _, open := <-out; open {
		for range out {
		}
	}
}

// K14: a sequence that blocks does not keep the channel open.
func TestBlockingSequence(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}))
		ctx, cancel := context.WithCancel(t.Context())
		out := c.Stream(ctx, func(yield func(string) bool) {
			if yield("http://a.test/") {
				<-forever
				yield("http://lost.test/")
			}
		})
		if r := <-out; !r.Online() {
			t.Errorf("first result %v; want Online", r)
		}
		cancel()
		start := time.Now()
		if r, open := <-out; open {
			t.Errorf("got %v after the cancellation; want a closed channel", r)
		}
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("the channel was closed after %v; want 100ms", d)
		}
		close(forever)
	})
}

// K10: calls share a Checker.
func TestSharedChecker(t *testing.T) {
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithHostRateLimit(1e6, 10))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if r := c.Check(t.Context(), fmt.Sprintf("http://h%d.test/", i%7)); !r.Online() {
				t.Errorf("Check = %v; want Online", r)
			}
			for _, r := range c.CheckAll(t.Context(), []string{"http://a.test/", "http://b.test/"}) {
				if !r.Online() {
					t.Errorf("CheckAll gave %v; want Online", r)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzStream runs a call of Stream whose reader and context do as they like:
// whatever they do, what is delivered is delivered once, bounds hold, and
// nothing is left.
func FuzzStream(f *testing.F) {
	f.Add(uint8(50), uint8(3), uint8(20), uint16(0), uint16(0))
	f.Add(uint8(200), uint8(1), uint8(10), uint16(15), uint16(3))
	f.Add(uint8(9), uint8(200), uint8(0), uint16(0), uint16(1))
	f.Fuzz(func(t *testing.T, targets, width, read uint8, cancelAfter, slow uint16) {
		bubble.Test(t, func(t *testing.T) {
			m := &faults.Memory{Takes: 10 * time.Millisecond}
			slots := 1 + int(width)
			c := faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(slots), checker.WithHostConcurrency(1+int(width)/2))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if cancelAfter > 0 {
				time.AfterFunc(time.Duration(cancelAfter)*time.Millisecond, cancel)
			}
			stream := c.Stream(ctx, slices.Values(slices.Repeat([]string{"http://a.test", "b.test", "http://c.test", ""}, int(targets))))
			seen := make(map[int]bool)
			for r := range stream {
				if seen[r.Index] {
					t.Fatalf("target %d was told twice", r.Index)
				}
				seen[r.Index] = true
				if len(seen) == int(read) {
					cancel()
				}
				time.Sleep(time.Duration(slow%50) * time.Millisecond)
			}
			if ctx.Err() == nil && len(seen) != 4*int(targets) {
				t.Errorf("%d of %d targets were told", len(seen), 4*int(targets))
			}
			if most := m.Most.Load(); most > 2*int64(slots) { // http and https of b.test
				t.Errorf("%d requests at once; want at most two a slot, of which there are %d", most, slots)
			}
			if m.Running.Load() != 0 {
				t.Errorf("%d requests are left", m.Running.Load())
			}
		})
	})
}
