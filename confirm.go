package checker

import (
	"context"
	"net/url"
	"strings"
	"time"

	"example.com/checker/internal/guard"
	"example.com/checker/internal/pace"
	"example.com/checker/internal/uplink"
)

const (
	fairChance = time.Second            // within this a site that is up answers, as a rule
	maxRecheck = 3                      // times that a site is asked again
	margin     = 50 * time.Millisecond  // by which a verdict falls before twice the timeout is over
	resent     = 2 * time.Second        // in that time TCP has sent again what a cut took at its beginning (RFC 6298)
	freshName  = 100 * time.Microsecond // a name that was found sooner was remembered
)

var (
	hintCanaries = hint{CauseNetwork, "the canaries do not answer either; look at this machine's network"}
	hintUnsteady = hint{CauseNetwork, "the canaries answer only now and then; look at this machine's network"}
	hintByHTTP   = hint{CauseNetwork, "the canaries answer, but none by https; look for a captive portal or a proxy in this machine's network"}
	hintNames    = hint{CauseNetwork, "the canaries answer, but none whose name has to be found; look at this machine's resolver"}
	hintResting  = hint{CauseNetwork, "the canaries want to be left alone for now, so nothing is known of this machine's network; name others"}
)

// A confirmer checks targets for one call: with canaries, a site is Offline only
// if this side's network is known to have worked.
type confirmer struct {
	probe    *probe
	canaries *canaries // nil without any
}

// check checks one target whose turn has come. If the site is silent for a while, the
// canaries are asked beside it: when it has had its time, it is known how the network was.
func (c *confirmer) check(ctx context.Context, t *task) *Result {
	if c.canaries == nil {
		return c.probe.run(ctx, t)
	}
	w := c.canaries.watch(ctx, c.chance())
	defer w.leave()
	r := c.probe.run(ctx, t)
	failed := time.Now() // before any round that is to tell
	if c.note(t, r); !guarded(r) {
		return r
	}
	timeout := c.probe.conf.timeout
	again := retrial{
		confirmer: c, task: t, watcher: w,
		start: r.Start, failed: failed, chance: c.chance(),
		end: r.Start.Add(timeout).Add(timeout - min(margin, timeout/10)), // twice the longest timeout is no duration
	}
	r = again.run(ctx, r)
	r.Timing.Total = time.Since(r.Start)
	return r
}

// chance is the time in which a site that is up would have answered.
func (c *confirmer) chance() time.Duration { return min(c.probe.conf.timeout, fairChance) }

// guarded reports whether r says that a site is Offline in a way in which this machine's
// own network may be at fault.
func guarded(r *Result) bool { return r.StatusCode == 0 && reasons[reasonOf(r.Err)].confirm }

// A retrial is of a site that was found Offline.
type retrial struct {
	*confirmer
	task    *task
	watcher *watcher

	start, failed time.Time     // when the site was asked last, and when that failed
	chance        time.Duration // that it had
	end           time.Time     // by when there is a verdict
}

// run returns a guarded r if the network is known to have worked while the site had its
// chance. If it is not, and works now, the site is asked again, while the canaries are.
// If it does not work now either, there is no verdict on the site.
func (c *retrial) run(ctx context.Context, r *Result) *Result {
	for again := 0; ; again++ {
		q := c.question(r)
		// What fails at once may have failed in a cut that is too short to be noticed,
		// and fails twice then, or when something has just begun.
		q.Anew = reasonOf(r.Err) != ReasonTimeout
		q.Dense = q.Anew && again == 0
		c.watcher.want(ctx, c.end)
		from := c.start
		if !q.Anew && c.failed.Sub(from) >= resent {
			from = from.Add(2 * c.canaries.interval) // since when the canaries are asked as well
		}
		late := !q.Anew && c.failed.Sub(c.start) < c.chance/2 // its silence shows nothing: it had no time
		held, err := c.canaries.record.Held(ctx, q, from, from.Add(min(c.failed.Sub(from), c.chance)), c.end)
		switch {
		case held && !late:
			return r
		case err == nil && late:
			err = hintUnsteady
		case err == nil && again == maxRecheck:
			err = c.why(q, c.start)
		case err == nil:
			c.chance = min(c.probe.conf.timeout/5*2, fairChance)
			err = c.admit(ctx, q)
		}
		if err != nil {
			reason := ReasonLocal
			if ctx.Err() != nil {
				reason, err = ReasonCanceled, context.Cause(ctx)
			}
			r.Err = newError(r.Phase(), reason, r.URL, err)
			return r
		}
		r = c.recheck(ctx, r)
		if c.note(c.task, r); !guarded(r) {
			return r
		}
	}
}

// admit waits until the network works and the site may be asked again. A limit of the
// caller's takes no time from the site.
func (c *retrial) admit(ctx context.Context, q uplink.Question) error {
	if err := c.await(ctx, q, c.failed); err != nil {
		return err
	}
	began := time.Now()
	within, cancel := context.WithTimeoutCause(ctx, c.probe.conf.timeout, errTimeout)
	defer cancel()
	if err := c.probe.tokenAgain(within, c.task); err != nil {
		return err
	}
	now := time.Now()
	waited := now.Sub(began)
	if c.end = c.end.Add(waited); waited < noteInterval {
		return nil
	}
	c.watcher.want(ctx, c.end)
	return c.await(ctx, q, now)
}

