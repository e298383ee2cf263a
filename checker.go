package checker

import (
	"context"
	"iter"
	"slices"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/pace"
	"example.com/checker/internal/wire"
)

// A Checker checks sites as its options say. The options of a Checker never
// change; what it knows from one call to the next is what [WithRateLimit],
// [WithHostRateLimit] and [WithHostConcurrency] count, which hosts asked to be
// left alone, when the network of [WithCanaries] last worked, and the system's
// root certificates.
//
// Most callers want CheckAll for a list that fits in memory, and Stream for one
// that does not or whose results are wanted as they come. Check is for a single
// site.
//
// The zero Checker is not usable; call [New]. A Checker needs no closing: it
// holds no connection, goroutine or file between calls. It is safe for
// concurrent use.
type Checker struct {
	config
	pacer   *pace.Pacer[*task]
	lookups *dial.Lookups // shares what is under way between calls of Check
	own     *wire.Fields  // what the target's origin is sent
	foreign *wire.Fields  // and what others are

	canaries *canaries // nil without any
	roots    roots
}

// New returns a Checker with the given options. It reports every option that is
// wrong in one error, which wraps [ErrInvalidOption]. It does no I/O and starts
// no goroutine.
func New(opts ...Option) (*Checker, error) {
	conf := defaults()
	if err := conf.apply(opts); err != nil {
		return nil, err
	}
	conf.tls = conf.tlsConfig()
	c := &Checker{
		config:  *conf,
		pacer:   pace.New[*task](conf.limits),
		lookups: dial.NewLookups(conf.lookup(), 0),
		own:     wire.NewFields(conf.header),
		foreign: wire.NewFields(defaults().header),
	}
	if len(conf.canaryTargets) > 0 {
		c.canaries = new(canaries)
		for i, text := range conf.canaryTargets {
			c.canaries.tasks = append(c.canaries.tasks, c.newTask(i, text))
		}
	}
	return c, nil
}

// Check checks one target and returns what it found. It first waits for the
// Checker's limits to allow it; if ctx ends before there is a verdict, the
// Result is Unknown with ReasonCanceled.
func (c *Checker) Check(ctx context.Context, target string) Result {
	t := c.newTask(0, target)
	q := c.pacer.Queue(1, 1, func() {})
	defer q.Drain()
	defer context.AfterFunc(ctx, q.Stop)()
	q.Push(t.key, t)
	if _, ok := q.Next(); !ok || ctx.Err() != nil {
		if ok {
			q.Done(t.key)
		}
		return t.unstarted(context.Cause(ctx))
	}
	defer q.Done(t.key)
	return *c.probe(c.lookups).run(ctx, t, true)
}

// CheckAll checks all targets and returns their Results in the order of the
// targets: one for each, also for one that is listed twice, whatever happens to
// the others. Once ctx ends, what has no verdict yet is Unknown with
// ReasonCanceled, and CheckAll returns within 100 ms.
func (c *Checker) CheckAll(ctx context.Context, targets []string) []Result {
	targets = slices.Clone(targets) // it may be read for a moment after ctx has ended
	results := make([]Result, len(targets))
	done := make([]bool, len(targets))
	c.batch(ctx, slices.Values(targets), func(r *Result) {
		results[r.Index], done[r.Index] = *r, true // each index once, so no lock
	})
	now := time.Now()
	for i := range results {
		switch t := (task{index: i, target: targets[i], asked: now}); {
		case done[i]:
		case ctx.Err() != nil:
			results[i] = t.unstarted(context.Cause(ctx))
		default:
			results[i] = *t.exited()
		}
	}
	return results
}

// Stream checks the targets of a sequence and returns a channel that gets the
// Result of each, in the order in which they end; Result.Index tells which is
// whose.
//
// Stream closes the channel when all targets have been checked or ctx has
// ended. The channel is not buffered: while nobody receives, at most as many
// checks as WithConcurrency allows run to their end and wait, and no further
// target is pulled.
//
// A reader that stops before the channel is closed must cancel ctx. Everything
// is released within 100 ms then, connections included. No further target is
// pulled, and each that was is reported, Unknown with ReasonCanceled if it had
// no verdict; a reader that goes on gets them all, if it takes no longer than
// that.
//
// Targets are pulled from one goroutine, as they are needed and up to 10 000
// ahead while their hosts must wait. A sequence that blocks cannot be
// interrupted: if ctx ends, the channel is closed nevertheless, and the
// goroutine ends when the sequence next yields; that target is lost. A panic in
// the sequence is not recovered.
func (c *Checker) Stream(ctx context.Context, targets iter.Seq[string]) <-chan Result {
	out := make(chan Result)
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(farewell, func() { close(late) })
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

const farewell = 90 * time.Millisecond // after its context's end a Stream offers results
