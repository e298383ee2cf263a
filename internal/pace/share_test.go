package pace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/bubble"
)

// S1: whatever limits them, queues that always have checks take turns, to the check. So
// does one with checks of other hosts, and a reader that has gone takes no part.
func TestQueuesTakeTurns(t *testing.T) {
	for _, limits := range []Limits{
		{HostWidth: 1}, {HostWidth: 2}, {HostWidth: 3}, {HostWidth: 6}, {HostWidth: 100, Width: 1}, {HostWidth: 100, Width: 4},
		{HostWidth: 100, HostRate: 100, HostBurst: 1}, {HostWidth: 100, Rate: 100, Burst: 3}, {HostWidth: 2, Width: 3, HostRate: 90, HostBurst: 2, Rate: 80, Burst: 1},
	} {
		for _, queues := range []int{2, 3, 7, 50} {
			t.Run(fmt.Sprintf("%+v, %d queues", limits, queues), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					const each = 40
					p := newPacer(limits)
					stuck := newCrew(p, 1, 1000)
					stuck.q.Push(item{take: time.Hour})
					stuck.push(0, repeat("a", 100)...)
					// What can start at once is taken, so that nobody is ahead of the others.
					busy := newCrew(p, 1000, 1000)
					busy.push(time.Millisecond, repeat("a", min(limits.HostWidth, cmp.Or(limits.Width, 100)))...)
					var crews []*crew
					for range queues {
						c := newCrew(p, 10, 1000)
						c.push(10*time.Millisecond, append(repeat("a", each), "")...)
						crews = append(crews, c)
					}
					var last []time.Duration
					for _, c := range crews {
						c.wait()
						last = append(last, c.times("a")[each-1])
					}
					// The last check of all starts at the end; a queue whose share is smaller by a
					// tenth would be there alone for a tenth of the time.
					if low, high := slices.Min(last), slices.Max(last); low < high*9/10 {
						t.Errorf("the last checks of each start between %v and %v; want them together", low, high)
					}
					finish(stuck, busy)
				})
			})
		}
	}
}

// S2: single checks, and further requests by themselves, have their turns in the order in
// which they came, each at its very moment, and there is one timer for all.
func TestSinglesAtTheirMoments(t *testing.T) {
	const n, every = 300, 10 * time.Millisecond
	for name, limits := range map[string]Limits{
		"a rate":        {HostWidth: n, Rate: rate.Every(every), Burst: 1},
		"a host's rate": {HostWidth: n, HostRate: rate.Every(every), HostBurst: 1},
	} {
		turns := map[string]func(*testing.T, *Pacer[item]) bool{
			"check": func(t *testing.T, p *Pacer[item]) bool {
				_, ok := p.Start(t.Context(), item{host: "a"})
				return ok
			},
			"request": func(t *testing.T, p *Pacer[item]) bool { return p.Token(t.Context(), "a") == nil },
		}
		for what, turn := range turns {
			t.Run(what+" under "+name, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					p := newPacer(limits)
					start := time.Now()
					at := make([]time.Duration, n)
					var wg sync.WaitGroup
					for i := range n {
						wg.Go(func() {
							if turn(t, p) {
								at[i] = time.Since(start)
							}
						})
						synctest.Wait()
					}
					p.mu.Lock()
					if len(p.alarms.heap) != 1 {
						t.Errorf("%d alarms are set; want 1", len(p.alarms.heap))
					}
					p.mu.Unlock()
					wg.Wait()
					for i, got := range at {
						if want := time.Duration(i) * every; got != want {
							t.Fatalf("number %d had its turn at %v; want %v", i, got, want)
						}
					}
				})
			})
		}
	}
}

// Who gives up lets those behind it have its token, and further requests come before
// checks that have not started.
func TestTokensOfThoseWhoGaveUp(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 99, HostRate: 1, HostBurst: 1})
		p.Token(t.Context(), "a")
		start := time.Now()
		var wg sync.WaitGroup
		var checked, asked time.Duration
		wg.Go(func() { p.Start(t.Context(), item{host: "a"}); checked = time.Since(start) })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		for range 10 {
			wg.Go(func() {
				if p.Token(ctx, "a") == nil {
					t.Error("Token with a context that was canceled = nil; want its error")
				}
			})
			synctest.Wait()
		}
		wg.Go(func() { p.Token(t.Context(), "a"); asked = time.Since(start) })
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		cancel()
		wg.Wait()
		if asked != time.Second || checked != 2*time.Second {
			t.Errorf("the request had its token after %v and the check after %v; want 1s and 2s", asked, checked)
		}
	})
}
