package checker

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/checker/internal/uplink"
)

const (
	roundInterval = 250 * time.Millisecond // at least, between the beginnings of two rounds
	maxRounds     = 16                     // under way at once: canaries that are slow to answer are asked again meanwhile
	idleWait      = time.Minute            // or until somebody wants to know again
	crowd         = 10                     // so many who have joined are followed by others, who will want to know of now
	noteInterval  = 5 * time.Millisecond   // answers of sites that come closer together show nothing new
)

// canaries know whether this machine's network works, and when it did. They are asked
// for as long as somebody wants to know, in rounds: all at once. They are safe for
// concurrent use.
type canaries struct {
	tasks    []*task
	proofs   []uplink.Proof // what an answer of each shows
	timeout  time.Duration  // of a round
	interval time.Duration  // between the beginnings of two rounds
	record   *uplink.Record

	ask     func(context.Context, *task) (uplink.Sign, reply)
	resting func(*task) bool // whether it wants to be left alone

	noted [uplink.Proofs]atomic.Int64 // when a site's answer was, by what it shows

	wake chan struct{} // says that somebody wants to know; it has room for one

	mu      sync.Mutex             // guards all below; nobody waits for anything under it
	wanted  map[*watcher]time.Time // who has joined, and up to when he wants to know
	stop    func()                 // ends the rounds, and waits for that; nil if there are none
	began   time.Time              // when the last round did
	running int                    // rounds under way
	other   string                 // the host of the last site whose answer shows as much as those of canaries
	others  time.Time              // when it was another than that before
}

// A reply is what became of a question to a canary.
type reply int

const (
	silence reply = iota
	answered
	unasked // this machine was too short of something
)

// provable returns p, less what no canary can show.
func (cs *canaries) provable(p uplink.Proof) uplink.Proof {
	for _, less := range []uplink.Proof{p, p & uplink.ByName, p & uplink.OverTLS} {
		if slices.ContainsFunc(cs.proofs, func(can uplink.Proof) bool { return can.Shows(less) }) {
			return less
		}
	}
	return 0
}

// utmost returns what canaries show together.
func (cs *canaries) utmost() (p uplink.Proof) {
	for _, q := range cs.proofs {
		p |= q
	}
	return p
}

// fresh reports whether a site's answer that shows p, and came at a moment, shows anything
// new. Then it is to be noted.
func (cs *canaries) fresh(p uplink.Proof, at time.Time) bool {
	last, now := cs.noted[p].Load(), at.UnixNano()
	return now-last >= int64(noteInterval) && cs.noted[p].CompareAndSwap(last, now)
}

// saw notes a site's answer. While sites answer, and not one alone, canaries are spared.
func (cs *canaries) saw(s uplink.Sign) {
	cs.record.Saw(s)
	if !s.Proof.Shows(cs.utmost()) {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if s.Host != cs.other {
		cs.other, cs.others = s.Host, s.To
	}
}

// rest reports whether all canaries want to be left alone.
func (cs *canaries) rest() bool {
	return !slices.ContainsFunc(cs.tasks, func(t *task) bool { return !cs.resting(t) })
}

// A watcher is somebody who may want to know of the network.
type watcher struct {
	canaries *canaries
	timer    *time.Timer // for when it begins to want to know
	gone     bool        // guarded by canaries.mu
}

// watch returns a watcher who wants to know of a time from now on, unless it leaves
// before the first round.
func (cs *canaries) watch(ctx context.Context, d time.Duration) *watcher {
	w := &watcher{canaries: cs}
	until := time.Now().Add(d + 3*cs.interval)
	w.timer = time.AfterFunc(cs.interval, func() { w.want(ctx, until) })
	return w
}

// want keeps the rounds going up to a moment. It begins them if need be.
func (w *watcher) want(ctx context.Context, until time.Time) {
	cs := w.canaries
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if w.gone {
		return
	}
	cs.wanted[w] = until
	if len(cs.wanted) > 1 || cs.stop != nil {
		select {
		case cs.wake <- struct{}{}:
		default: // it will wake anyway
		}
		return
	}
	// They go on for whoever comes later, so they do not end with ctx.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		cs.run(ctx)
	}()
	cs.stop = func() { cancel(); <-done }
}

// leave ends the rounds if nobody else wants them, and waits for that.
func (w *watcher) leave() {
	w.timer.Stop()
	if stop := w.canaries.forget(w); stop != nil {
		stop()
	}
}

// forget returns how to end the rounds, if nobody else wants them.
func (cs *canaries) forget(w *watcher) (stop func()) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	w.gone = true
	delete(cs.wanted, w)
	if len(cs.wanted) == 0 {
		stop, cs.stop = cs.stop, nil
	}
	return stop
}

// run asks the canaries in one round after another.
func (cs *canaries) run(ctx context.Context) {
	var rounds sync.WaitGroup
	defer rounds.Wait()
	for {
		began, wait := cs.begin()
		if wait <= 0 {
			rounds.Go(func() { cs.round(ctx, began) })
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-cs.wake:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// begin notes that a round begins now, or returns for how long none does.
func (cs *canaries) begin() (began time.Time, wait time.Duration) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	now := time.Now()
	wanted := len(cs.wanted) >= crowd
	for _, until := range cs.wanted {
		wanted = wanted || now.Before(until)
	}
	if !wanted {
		return now, idleWait
	}
	wait = max(cs.interval-now.Sub(cs.began), cs.interval-now.Sub(cs.others))
	if wait <= 0 && cs.running == maxRounds {
		wait = cs.interval
	}
	if wait <= 0 {
		cs.began = now
		cs.running++
	}
	return now, wait
}

// round asks all canaries at once. The first answer that shows all that there is to show
// ends it.
func (cs *canaries) round(ctx context.Context, began time.Time) {
	within, cancel := context.WithTimeoutCause(ctx, cs.timeout, errTimeout)
	defer cancel()
	var seen [uplink.Proofs]atomic.Bool
	var void atomic.Bool
	var wg sync.WaitGroup
	for _, t := range cs.tasks {
		wg.Go(func() {
			if cs.resting(t) {
				return
			}
			s, reply := cs.ask(within, t)
			if reply != answered {
				void.CompareAndSwap(false, reply == unasked)
				return
			}
			cs.record.Saw(s)
			for p := range uplink.Proofs {
				if s.Proof.Shows(p) {
					seen[p].Store(true)
				}
			}
			if s.Proof.Shows(cs.utmost()) {
				cancel()
			}
		})
	}
	wg.Wait()
	cs.mu.Lock()
	cs.running--
	cs.mu.Unlock()
	if ctx.Err() != nil || void.Load() {
		return // that nobody answers says nothing
	}
	for p := range uplink.Proofs {
		if !seen[p].Load() {
			cs.record.Lacked(p, began)
		}
	}
}
