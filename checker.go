package checker

import (
	"context"
	"iter"
	"slices"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/pace"
)

// A Checker checks sites as its options say. The options of a Checker never
// change. What it remembers from one call to the next is how much of its limits
// is used up ([WithConcurrency], [WithRateLimit], [WithHostConcurrency],
// [WithHostRateLimit]), who asked to be left alone for a while ([WithRetryAfter]),
// whether the network worked lately ([WithCanaries]), and the system's root
// certificates. All that is one for all calls; With makes a Checker that has other
// options and shares it.
//
// Most callers want CheckAll for a list that fits in memory, and Each for one
// that does not, or whose results are wanted as they come; Stream is Each for a select.
// Check is for a single site.
//
// The zero Checker is not usable; call [New]. A Checker needs no closing: it
// holds no connection, goroutine or file between calls. It is safe for
// concurrent use.
type Checker struct {
	engine   *engine
	canaries *canaries // nil without any
}

// New returns a Checker with the given options. It reports every option that is
// wrong in one error, which wraps [ErrInvalidOption]. It does no I/O and starts
// no goroutine.
func New(opts ...Option) (*Checker, error) {
	conf := defaults()
	if err := conf.apply(opts); err != nil {
		return nil, err
	}
	c := &Checker{engine: newEngine(conf)}
	if len(conf.canaryTargets) > 0 {
		c.canaries = newCanaries(c.engine)
	}
	return c, nil
}

// With returns a Checker that has further options, as if they had been given to New behind
// those of c, and shares with c its limits, the pauses that hosts asked for, and its
// canaries: for a token that only one site may see, another judge, another timeout.
//
// It refuses the options of what is shared: WithConcurrency, WithHostConcurrency,
// WithRateLimit, WithHostRateLimit, WithHostKey, WithRetryAfter and WithCanaries. If c has
// canaries it also refuses WithResolver, WithDialContext and WithTransport, since canaries
// that are asked in another way than the sites vouch for nothing. It reports all that is
// wrong in one error, which wraps [ErrInvalidOption].
func (c *Checker) With(opts ...Option) (*Checker, error) {
	conf := c.engine.conf.further()
	if err := conf.apply(opts); err != nil {
		return nil, err
	}
	return &Checker{engine: c.engine.with(conf), canaries: c.canaries}, nil
}

// confirmer returns what one call checks with; it looks names up by l.
func (c *Checker) confirmer(l *dial.Lookups) *confirmer {
	return &confirmer{newProbe(c.engine, l), c.canaries}
}

// Check checks one target and returns what it found. It first waits for the
// Checker's limits to allow it, and for a pause that the site asked for to be over. If
// ctx ends before the check does, the Result is Unknown with ReasonCanceled; inside a
// pause, the error says until when that is.
//
// If this machine is too short of descriptors, memory or ports to check the site,
// Check waits for what it needs for as long as the timeout, and then reports
// ReasonLocal; that wait, too, comes before the check's own time.
func (c *Checker) Check(ctx context.Context, target string) Result {
	ctx = hook.Outer(ctx)
	t := c.engine.newTask(0, target)
	lookups := c.engine.lookups
	lookups.Begin()
	defer lookups.End()
	checks := c.confirmer(lookups)
	for {
		turn, ok := c.engine.pacer.Start(ctx, t)
		if !ok {
			return c.engine.unstarted(t, context.Cause(ctx))
		}
		r := c.turn(ctx, checks, turn)
		if !scarce(r) || !time.Now().Before(t.short(c.engine.conf.timeout).Until) {
			return *r
		}
		_ = pace.Sleep(ctx, pace.ScarcityRest) // then Start says that ctx has ended
	}
}

// turn checks what has its turn, which ends even if a hook ends this goroutine.
func (c *Checker) turn(ctx context.Context, checks *confirmer, turn pace.Turn[*task]) *Result {
	defer c.engine.pacer.Done(turn)
	return checks.check(ctx, turn.Item)
}

