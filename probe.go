package checker

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/pace"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

// A check is, from the outside in,
//
//	check = confirm(retry(http ‖ https(redirects(HEAD ‖ GET(h1 → h2(happy eyeballs))))))
//
// and the files of the package follow it: confirm.go, probe.go (retry, candidates),
// follow.go (redirects), exchange.go (HEAD, GET), internal/wire, internal/dial. What
// stands in a file uses what stands in those after it, and nothing before.

const (
	candidateDelay = 300 * time.Millisecond // before https is tried beside http
	retryBase      = 200 * time.Millisecond // the longest wait before the first retry
)

// newProbe returns what one call checks with: the caller's transport, or one of
// the package's own that asks l for addresses.
func newProbe(e *engine, l *dial.Lookups) *probe {
	conf := e.conf
	p := &probe{engine: e, conf: conf}
	if conf.transport != nil {
		p.wire = wire.Custom{RoundTripper: conf.transport}
		return p
	}
	t := &wire.Transport{
		Dialer: dial.Dialer{Lookups: l, Policy: conf.policy, DialContext: conf.dial},
		Config: e.tls,
		Roots:  e.roots.load,
		Keep:   e.keep,
	}
	p.wire = t
	return p
}

// run checks one target whose turn has come.
func (p *probe) run(ctx context.Context, t *task) *Result {
	start := time.Now()
	var r *Result
	if t.err != nil {
		r = &Result{URL: t.err.URL, Err: t.err}
	} else {
		r = p.within(ctx, start.Add(p.conf.timeout), t)
	}
	r.Index, r.Target, r.Start = t.index, t.target, start
	r.Timing.Wait, r.Timing.Total = start.Sub(t.asked), time.Since(start)
	return r
}

// within is attempts until a moment. The context ends even if a hook ends the
// goroutine.
func (p *probe) within(ctx context.Context, end time.Time, t *task) *Result {
	ctx, cancel := context.WithDeadlineCause(ctx, end, errTimeout)
	defer cancel()
	return p.attempts(ctx, t)
}

// attempts tries until there is a verdict that time will not change.
func (p *probe) attempts(ctx context.Context, t *task) *Result {
	var before *answer
	for n := 1; ; n++ {
		a := p.candidates(ctx, t.urls, n > 1)
		if n > 1 && !a.up() && (timedOut(ctx) || errors.Is(a.Err, hintToken)) {
			a = before // an attempt that was cut short, by the time or by a limit, says nothing new
		}
		a.Attempts, t.began, t.came = n, a.began.Sub(t.asked), a.came().Sub(t.asked)
		if n > p.conf.retries || !a.transient() {
			return &a.Result
		}
		if err := p.backoff(ctx, t, a, n); err != nil {
			// Without a token there is no further attempt; what was found stands.
			if ctx.Err() != nil && !timedOut(ctx) {
				a.Err = newError(PhaseWait, ReasonCanceled, t.urls[0].String(), p.engine.whyWaited(t, context.Cause(ctx)))
			}
			return &a.Result
		}
		before = a
	}
}

// backoff waits before another attempt: for as long as an origin asked for, or
// else with full jitter, so that hosts that failed together are not asked
// together again. It returns at once if the time is over before that.
func (p *probe) backoff(ctx context.Context, t *task, a *answer, n int) error {
	ctx = hook.Dated(ctx)
	if a.paused != nil {
		if err := p.engine.pacer.Pass(ctx, originOf(a.paused)); err != nil {
			return err
		}
		return p.token(ctx, a.paused)
	}
	d := rand.N(retryBase << min(n-1, 10))
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d && ctx.Err() == nil {
		return errTimeout
	}
	if err := pace.Sleep(ctx, d); err != nil {
		return err
	}
	return p.tokenAgain(ctx, t)
}

// candidates asks the one URL of a target with a scheme, or the two of a target
// without, the second beside the first if that is slow.
func (p *probe) candidates(ctx context.Context, urls []*url.URL, freshDNS bool) *answer {
	if len(urls) == 1 {
		return p.walk(urls[0], freshDNS).run(ctx)
	}
	_, port := target.Host(urls[0])
	_, securePort := target.Host(urls[1])
	return new(hedge).run(ctx, httpHTTPS{p, urls[0], urls[1], port == securePort, freshDNS})
}

func (p *probe) walk(u *url.URL, freshDNS bool) walk {
	return walk{probe: p, start: u, method: p.conf.method, freshDNS: freshDNS}
}

// httpHTTPS asks by http and, beside or after it, by https.
//
// Both ask one port if the target names it. If that port speaks TLS, https
// decides: what the server says to plain HTTP there, most often a 400, is about
// the protocol and not from the site.
type httpHTTPS struct {
	probe       *probe
	http, https *url.URL
	onePort     bool
	freshDNS    bool
}

// first implements ways. The server may keep silent if it does not speak TLS after
// all, so an answer of http does not wait for https as long as a failure does.
func (w httpHTTPS) first(ctx context.Context, h *hedge) *answer {
	h.arm(candidateDelay)
	a := w.probe.walk(w.http, w.freshDNS).run(ctx)
	if w.doubtful(a) {
		h.limit(w.probe.conf.timeout / silentShare)
	}
	return a
}

func (w httpHTTPS) second(ctx context.Context) *answer {
	return w.probe.withToken(ctx, w.https, func(ctx context.Context) *answer {
		return w.probe.walk(w.https, w.freshDNS).run(ctx)
	})
}

// wanted implements ways. A host that asked for a pause gets it by https, too.
func (w httpHTTPS) wanted(http *answer) bool {
	if http.paused != nil && hostOf(http.paused) == hostOf(w.https) {
		return false
	}
	return !http.up() || w.doubtful(http)
}

// doubtful reports whether an answer of http is one that servers give to those who
// speak plain HTTP to a port of TLS.
func (w httpHTTPS) doubtful(http *answer) bool {
	return w.onePort && http.up() && http.wantsTLS && http.URL == w.http.String()
}

func (w httpHTTPS) settles(https *answer) bool {
	return https.up() || w.onePort && (https.spokeTLS() || len(https.Hops) > 0)
}

func (w httpHTTPS) choose(http, https *answer) *answer {
	switch {
	case w.settles(https):
		return https
	case http.up():
		return http
	}
	return furthest(http, https)
}
