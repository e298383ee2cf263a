package checker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

func TestNewReportsEverything(t *testing.T) {
	_, err := checker.New(checker.WithTimeout(0), nil, checker.WithRetries(1), checker.WithRetries(-1),
		checker.WithMethod("PUT"), checker.WithTransport(new(faults.Memory)), checker.WithResolver(net.DefaultResolver))
	if !errors.Is(err, checker.ErrInvalidOption) {
		t.Fatalf("New() = %v; want ErrInvalidOption", err)
	}
	for _, want := range []string{"WithTimeout", "option 1 is nil", "WithRetries", "WithMethod", "WithResolver"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New() = %v; want it to name %q", err, want)
		}
	}
	if got := strings.Count(err.Error(), checker.ErrInvalidOption.Error()); got != 5 {
		t.Errorf("New() reports %d errors; want 5: %v", got, err)
	}
}

func TestNewStartsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		faults.NewChecker(t,
			checker.WithResolver(struct{ checker.Resolver }{}), // which panics when it is asked
			checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) { panic("asked") }),
			checker.WithCanaries("canary.test"), checker.WithRateLimit(1, 1), checker.WithHostRateLimit(1, 1))
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines after New; want %d", after, before)
	}
}

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

// A1: an empty list has no Results.
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
