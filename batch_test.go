package checker_test

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"slices"
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

// K10: the host limit belongs to the Checker and holds across calls; other hosts
// go on meanwhile.
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

// What was pulled is reported, also if the context ends between the pull and the
// parking.
func TestPulledIsReported(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithHostKey(func(*url.URL) string {
			time.Sleep(10 * time.Millisecond)
			return "all"
		}))
		var pulled atomic.Int64
		results := c.Stream(ctx, faults.Sites(10, &pulled))
		time.AfterFunc(5*time.Millisecond, cancel)
		var n int64
		for r := range results {
			if n++; r.Reason() != checker.ReasonCanceled {
				t.Errorf("%v; want canceled", r)
			}
		}
		if n != pulled.Load() || n != 1 {
			t.Errorf("%d results of %d targets that were pulled; want 1 of 1", n, pulled.Load())
		}
	})
}

// K9: a hook that ends the goroutine which pulls the targets ends the sequence,
// and nothing else.
func TestHostKeyExits(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithHostKey(func(u *url.URL) string {
			if u.Host == "bad.test" {
				runtime.Goexit()
			}
			return "all"
		}))
		results := c.CheckAll(t.Context(), []string{"http://good.test/", "http://bad.test/", "http://good.test/"})
		if !results[0].Online() || results[1].Reason() != checker.ReasonInternal || results[2].Reason() != checker.ReasonInternal {
			t.Errorf("CheckAll gave %v; want Online and twice internal", results)
		}
		if results[1].Phase() != checker.PhaseTarget || results[2].Phase() != checker.PhaseTarget {
			t.Errorf("the key ends in the phases %q and %q; want %q", results[1].Phase(), results[2].Phase(), checker.PhaseTarget)
		}
	})
}

// K9: the last worker may go while all that is left has to wait.
func TestLastWorkerExits(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Takes: 10 * time.Millisecond}), checker.WithConcurrency(1),
			checker.WithHostRateLimit(rate.Every(200*time.Millisecond), 1), checker.WithJudge(func(resp *http.Response) error {
				if resp.Request.URL.Path == "/exit" {
					runtime.Goexit()
				}
				return nil
			}))
		targets := []string{"http://a.test/", "http://b.test/", "http://b.test/exit", "http://a.test/", "http://a.test/"}
		for i, r := range c.CheckAll(t.Context(), targets) {
			if r.Online() != (i != 2) || i == 2 && r.Reason() != checker.ReasonInternal {
				t.Errorf("Check(%q) = %v; want all Online but the third", targets[i], r)
			}
		}
	})
}

// A sequence that blocks loses nothing of what it gave before, and readers that
// have gone hold up nobody on their hosts.
func TestReadersAndSequencesThatStop(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: time.Second}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithHostConcurrency(1))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan struct{})
		results := c.Stream(ctx, func(yield func(string) bool) {
			for range 200 {
				if !yield("http://slow.test/") {
					return
				}
			}
			<-gone
		})
		time.AfterFunc(1500*time.Millisecond, cancel)
		n := 0
		for range results {
			n++
		}
		if n != 200 {
			t.Errorf("%d results of 200 targets that were pulled", n)
		}
		close(gone)

		c = faults.NewChecker(t, checker.WithTransport(m), checker.WithConcurrency(1), checker.WithHostConcurrency(1))
		ctx, cancel = context.WithCancel(t.Context())
		go c.Check(ctx, "http://host.test/")
		synctest.Wait()
		var left []<-chan checker.Result
		for range 6 {
			left = append(left, c.Stream(ctx, slices.Values([]string{"http://host.test/", "http://x.test/", "http://x.test/"})))
		}
		synctest.Wait()
		start := time.Now()
		c.Check(t.Context(), "http://host.test/")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("Check took %v beside readers that have gone", took)
		}
		cancel()
		for _, results := range left {
			for range results {
			}
		}
	})
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
