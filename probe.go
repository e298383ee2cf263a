package checker

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

const (
	candidateDelay = 300 * time.Millisecond // before https is tried beside http
	retryBase      = 200 * time.Millisecond // the longest wait before the first retry
	silentShare    = 3                      // HEAD may be silent for this part of the timeout
	pause          = 20 * time.Millisecond  // before what this machine was too short for is tried again
)

// errTimeout is the cause of a check's own end, to tell it from the caller's.
var errTimeout error = &timeoutError{}

type timeoutError struct{}

func (*timeoutError) Error() string { return "the check's timeout has passed" }
func (*timeoutError) Timeout() bool { return true }

// A task is one target on its way to its Result.
type task struct {
	index  int
	target string
	urls   []*url.URL // the candidates
	err    error      // why there are none
	key    string     // what the host limits count it under; "" without candidates

	asked   time.Time
	started time.Time // when it first got its turn
}

// newTask reads a target.
func (c *Checker) newTask(index int, text string) *task {
	t := &task{index: index, target: text, asked: time.Now()}
	parsed, err := target.Parse(text)
	if err != nil {
		t.err = &Error{Phase: PhaseTarget, Reason: ReasonInvalid, Err: err}
		return t
	}
	t.urls = parsed.URLs
	if t.key, err = c.key(t.urls[0]); err != nil {
		t.err = &Error{Phase: PhaseTarget, Reason: ReasonInternal, URL: t.urls[0].String(), Err: err}
	}
	return t
}

// key returns what the host limits count u under. The hook gets a copy.
func (c *Checker) key(u *url.URL) (key string, err error) {
	if c.hostKey != nil {
		defer hook.Recovered(&err)
		copied := *u
		if key = c.hostKey(&copied); key != "" {
			return key, nil
		}
	}
	return hostOf(u), nil
}

// unstarted returns the Result of a task that got no turn.
func (t *task) unstarted(cause error) Result {
	return Result{
		Index:  t.index,
		Target: t.target,
		Err:    &Error{Phase: PhaseWait, Reason: ReasonCanceled, Err: cause},
		Timing: Timing{Wait: time.Since(t.asked)},
	}
}

// exited returns the Result of a task whose goroutine a hook has ended.
func (t *task) exited() *Result {
	return &Result{
		Index:  t.index,
		Target: t.target,
		Err:    &Error{Phase: PhaseJudge, Reason: ReasonInternal, Err: errGoexit},
	}
}

// A probe checks targets for one call. It is shared by that call's workers.
type probe struct {
	*Checker
	wire *wire.Transport // unless the caller has a transport
}

// An answer is what one way to a site gave.
type answer struct {
	Result
	trace  wire.Trace
	next   *url.URL // where the answer redirects to, if that is to be followed
	paused *url.URL // whose host asked to be left alone for a while; nil for none
}

// up reports whether the answer is Online. Unlike Result's method it does not
// copy: stacks that hold copies of Results are most of what a check in flight
// costs.
func (a *answer) up() bool { return a.Err == nil && a.StatusCode != 0 }

// run checks one target whose turn has come. If this machine is too short of
// something to do it, a check that is alone tries again until its timeout; one
// of many is better put back, to make room for those that run.
func (p *probe) run(ctx context.Context, t *task, alone bool) *Result {
	start := time.Now()
	if t.started.IsZero() {
		t.started = start
	}
	var r *Result
	if t.err != nil {
		r = &Result{Err: t.err}
		if e, ok := errors.AsType[*Error](t.err); ok {
			r.URL = e.URL
		}
	} else {
		within, cancel := context.WithDeadlineCause(ctx, start.Add(p.timeout), errTimeout)
		r = p.attempts(within, t)
		for alone && r.short() && sleep(within, pause) == nil && p.pacer.Token(within, t.key) == nil {
			// The site gets the blame for the end of the timeout only if most of
			// that was its own.
			late := time.Since(start) > p.timeout/2
			if again := p.attempts(within, t); !late || reasonOf(again.Err) != ReasonTimeout {
				r = again
				continue
			}
			break
		}
		cancel()
	}
	r.Index, r.Target, r.Start = t.index, t.target, start
	r.Timing.Wait, r.Timing.Total = start.Sub(t.asked), time.Since(start)
	return p.hold(ctx, t, r)
}

