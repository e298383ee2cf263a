package checker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"example.com/checker/internal/pace"
)

const (
	roundInterval = 250 * time.Millisecond // at least, between the beginnings of two rounds
	fairChance    = time.Second            // within this a site that is up answers, as a rule
)

// canaries know whether this machine's network works. They are safe for
// concurrent use.
type canaries struct {
	tasks   []*task
	timeout time.Duration // of a round

	mu          sync.Mutex // guards all below; nobody waits for anything under it
	since, last time.Time  // answers came from since to last, never more than fairChance apart
	round       *round     // the last one that began, or is about to
	began       time.Time  // when the last round did
}

// A round asks all canaries at once. What it found may be read once done is
// closed.
type round struct {
	done  chan struct{}
	began time.Time
	up    bool // one of them answered
	void  bool // the round was broken off
}

// saw notes that there is an answer now, of a canary or of a site.
func (cs *canaries) saw() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	now := time.Now()
	if now.Sub(cs.last) > fairChance {
		cs.since = now
	}
	cs.last = now
}

// worked reports whether the network is known to have worked from one moment to
// another.
func (cs *canaries) worked(from, to time.Time) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return !cs.since.After(from) && !cs.last.Before(to)
}

// up reports whether a canary answers in a round that begins at a moment or
// later. ask asks one.
func (cs *canaries) up(ctx context.Context, from time.Time, ask func(context.Context, *task) bool) (bool, error) {
	for {
		rd, err := cs.next(ctx, ask)
		if err != nil {
			return false, err
		}
		if !rd.void && !rd.began.Before(from) {
			return rd.up, nil
		}
	}
}

// next waits for the round that is under way, or runs one.
func (cs *canaries) next(ctx context.Context, ask func(context.Context, *task) bool) (*round, error) {
	rd, mine, begin := cs.join()
	if mine {
		cs.run(ctx, rd, begin, ask)
	}
	select {
	case <-rd.done:
		if rd.void && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return rd, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// join returns the round that is under way. If there is none it returns a new one,
// for the caller of join to run, from begin on.
func (cs *canaries) join() (rd *round, mine bool, begin time.Time) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.round != nil {
		select {
		case <-cs.round.done:
		default:
			return cs.round, false, time.Time{}
		}
	}
	cs.round = &round{done: make(chan struct{})}
	return cs.round, true, cs.began.Add(roundInterval)
}

// run asks the canaries, from begin on. The first answer ends the round.
func (cs *canaries) run(ctx context.Context, rd *round, begin time.Time, ask func(context.Context, *task) bool) {
	defer close(rd.done)
	rd.void = true
	if pace.Sleep(ctx, time.Until(begin)) != nil {
		return
	}
	rd.began = cs.begin()
	within, cancel := context.WithTimeoutCause(ctx, cs.timeout, errTimeout)
	defer cancel()
	var up atomic.Bool
	var wg sync.WaitGroup
	for _, t := range cs.tasks {
		wg.Go(func() {
			if ask(within, t) {
				up.Store(true)
				cancel()
			}
		})
	}
	wg.Wait()
	if rd.up = up.Load(); rd.up {
		cs.saw()
	}
	rd.void = !rd.up && ctx.Err() != nil
}

// begin notes that a round begins now.
func (cs *canaries) begin() time.Time {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.began = time.Now()
	return cs.began
}
