package pace

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

func TestWantedWindow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1}), 2, 10)
		var pushed atomic.Int64
		go func() {
			for n := 0; n < 50 && c.q.Wanted(); n++ {
				c.q.Push(item{host: "a", n: n, take: time.Second})
				pushed.Add(1)
			}
			c.q.Close()
		}()
		for i := range 40 {
			synctest.Wait()
			if got, want := pushed.Load(), int64(11+i); got != want {
				t.Fatalf("after %ds %d are pushed; want %d: 10 parked and the others started", i, got, want)
			}
			time.Sleep(time.Second)
		}
		c.wait()
		if got := len(c.starts); got != 50 {
			t.Errorf("%d checks started; want 50", got)
		}
	})
}

// While all slots are taken, nothing more is asked for than what keeps them busy, whether that
// has other hosts or none.
func TestWantedReady(t *testing.T) {
	for name, host := range map[string]func(int) string{
		"other hosts": func(n int) string { return string(rune('a' + n)) },
		"no host":     func(int) string { return "" },
	} {
		bubble.Test(t, func(t *testing.T) {
			c := newCrew(newPacer(Limits{HostWidth: 1}), 2, 1000)
			var pushed atomic.Int64
			go func() {
				for n := 0; n < 20 && c.q.Wanted(); n++ {
					c.q.Push(item{host: host(n), take: time.Second})
					pushed.Add(1)
				}
				c.q.Close()
			}()
			synctest.Wait()
			if got := pushed.Load(); got != 4 {
				t.Errorf("%s: %d are pushed while 2 run; want 4", name, got)
			}
			c.wait()
		})
	}
}

// What is pushed too late is not kept, and neither is its host.
func TestPushAfterClose(t *testing.T) {
	p := newPacer(Limits{HostWidth: 1})
	q := p.Queue(10, func(Turn[item]) {})
	q.Stop()
	q.Close()
	q.Drain()
	q.Push(item{host: "a"})
	if len(p.hosts.known) != 0 || q.parked != 0 {
		t.Errorf("%d hosts are known and %d checks parked; want none", len(p.hosts.known), q.parked)
	}
}

func TestCloseEmpty(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1}), 3, 10)
		if !c.q.Wanted() {
			t.Errorf("Wanted = false; want true")
		}
		c.q.Close()
		c.wait()
		if c.spawned != 0 {
			t.Errorf("%d workers were started for nothing; want 0", c.spawned)
		}
	})
}

// Stop lets what runs end, and Drain returns the rest, each once.
func TestStopDrain(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
	}{
		{"ready", Limits{HostWidth: 100}},
		{"blocked", Limits{HostWidth: 1}},
		{"timed", Limits{HostWidth: 9, HostRate: 1, HostBurst: 1}},
		{"held", Limits{HostWidth: 9, Rate: 1, Burst: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := newPacer(tt.limits)
				c := newCrew(p, 2, 100)
				for n := range 20 {
					host := string(rune('a' + n%3))
					c.q.Push(item{host: host, n: n, take: time.Hour})
				}
				synctest.Wait()
				c.q.Stop()
				var ns []int
				for _, it := range c.q.Drain() {
					ns = append(ns, it.n)
				}
				if len(ns) < 18 {
					t.Errorf("Drain returned %d checks; want at least 18 of 20", len(ns))
				}
				c.wait()
				ns = append(ns, c.ended...)
				slices.Sort(ns)
				for i, n := range ns {
					if i != n || len(ns) != 20 {
						t.Fatalf("started or drained: %v; want 0 to 19", ns)
					}
				}
				if tt.limits.HostRate == 0 {
					forgotten(t, p)
				}
			})
		})
	}
}