// CheckAll checks all targets and returns one Result for each, in the order of
// targets, whatever happens to the others. A target that is listed twice is
// checked twice. Once ctx ends, CheckAll returns within 100 ms, as the package comment has
// it, and what has no verdict by then is Unknown with ReasonCanceled.
func (c *Checker) CheckAll(ctx context.Context, targets []string) []Result {
	ctx = hook.Outer(ctx)
	asked := time.Now()
	targets = slices.Clone(targets) // it may be read for a moment after ctx has ended
	results := make([]Result, len(targets))
	done := make([]bool, len(targets))
	c.batch(ctx, slices.Values(targets), func(r *Result) {
		results[r.Index], done[r.Index] = *r, true // each index once, so no lock
	})
	// What was not pulled may be almost all, so it shares an error.
	err := errExited(PhaseTarget)
	if ctx.Err() != nil {
		err = errUnstarted(context.Cause(ctx))
	}
	waited := time.Since(asked)
	for i := range results {
		if r := &results[i]; !done[i] {
			r.Index, r.Target, r.Err, r.Timing.Wait = i, targets[i], err, waited
		}
	}
	return results
}

// Stream checks the targets of a sequence and sends the Result of each on the
// returned channel, in the order in which the checks end; Result.Index tells whose
// it is.
//
// Stream closes the channel when all targets have been checked or ctx has ended.
// The channel is not buffered: while nobody receives, no further target is pulled,
// and at most as many checks as WithConcurrency allows run to their end and wait. They
// have given back what limits them, so other calls go on.
//
// A reader that stops before the channel is closed must cancel ctx. A range over the
// channel must not be left, by break, return or panic, without that: the goroutines of
// the call would stay for ever. Each is for such loops.
// Once ctx has ended, everything is released within 100 ms, connections included.
// No further target is pulled then, and each that was pulled is still reported,
// Unknown with ReasonCanceled if it has no verdict; a reader that goes on
// receiving gets them all if it takes no longer than that.
//
// Targets are pulled from one goroutine, as they are needed, and up to 10 000
// ahead while their hosts must wait. A sequence that blocks cannot be
// interrupted: if ctx ends, the channel is closed nevertheless, the goroutine
// ends when the sequence next yields, and that target is lost. A panic in the
// sequence is not recovered.
func (c *Checker) Stream(ctx context.Context, targets iter.Seq[string]) <-chan Result {
	ctx = hook.Outer(ctx)
	out := make(chan Result)
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(offerTime, func() { close(late) })
	})
	go func() {
		defer close(out)
		defer stop()
		c.batch(ctx, targets, func(r *Result) {
			select {
			case out <- *r:
				return
			default:
			}
			select {
			case out <- *r:
			case <-late: // ctx ended a while ago and the reader has gone
			}
		})
	}()
	return out
}

// Each is [Checker.Stream] for a range over the results:
//
//	for r := range c.Each(ctx, targets) {
//
// When the loop ends, whether by break, by a return, by a panic or because ctx has ended,
// all that a Stream releases is released before the next statement runs, the goroutine
// that pulls targets included unless the sequence blocks. Each range over it checks the
// targets anew.
func (c *Checker) Each(ctx context.Context, targets iter.Seq[string]) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		results := c.Stream(ctx, targets)
		defer func() {
			cancel()
			for range results { // until all is released
			}
		}()
		for r := range results {
			if !yield(r) {
				return
			}
		}
	}
}

const offerTime = 90 * time.Millisecond // for which a Stream goes on offering results after its context has ended

// batch checks targets as one call and calls emit with the Result of each that it
// pulled, from several goroutines.
func (c *Checker) batch(ctx context.Context, targets iter.Seq[string], emit func(*Result)) {
	lookups := dial.NewLookups(c.engine.names, addrTTL)
	lookups.Begin()
	defer lookups.End()
	checks := c.confirmer(lookups)
	(&batch{engine: c.engine, checks: checks, emit: emit}).run(ctx, targets)
}
