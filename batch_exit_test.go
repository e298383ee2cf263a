package checker_test

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

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

// K12: the slice is the caller's again when CheckAll returns. Under the race
// detector this fails if anything still reads it.
func TestSliceIsFree(t *testing.T) {
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithConcurrency(2))
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		targets := slices.Repeat([]string{"http://a.test/", "http://b.test/"}, 50)
		go cancel()
		c.CheckAll(ctx, targets)
		clear(targets)
	}
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