// await waits until there is an answer after a moment, and as long as the site has its
// chance after that: what fails for want of time says nothing.
func (c *retrial) await(ctx context.Context, q uplink.Question, since time.Time) error {
	by := c.end.Add(-c.chance)
	up, err := c.canaries.record.Answered(ctx, q, since, by)
	if err == nil && (!up || time.Now().After(by)) {
		return c.why(q, c.start)
	}
	return err
}

// recheck asks the site again. Where a limit of the caller's left no token for a further
// request, the first one failed as before, which stands.
func (c *retrial) recheck(ctx context.Context, before *Result) *Result {
	c.start = time.Now()
	c.watcher.want(ctx, c.start.Add(c.chance+2*c.canaries.interval))
	within, cancel := context.WithDeadlineCause(ctx, c.end, errTimeout)
	defer cancel()
	r := c.probe.attempts(within, c.task)
	c.failed = time.Now()
	if r.Phase() == PhaseWait && r.Reason() == ReasonLocal {
		r.Err = before.Err
	}
	r.Index, r.Target, r.Start = before.Index, before.Target, before.Start
	r.Attempts += before.Attempts
	r.Timing.Wait = before.Timing.Wait
	return r
}

// question returns what has to be known of the network for a verdict on r. What goes
// wrong by https goes by another way than what a portal answers; but nobody can ask for
// more than there are canaries for.
func (c *confirmer) question(r *Result) (q uplink.Question) {
	if u, err := url.Parse(r.URL); err == nil {
		q.Host = hostOf(u)
	}
	if strings.HasPrefix(r.URL, "https:") {
		q.Proof |= uplink.OverTLS
	}
	if reasonOf(r.Err) == ReasonNotFound {
		q.Proof |= uplink.ByName
	}
	q.Proof = c.canaries.provable(q.Proof)
	return q
}

// why says why the network is not known to have worked since a moment.
func (c *confirmer) why(q uplink.Question, since time.Time) hint {
	switch record := c.canaries.record; {
	case record.Has(q, since):
		return hintUnsteady
	case c.canaries.rest():
		return hintResting
	case q.Proof.Shows(uplink.ByName) && record.Has(uplink.Question{Host: q.Host, Proof: q.Proof &^ uplink.ByName}, since):
		return hintNames
	case record.Has(uplink.Question{Host: q.Host}, since):
		return hintByHTTP
	}
	return hintCanaries
}

// note notes that a site has answered, if that shows something. Where the site is not on
// the Internet or, with a transport, is not known to be, it does not.
func (c *confirmer) note(t *task, r *Result) {
	if !r.fromSite() || guard.Public(r.Addr.Addr()) != nil {
		return
	}
	var p uplink.Proof
	if strings.HasPrefix(r.URL, "https:") {
		p = uplink.OverTLS
	}
	if r.Timing.DNS >= freshName {
		p |= uplink.ByName
	}
	came := t.asked.Add(t.came)
	if !c.canaries.fresh(p, came) {
		return
	}
	if s, ok := signOf(r, t.asked.Add(t.began), came); ok {
		s.Proof &= p
		c.canaries.saw(s)
	}
}

// newCanaries returns the canaries that the options of e name. They are not counted in the
// rates: their rounds are a limit of their own.
func newCanaries(e *engine) *canaries {
	conf := e.conf.forCanaries()
	own := &engine{
		conf: conf, tls: conf.tlsConfig(), pacer: e.pacer, free: true, names: e.names, lookups: e.lookups,
		fields: e.plain, plain: e.plain, roots: e.roots, pulse: e.pulse, dates: e.dates,
	}
	own.keep = own.lookedAt
	p := newProbe(own, own.lookups)
	interval := min(roundInterval, conf.timeout/4)
	cs := &canaries{
		timeout:  conf.timeout,
		interval: interval,
		record:   uplink.NewRecord(interval),
		wanted:   make(map[*watcher]time.Time),
		wake:     make(chan struct{}, 1),
		ask: func(ctx context.Context, t *task) (uplink.Sign, reply) {
			own.lookups.Begin()
			defer own.lookups.End()
			a := p.candidates(ctx, t.urls, true) // an address from before may work where a name is not found any more
			s, ok := signOf(&a.Result, a.began, a.came())
			switch {
			case ok:
				return s, answered
			case scarce(&a.Result):
				return s, unasked
			}
			return s, silence
		},
		resting: func(t *task) bool {
			origins := t.Origins()
			return e.pacer.Paused(origins[:]...) != (pace.Pause{})
		},
	}
	for i, text := range conf.canaryTargets {
		t := own.newTask(i, text)
		cs.tasks, cs.proofs = append(cs.tasks, t), append(cs.proofs, shown(t.urls[0]))
	}
	return cs
}
