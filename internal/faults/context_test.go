package faults_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// An oddContext is a context that does not keep to its contract.
type oddContext struct {
	context.Context
	deadline func() time.Time // nil for none
	done     func() <-chan struct{}
	err      func() error
}

func (c oddContext) Deadline() (at time.Time, ok bool) {
	if c.deadline == nil {
		return at, false
	}
	return c.deadline(), true
}

func (c oddContext) Done() <-chan struct{} {
	if c.done == nil {
		return c.Context.Done()
	}
	return c.done()
}

func (c oddContext) Err() error {
	if c.err == nil {
		return c.Context.Err()
	}
	return c.err()
}

func at(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }

func ended() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

// later is a site that answers after a while.
func later(d time.Duration) hostile.Handler {
	return hostile.RespondTo(func(int, string) string { time.Sleep(d); return hostile.OK })
}

// S5: whatever a context says of its deadline, the timeout holds, and nothing ends
// before.
func TestOddDeadlines(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // as in every bubble
	for name, odd := range map[string]oddContext{
		"past":     {deadline: at(-time.Hour)},
		"zero":     {deadline: func() time.Time { return time.Time{} }},
		"now":      {deadline: at(0)},
		"soon":     {deadline: func() time.Time { return start.Add(timeout / 4) }},
		"far":      {deadline: at(1000 * time.Hour)},
		"not done": {deadline: at(-time.Hour), done: func() <-chan struct{} { return nil }},
	} {
		for _, test := range []struct {
			name   string
			site   hostile.Handler
			drop   bool
			opts   []checker.Option
			reason checker.Reason
			took   time.Duration
		}{
			{"a site that lives", hostile.Respond(hostile.OK), false, nil, "", 0},
			{"one that answers late", later(timeout / 2), false, nil, "", timeout / 2},
			{"one that is silent", hostile.Silent(), false, nil, checker.ReasonTimeout, timeout},
			{"one that drops what it gets", nil, true, nil, checker.ReasonTimeout, timeout},
			{"one that refuses", nil, false, nil, checker.ReasonRefused, 0},
			{"a token", hostile.Respond("garbage"), false, []checker.Option{checker.WithRateLimit(20, 1)}, "", 50 * time.Millisecond},
		} {
			t.Run(name+", "+test.name, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					n := faults.Site(t, test.site, nil)
					if test.drop {
						n.Drop(siteAddr + ":80")
					}
					if test.name == "a token" {
						n = faults.Site(t, hostile.ByMethod(map[string]hostile.Handler{"HEAD": test.site, "GET": hostile.Respond(hostile.OK)}), nil)
					}
					c := faults.NewChecker(t, append(faults.On(n, checker.WithTimeout(timeout), checker.WithRetries(0)), test.opts...)...)
					odd.Context = t.Context()
					for _, target := range []string{"http://site.test/", "http://" + siteAddr + "/"} {
						begun := time.Now()
						r := c.Check(odd, target)
						if took := time.Since(begun) - r.Timing.Wait; r.Reason() != test.reason || took != test.took {
							t.Errorf("Check(%q) = %v after %v; want %q after %v", target, r, took, test.reason, test.took)
						}
						begun = time.Now()
						if r := c.CheckAll(odd, []string{target})[0]; r.Reason() != test.reason {
							t.Errorf("CheckAll(%q) = %v after %v; want %q", target, r, time.Since(begun), test.reason)
						}
					}
				})
			})
		}
	}
}

// S5: a context that has ended has ended, whatever it says of why, and one that says
// that it has is taken at its word.
func TestOddEnds(t *testing.T) {
	why := errors.New("enough")
	for name, odd := range map[string]oddContext{
		"no error":        {done: ended, err: func() error { return nil }},
		"nil pointer":     {done: ended, err: func() error { return (*nilError)(nil) }},
		"no text":         {done: ended, err: func() error { return mute{} }},
		"its own error":   {done: ended, err: func() error { return why }},
		"error, not done": {done: func() <-chan struct{} { return nil }, err: func() error { return why }},
	} {
		odd.Context = t.Context()
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}))
		results := append(c.CheckAll(odd, []string{"http://site.test/"}), c.Check(odd, "http://site.test/"))
		for r := range c.Stream(odd, faults.Sites(3, nil)) {
			results = append(results, r)
		}
		for _, r := range results {
			if r.Reason() != checker.ReasonCanceled || r.String() == "" || odd.err() == why && !errors.Is(r.Err, why) {
				t.Errorf("%s: Check() = %v; want canceled for that", name, r)
			}
		}
	}
}