// attempts tries until there is a verdict that time will not change.
func (p *probe) attempts(ctx context.Context, t *task) *Result {
	var before *answer
	for n := 1; ; n++ {
		r := p.candidates(ctx, t.urls, n > 1)
		if n > 1 && !r.up() && context.Cause(ctx) == errTimeout {
			r = before // it had its time, and the further attempt had not
		}
		r.Attempts = n
		if n > p.retries || !r.passes() {
			return &r.Result
		}
		if err := p.rest(ctx, t, r, n); err != nil {
			// Without a turn there is no further attempt, but there is a verdict.
			if ctx.Err() != nil && context.Cause(ctx) != errTimeout {
				r.Err = p.failure(ctx, PhaseWait, t.urls[0], err)
			}
			return &r.Result
		}
		before = r
	}
}

// passes reports whether what failed may be well a moment later.
func (a *answer) passes() bool {
	switch reasonOf(a.Err) {
	case ReasonReset, ReasonRefused, ReasonDNS:
		return true
	case ReasonRejected:
		return a.paused != nil
	}
	return false
}

// candidates asks the one URL of a target with a scheme, or races the two of a
// target without.
func (p *probe) candidates(ctx context.Context, urls []*url.URL, fresh bool) *answer {
	if len(urls) == 1 {
		return p.follow(ctx, urls[0], fresh)
	}
	r := &race{second: func(ctx context.Context) *answer {
		return p.further(ctx, urls[1], func() *answer { return p.follow(ctx, urls[1], fresh) })
	}}
	defer r.end()
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	r.arm(ctx, candidateDelay, interrupt(cancel))
	a := p.follow(within, urls[0], fresh)
	return r.settle(ctx, a, !a.up(), furthest)
}

// follow asks u and then whatever it redirects to.
func (p *probe) follow(ctx context.Context, u *url.URL, fresh bool) *answer {
	origin := u
	var seen []string
	var waited time.Duration
	for hop := 0; ; hop++ {
		home := u.Scheme == origin.Scheme && u.Host == origin.Host
		a := p.excuse(p.ask(ctx, u, home, fresh), waited)
		a.Redirects = hop
		if a.next == nil {
			return a
		}
		seen = append(seen, a.URL)
		u, a.next = a.next, nil
		switch {
		case slices.Contains(seen, u.String()):
			a.Err = redirectError(a.URL, "they go round in a loop")
			return a
		case hop == p.redirects:
			a.Err = redirectError(a.URL, "there are too many")
			return a
		}
		start := time.Now()
		if end, ok := ctx.Deadline(); ok && !start.Before(end) {
			a.Err = p.failure(ctx, PhaseResponse, u, errTimeout) // the site came too late, and nobody else is to blame
			return a
		}
		if err := p.token(ctx, u); err != nil {
			w := p.waited(ctx, u, err)
			w.Redirects = hop + 1
			return w
		}
		waited += time.Since(start)
	}
}

// failure returns err as an *Error. If the context has ended, the context knows
// best why whatever failed has failed: the caller's end is no verdict on the
// site, a judge's error speaks of the timeout only if the time is over, and a
// connection's deadline may fire a moment before the context's.
func (p *probe) failure(ctx context.Context, phase Phase, u *url.URL, err error) *Error {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		if cause != errTimeout {
			return &Error{Phase: phase, Reason: ReasonCanceled, URL: u.String(), Err: cause}
		}
		if phase == PhaseJudge && isTimeout(err) {
			return &Error{Phase: phase, Reason: ReasonTimeout, URL: u.String(), Err: err}
		}
	}
	if many, ok := errors.AsType[*dial.AttemptsError](err); ok {
		err = &dial.AttemptsError{Errs: ranked(phase, many.Errs)}
	}
	reason := classify(phase, err)
	if reason == ReasonCertificate && has[x509.UnknownAuthorityError](err) && p.tls.RootCAs == nil && p.roots.none() {
		reason, err = ReasonLocal, errors.Join(hintRoots, err)
	}
	return &Error{Phase: phase, Reason: reason, URL: u.String(), Err: err}
}

func redirectError(u, what string) *Error {
	return &Error{Phase: PhaseJudge, Reason: ReasonRedirect, URL: u, Err: errors.New(what)}
}

// hostOf returns the host of u in lower case, without the port and the dot of a
// rooted name.
func hostOf(u *url.URL) string {
	host, _ := target.Host(u)
	if n := len(host); n > 0 && host[n-1] == '.' {
		return host[:n-1]
	}
	return host
}
