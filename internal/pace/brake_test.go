package pace

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/bubble"
)

// A throttle is a host with a token bucket that sends away what it has no token
// for, and says when to come back.
type throttle struct {
	p      *Pacer[item]
	bucket *rate.Limiter
	after  time.Duration
	away   atomic.Int64
}

func (s *throttle) work(it item) bool {
	began := time.Now()
	sleep(it)
	if !s.bucket.Allow() {
		s.away.Add(1)
		s.p.Pause(it.host, began, s.after)
	}
	return false
}

// A host that sends checks away is asked again no faster than it can take.
func TestPause(t *testing.T) {
	for _, test := range []struct {
		limit rate.Limit
		burst int
	}{{10, 10}, {10, 5}, {5, 1}, {50, 50}, {100, 1}} {
		t.Run(fmt.Sprintf("%v/s burst %d", test.limit, test.burst), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := New[item](Limits{HostWidth: 6})
				c := newCrew(p, 16, 1000)
				s := &throttle{p: p, bucket: rate.NewLimiter(test.limit, test.burst), after: time.Second}
				c.work = s.work
				c.push(time.Millisecond, repeat("a", 200)...)
				c.workers.Wait()
				took, away := time.Since(c.began), int(s.away.Load())
				most := time.Duration(2*200/test.limit)*time.Second + 30*time.Second
				if len(c.ended) != 200 || away > 20 || took > most {
					t.Errorf("%d checks ended and %d were sent away in %v; want 200, at most 20, at most %v",
						len(c.ended), away, took, most)
				}
			})
		})
	}
}

// After a pause the checks of a host start one by one, and those of others are
// not concerned.
func TestPauseOneByOne(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 6})
		c := newCrew(p, 16, 1000)
		c.work = func(it item) bool {
			began := time.Now()
			sleep(it)
			if it.host == "a" && it.n < 8 { // the first six at once, and one after the pause
				p.Pause("a", began, time.Second)
			}
			return false
		}
		c.push(100*time.Millisecond, append(repeat("a", 12), repeat("b", 60)...)...)
		c.workers.Wait()
		var a, b []time.Duration
		for _, s := range c.starts {
			if s.host == "a" {
				a = append(a, s.at)
			} else {
				b = append(b, s.at)
			}
		}
		if len(a) != 12 || a[5] != 0 || a[6] != 1100*time.Millisecond {
			t.Fatalf("starts on a: %v; want six at once, and the next after their second of pause", a)
		}
		for i := 7; i < len(a); i++ {
			if a[i]-a[i-1] < 100*time.Millisecond {
				t.Errorf("starts on a: %v; want one at a time after the pause", a)
				break
			}
		}
		if last := b[len(b)-1]; last != 900*time.Millisecond {
			t.Errorf("the last check on b started at %v; want 900ms", last)
		}
	})
}

// How fast a host took checks before its first pause counts from the first of
// them.
func TestPauseGap(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const took, sent = 100 * time.Millisecond, 50 // one after another, then a pause
		p := New[item](Limits{HostWidth: 1})
		c := newCrew(p, 4, 1000)
		c.work = func(it item) bool {
			if it.n > sent {
				return false // at once, so that two starts are a gap apart
			}
			began := time.Now()
			sleep(it)
			if it.n == sent {
				p.Pause("a", began, time.Second)
			}
			return false
		}
		c.push(took, repeat("a", sent+3)...)
		c.workers.Wait()
		if gap := c.starts[sent+2].at - c.starts[sent+1].at; gap < took || gap > 2*took {
			t.Errorf("two starts after the pause are %v apart; want about the %v of before", gap, took)
		}
	})
}

// What is used again for another host has nothing left of the one before.
func TestPauseIsNotInherited(t *testing.T) {
	p := New[item](Limits{HostWidth: 6})
	p.Pause("a", time.Now(), time.Second)
	h := p.hosts.known["a"]
	h.begin(time.Now())
	p.hosts.forget(h)
	if h.key != "" || h.active != 0 || h.served != 0 || !h.since.IsZero() || h.brake != nil {
		t.Errorf("a host that was forgotten = %+v; want it empty", h)
	}
}

func TestTokenAfterPause(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 6})
		p.Pause("a", time.Now(), time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		for _, want := range []struct {
			key  string
			err  error
			took time.Duration
		}{{"b", nil, 0}, {"a", nil, time.Second}, {"a", ErrNoToken, time.Second}} {
			if err := p.TokenAfterPause(ctx, want.key); !errors.Is(err, want.err) || time.Since(start) != want.took {
				t.Errorf("TokenAfterPause(%q) = %v after %v; want %v after %v", want.key, err, time.Since(start), want.err, want.took)
			}
		}
		p.Pause("a", time.Now(), time.Second)
		gone, end := context.WithCancelCause(t.Context())
		end(errors.New("gone"))
		if err := p.TokenAfterPause(gone, "a"); err == nil || err.Error() != "gone" {
			t.Errorf("TokenAfterPause with a canceled context = %v; want its cause", err)
		}
	})
}

// A brake is forgotten a minute after the pause, unless its host is in use.
func TestPauseIsForgotten(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 6})
		p.Pause("a", time.Now(), time.Second)
		for _, test := range []struct {
			after time.Duration
			hosts int
		}{{brakeMemory, 1}, {2 * time.Second, 0}} {
			time.Sleep(test.after)
			c := newCrew(p, 1, 1)
			c.push(0, "b")
			c.workers.Wait()
			if len(p.hosts.known) != test.hosts {
				t.Errorf("%d hosts are remembered; want %d", len(p.hosts.known), test.hosts)
			}
		}
	})
}

func TestPaused(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 1})
		check := func(key string, want bool) {
			t.Helper()
			if got := p.Paused(key); got != want {
				t.Errorf("Paused(%q) = %v; want %v", key, got, want)
			}
		}
		check("a", false)
		p.Pause("a", time.Now(), time.Second)
		check("a", true)
		check("b", false)
		time.Sleep(time.Second)
		check("a", false)
	})
}
