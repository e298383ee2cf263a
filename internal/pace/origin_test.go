package pace

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
		s.p.Pause(it.host, Origin{Host: it.host}, began, s.after, 429)
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
				p := newPacer(Limits{HostWidth: 6})
				c := newCrew(p, 16, 1000)
				s := &throttle{p: p, bucket: rate.NewLimiter(test.limit, test.burst), after: time.Second}
				c.work = s.work
				c.push(time.Millisecond, repeat("a", 200)...)
				c.wait()
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
		p := newPacer(Limits{HostWidth: 6})
		c := newCrew(p, 16, 1000)
		c.work = func(it item) bool {
			began := time.Now()
			sleep(it)
			if it.host == "a" && it.n < 8 { // the first six at once, and one after the pause
				p.Pause("a", Origin{Host: "a"}, began, time.Second, 429)
			}
			return false
		}
		c.push(100*time.Millisecond, append(repeat("a", 12), repeat("b", 60)...)...)
		c.wait()
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

// S9: a pause stays that of its origin, and others on the host go on as before. A check with
// two origins waits for both.
func TestPauseOfAnOrigin(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 2})
		p.Pause("a", Origin{Host: "a:1"}, time.Now(), time.Minute, 429)
		p.Pause("a", Origin{Host: "a:2"}, time.Now(), time.Hour, 503)
		c := newCrew(p, 9, 100)
		for n, ports := range [][2]string{{":1"}, {":2", ":1"}, {":1", ":2"}, {":3"}, {":2"}, {":1"}, {":3"}, {":3", ":1"}} {
			c.q.Push(item{host: "a", ports: ports, n: n, take: time.Second})
		}
		c.q.Close()
		c.wait()
		at := make([]time.Duration, 8)
		for _, s := range c.starts {
			at[s.n] = s.at
		}
		const m, h = time.Minute, time.Hour
		if got := at[3] == 0 && at[6] == 0 && at[0] == m && at[5] > m && at[5] < h && at[7] > m && at[7] < h; !got {
			t.Errorf("checks of other origins started at %v; want those without a pause at 0, and one at a minute", at)
		}
		for _, n := range []int{1, 2, 4} {
			if at[n] < h {
				t.Errorf("checks started at %v; want number %d after an hour", at, n)
			}
		}
	})
}

func TestPass(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 6})
		a, b := Origin{Host: "a"}, Origin{Host: "b"}
		p.Pause("a", a, time.Now(), time.Second, 429)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		for _, want := range []struct {
			of   Origin
			err  error
			took time.Duration
		}{{b, nil, 0}, {a, nil, time.Second}, {a, ErrNoToken, time.Second}} {
			if err := p.Pass(ctx, want.of); !errors.Is(err, want.err) || time.Since(start) != want.took {
				t.Errorf("Pass(%q) = %v after %v; want %v after %v", want.of, err, time.Since(start), want.err, want.took)
			}
		}
		p.Pause("a", a, time.Now(), time.Second, 429)
		gone, end := context.WithCancelCause(t.Context())
		end(errors.New("gone"))
		for _, of := range [][]Origin{{b}, {b, a}} {
			if err := p.Pass(gone, of...); err == nil || err.Error() != "gone" {
				t.Errorf("Pass(%q) with a canceled context = %v; want its cause", of, err)
			}
		}
	})
}

// S8: a pause is never forgotten before it is over, whoever comes by. Its brake is a minute
// later.
func TestPauseIsForgotten(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 6, HostRate: 1, HostBurst: 1})
		p.Pause("a", Origin{Host: "a"}, time.Now(), time.Hour, 429)
		for i := range 110_000 {
			h := fmt.Sprint("h", i)
			turn, _ := p.Start(t.Context(), item{host: h})
			if i%20 == 0 {
				p.Pause(h, Origin{Host: h}, time.Now(), time.Second, 429)
			}
			p.Done(turn)
		}
		if n := len(p.hosts.known); n > maxCooling+1 {
			t.Errorf("%d hosts are remembered; want at most %d", n, maxCooling+1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Second)
		defer cancel()
		if _, ok := p.Start(ctx, item{host: "a"}); ok || p.Paused(Origin{Host: "a"}) == (Pause{}) {
			t.Errorf("a check started %v before the end of a pause", time.Second)
		}
		time.Sleep(brakeMemory + 2*time.Second)
		for i := range 100_000 {
			if len(p.origins.known) == 0 {
				break
			}
			turn, _ := p.Start(t.Context(), item{host: fmt.Sprint("other", i)})
			p.Done(turn)
		}
		if n := len(p.origins.known); n != 0 {
			t.Errorf("%d origins are remembered; want 0", n)
		}
	})
}

func TestPaused(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 1})
		a, b := Origin{Host: "a"}, Origin{Host: "b"}
		check := func(of Origin, want Pause) {
			t.Helper()
			if got := p.Paused(of); got != want {
				t.Errorf("Paused(%q) = %v; want %v", of, got, want)
			}
		}
		check(a, Pause{})
		now := time.Now()
		p.Pause("a", a, now, time.Second, 429)
		p.Pause("a", a, now, time.Second/2, 503)
		check(a, Pause{now.Add(time.Second), 429})
		check(b, Pause{})
		p.Pause("b", b, now, 2*time.Second, 503)
		if got, want := p.Paused(a, b, Origin{}), (Pause{now.Add(2 * time.Second), 503}); got != want {
			t.Errorf("Paused of two = %v; want %v", got, want)
		}
		time.Sleep(time.Second)
		check(a, Pause{})
	})
}

// Checks that need a start of both of two origins, of which each is held for one of them,
// come to their starts one after another: none goes without end from one line to the other.
func TestTwoOrigins(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 9})
		const d = time.Second
		for _, port := range []string{":1", ":2"} {
			p.Pause("a", Origin{Host: "a" + port}, time.Now(), d, 429)
		}
		var crews []*crew
		for _, ports := range [][2]string{{":1", ":2"}, {":2", ":1"}, {":1", ":2"}, {":2", ":1"}} {
			c := newCrew(p, 1, 1)
			c.q.Push(item{host: "a", ports: ports, take: d})
			c.q.Close()
			crews = append(crews, c)
		}
		var starts []time.Duration
		for _, c := range crews {
			c.wait()
			for _, s := range c.starts {
				starts = append(starts, s.at)
			}
		}
		slices.Sort(starts)
		if len(starts) != len(crews) {
			t.Errorf("%d checks have started; want %d", len(starts), len(crews))
		}
		for i, at := range starts {
			if at < d || i > 0 && at-starts[i-1] < d {
				t.Errorf("checks of both origins start after %v; want one at a time, after the pause", starts)
				break
			}
		}
	})
}
