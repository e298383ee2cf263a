// Package watch checks sites again and again, and turns what is found into changes of
// their states.
//
//	for r := range watch.Run(ctx, c, time.Minute, sites) {
//		if state, changed := trackers[r.Index].Add(r); changed {
//			fmt.Println(sites[r.Index], "is", state.Status)
//		}
//	}
//
// [Run] says when each site is checked. A [Tracker] says when a site has changed: one
// answer makes it Online, two failures in a row make it Offline, and what is Unknown
// changes nothing. Neither needs the other: a Run without Trackers is for those who keep
// every Result, as Prometheus does, and a Tracker takes Results from anywhere.
package watch

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"example.com/checker"
)

// Run checks each site with c, again and again, and sends each Result on the returned
// channel as the check ends. Result.Index is the site's index in targets, which are
// copied; a target that is listed twice is two sites.
//
// Each site has its time once in every interval. The first round begins at once and is
// spread over a tenth of the interval; from then on the checks of all sites are spread
// evenly over it, in their order and without jitter, and a site is never due later than
// one interval after it was last.
//
// No site is checked twice at a time. One that is still being checked when it is due, or
// still waits for its turn because of c's limits or a host that asked to be left alone,
// is passed over until it is due again. A check that could not begin in time, because c
// runs as many as it may or because nobody received, begins late, and the next one of
// that site is due when it would have been. Being late by a whole interval and more
// passes over rounds, for all sites alike: nothing piles up, none is left out.
//
// So that sites do not wait for others that hang, c wants as many checks at once
// ([checker.WithConcurrency]) as may hang, or as there are sites. A timeout that is
// shorter than the interval keeps even those that hang in time. Sites on one host wait
// for each other, unless each is a host to itself, by [checker.WithHostKey] with
// (*url.URL).String; and those of one origin for as long as one of them asks to be left
// alone, but no longer than [checker.WithRetryAfter] allows.
//
// Run closes the channel when ctx has ended, or at once if there are no targets. The
// rest is as with [checker.Checker.Stream]: the channel is not buffered, and while nobody
// receives, what runs is finished and nothing more begins. A reader that stops must
// cancel ctx. Once ctx has ended, everything is released within 100 ms; what has no
// verdict by then is Unknown with ReasonCanceled, which says nothing about a site. What
// Run holds is a few bytes for each site and what a Stream does, no goroutine for each.
//
// Run panics if the interval is not positive, as [time.NewTicker] does.
func Run(ctx context.Context, c *checker.Checker, every time.Duration, targets []string) <-chan checker.Result {
	if every <= 0 {
		panic("watch: an interval that is not positive")
	}
	s := &schedule{
		every:   every,
		targets: slices.Clone(targets),
		busy:    make([]bool, len(targets)),
		sites:   make(map[int]int),
	}
	out := make(chan checker.Result)
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(offerTime, func() { close(late) })
	})
	go func() {
		defer close(out)
		defer stop()
		for r := range c.Stream(ctx, s.pulls(ctx)) {
			r.Index = s.end(r.Index)
			select {
			case out <- r:
				continue
			default:
			}
			select {
			case out <- r:
			case <-late: // ctx ended a while ago and the reader has gone
			}
		}
	}()
	return out
}

const offerTime = 90 * time.Millisecond // for which Results are offered after the context has ended, as a Stream's are

// A schedule says which site is due, and knows which ones are being checked.
type schedule struct {
	every   time.Duration
	targets []string

	mu     sync.Mutex
	busy   []bool      // by site: it was pulled, and its Result has not come
	sites  map[int]int // of the busy ones, by the number under which they were pulled
	pulled int
}

// pulls yields the target of each site when it is due, until ctx ends.
func (s *schedule) pulls(ctx context.Context) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := len(s.targets)
		if n == 0 {
			return
		}
		start, spread := time.Now(), s.every/10 // of a round
		for {
			for i, target := range s.targets {
				due := start.Add(share(spread, i, n))
				if late := time.Since(due); late >= s.every {
					start = start.Add(late.Truncate(s.every))
				}
				if !sleepUntil(ctx, due) || s.begin(i) && !yield(target) {
					return
				}
			}
			// The next round begins one step of it behind the last site of this one.
			start = start.Add(share(spread, n-1, n) + s.every - share(s.every, n-1, n))
			spread = s.every
		}
	}
}

// begin notes that a site is pulled, unless it is being checked.
func (s *schedule) begin(site int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[site] {
		return false
	}
	s.busy[site] = true
	s.sites[s.pulled] = site
	s.pulled++
	return true
}

// end notes that a check has ended, and returns its site.
func (s *schedule) end(pulled int) (site int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	site = s.sites[pulled]
	delete(s.sites, pulled)
	s.busy[site] = false
	return site
}

// share returns i/n of d, where n times d need not fit.
func share(d time.Duration, i, n int) time.Duration {
	part, rest := d/time.Duration(n), d%time.Duration(n)
	return part*time.Duration(i) + rest*time.Duration(i)/time.Duration(n)
}

// sleepUntil reports whether t came before the end of ctx.
func sleepUntil(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