// Stop wakes whoever waits in Wanted and in Wait.
func TestStopWakes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1}), 3, 1)
		c.q.Push(item{host: "a", take: time.Second})
		synctest.Wait()
		c.q.Push(item{host: "a"})
		var wanted atomic.Int64
		wanted.Store(-1)
		go func() {
			n := int64(0)
			if c.q.Wanted() {
				n = 1
			}
			wanted.Store(n)
		}()
		synctest.Wait()
		if got := wanted.Load(); got != -1 {
			t.Fatalf("Wanted returned while the window was full")
		}
		c.q.Stop()
		synctest.Wait()
		if got := wanted.Load(); got != 0 {
			t.Errorf("after Stop, Wanted = %d; want 0", got)
		}
		c.wait()
		if got := len(c.q.Drain()); got != 1 {
			t.Errorf("Drain returned %d checks; want 1", got)
		}
	})
}

// A worker that ends otherwise than by Work is replaced.
func TestGone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{HostWidth: 1, HostRate: 10, HostBurst: 1})
		var c crew
		c.q = p.Queue(100, func(t Turn[item]) {
			c.spawned++
			c.workers.Go(func() {
				defer c.q.Gone()
				c.starts = append(c.starts, start{item: t.Item})
				c.q.Done(t)
			})
		})
		c.q.slots, c.q.allowed = 1, 1
		c.push(0, "a", "b", "a", "", "a", "b")
		time.Sleep(time.Minute)
		c.wait()
		if len(c.starts) != 6 || c.spawned != 6 {
			t.Errorf("%d checks started by %d workers; want 6 by 6", len(c.starts), c.spawned)
		}
	})
}

// A check that was put back waits apart, longer each time, while the others of its host go
// on, and is the next of them then.
func TestRetryWaitsApart(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1}), 4, 100)
		var tries []time.Duration
		c.work = func(it item) bool {
			if it.n > 0 {
				return sleep(it)
			}
			tries = append(tries, time.Since(c.began))
			return len(tries) < 4
		}
		c.push(100*time.Millisecond, repeat("a", 5)...)
		c.wait()
		if want := []int{1, 2, 3, 0, 4}; !slices.Equal(c.ended, want) {
			t.Errorf("checks of one host ended in order %v; want %v", c.ended, want)
		}
		const ms = time.Millisecond
		if want := []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}; !slices.Equal(tries, want) {
			t.Errorf("the first was tried after %v; want %v", tries, want)
		}
	})
}

// A check has waited for long enough if nobody else runs, or if it did not help that others
// ended, and in time. Between its tries it waits longer each time.
func TestRetryHopeless(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		beside int           // that end well
		take   time.Duration // of each
		want   time.Duration // until it is given up
		tries  []time.Duration
	}{
		{"alone", 0, 0, time.Second, []time.Duration{0, 20 * ms, 60 * ms, 140 * ms, 300 * ms, 620 * ms, time.Second}},
		{"beside others", 1000, 10 * ms, time.Second, nil},
		{"beside others that take long", 2, 10 * time.Second, 10 * time.Second, nil},
		{"beside too few others", 8, 1200 * ms, 3600 * ms, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				q := newPacer(Limits{HostWidth: 9}).Queue(9999, nil)
				q.slots, q.allowed = 3, 3
				s := &Shortage[item]{Until: time.Now().Add(time.Second)}
				began := time.Now()
				var workers sync.WaitGroup
				var gaveUp time.Duration
				var tries []time.Duration
				q.spawn = func(first Turn[item]) {
					workers.Go(func() {
						q.Work(first, func(turn Turn[item]) {
							if turn.Item.n > 0 {
								time.Sleep(tt.take)
								q.Done(turn)
								return
							}
							tries = append(tries, time.Since(began))
							if !q.Retry(turn, s) {
								gaveUp = time.Since(began)
							}
						})
					})
				}
				for n := 0; n <= tt.beside && q.Wanted(); n++ {
					q.Push(item{host: fmt.Sprint("h", n), n: n})
				}
				q.Close()
				workers.Wait()
				if gaveUp < tt.want || gaveUp > tt.want+maxRest {
					t.Errorf("given up after %v; want %v or so", gaveUp, tt.want)
				}
				if tt.tries != nil && !slices.Equal(tries, tt.tries) {
					t.Errorf("it was tried after %v; want %v", tries, tt.tries)
				}
			})
		})
	}
}