// S5: an honest deadline is known: what cannot be waited for until then is not waited for,
// and what was found stands.
func TestHonestDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		site hostile.Handler
		opts []checker.Option
		want checker.Reason
	}{
		"a pause": {hostile.Respond("HTTP/1.1 503 Busy\r\nRetry-After: 5\r\n\r\n"), []checker.Option{checker.WithJudge(checker.StatusIn(200, 299))}, checker.ReasonRejected},
		"a token": {nil, []checker.Option{checker.WithRateLimit(0.1, 1)}, checker.ReasonRefused},
	} {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, append(faults.On(faults.Site(t, test.site, nil)), test.opts...)...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			if r := c.Check(ctx, "http://site.test/"); r.Reason() != test.want || time.Since(start) >= time.Second {
				t.Errorf("%s that comes too late: Check() = %v after %v; want %q at once", name, r, time.Since(start), test.want)
			}
		})
	}
}

// S5: one that ends in the middle, without saying why.
func TestOddEndInTheMiddle(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, hostile.Silent(), nil)
		c := faults.NewChecker(t, faults.On(n)...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		odd := oddContext{Context: context.WithoutCancel(ctx), done: ctx.Done, err: func() error { return nil }}
		for _, check := range []func() checker.Result{
			func() checker.Result { return c.Check(odd, "http://site.test/") },
			func() checker.Result { return c.CheckAll(odd, []string{"http://site.test/"})[0] },
		} {
			if r := check(); r.Reason() != checker.ReasonCanceled {
				t.Errorf("Check() = %v; want canceled", r)
			}
		}
		synctest.Wait()
		if n.Open() != 0 {
			t.Errorf("%d connections are open", n.Open())
		}
	})
}

// S4: a judge that checks on the same Checker waits for its turn like everybody else. If
// those who have theirs wait for it, the end of its context ends that. The time of one
// check is not that of another.
func TestJudgeThatChecks(t *testing.T) {
	for _, test := range []struct {
		name  string
		width int
		site  hostile.Handler // for the judge
		inner checker.Reason
		took  time.Duration
	}{
		{"there is room", 4, hostile.Respond(hostile.OK), "", time.Second},
		{"there is none", 1, hostile.Respond(hostile.OK), checker.ReasonCanceled, 2 * timeout},
		{"there is room, but little time", 4, hostile.Silent(), checker.ReasonCanceled, timeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, later(time.Second), nil)
				hostile.ServeListener(t, n.Listen(siteAddr+":81"), test.site)
				var c *checker.Checker
				found := make(chan checker.Result, 2)
				judge := func(resp *http.Response) error {
					if resp.Request.URL.Port() == "81" {
						return nil
					}
					r := c.Check(resp.Request.Context(), "http://site.test:81/")
					found <- r
					return r.Err
				}
				c = faults.NewChecker(t, faults.On(n, checker.WithHostConcurrency(test.width), checker.WithTimeout(timeout), checker.WithRetries(0),
					checker.WithMethod(http.MethodGet), checker.WithJudge(judge))...)
				start := time.Now()
				results := c.CheckAll(t.Context(), []string{"http://site.test/1", "http://site.test/2"})
				if took := time.Since(start); took != test.took {
					t.Errorf("CheckAll() took %v; want %v", took, test.took)
				}
				for _, r := range results {
					if inner := <-found; inner.Reason() != test.inner {
						t.Errorf("the judge of %q found %v; want %q", r.Target, inner, test.inner)
					}
					if r.Online() != (test.inner == "") {
						t.Errorf("Check(%q) = %v; want what its judge found", r.Target, r)
					}
				}
			})
		})
	}
}
