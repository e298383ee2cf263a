package pace

import (
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// How fast a host took checks before its first pause counts from the first of
// them.
func TestPauseGap(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const took, sent = 100 * time.Millisecond, 50 // one after another, then a pause
		p := newPacer(Limits{HostWidth: 1})
		c := newCrew(p, 4, 1000)
		c.work = func(it item) bool {
			if it.n > sent {
				return false // at once, so that two starts are a gap apart
			}
			began := time.Now()
			sleep(it)
			if it.n == sent {
				p.Pause("a", Origin{Host: "a"}, began, time.Second, 429)
			}
			return false
		}
		c.push(took, repeat("a", sent+3)...)
		c.wait()
		if gap := c.starts[sent+2].at - c.starts[sent+1].at; gap < took || gap > 2*took {
			t.Errorf("two starts after the pause are %v apart; want about the %v of before", gap, took)
		}
	})
}

// The gap follows from the checks that were let through since the last pause, of which the
// one that was sent away is none.
func TestPauseGapIsCounted(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const took, pause = 100 * time.Millisecond, 2 * time.Second
		p := newPacer(Limits{HostWidth: 2})
		at, since := Origin{Host: "a"}, time.Now()
		slow, _ := p.Start(t.Context(), item{host: "a"}) // as long as it runs the host is known
		defer p.Done(slow)
		for n, through := range []int{9, 4, 3, 0} {
			for i := range through + 1 {
				turn, _ := p.Start(t.Context(), item{host: "a"})
				time.Sleep(took)
				if i == through {
					p.Pause("a", at, time.Now(), pause, 429)
					want := min(pause, (time.Since(since)+pause)/time.Duration(max(1, through)))
					if got := p.origins.known[at].gap; got != want {
						t.Errorf("after pause %d, and %d checks before it, the gap is %v; want %v", n+1, through, got, want)
					}
					since = time.Now()
				}
				p.Done(turn)
			}
		}
	})
}

// Each check that ends narrows the gap by a sixteenth, until it is none and the brake is off.
func TestPauseEases(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const gap = 1066666 * time.Nanosecond // of which fifteen sixteenths are minGap
		p := newPacer(Limits{HostWidth: 1})
		at := Origin{Host: "a"}
		p.Pause("a", at, time.Now(), gap, 429)
		for _, want := range []time.Duration{minGap, 0} {
			turn, _ := p.Start(t.Context(), item{host: "a"})
			time.Sleep(gap)
			p.Done(turn)
			if o := p.origins.known[at]; o == nil && want > 0 || o != nil && o.gap != want {
				t.Errorf("the origin is %+v; want a gap of %v, and none to be remembered without", o, want)
			}
		}
	})
}
