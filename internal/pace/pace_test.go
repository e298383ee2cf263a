package pace

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/bubble"
)

// An item is a check: where, which, and how long it takes.
type item struct {
	host string
	n    int
	take time.Duration
}

// A start is one that began.
type start struct {
	item
	at time.Duration // since the crew was made
}

// A crew works a queue off.
type crew struct {
	q    *Queue[item]
	work func(item) (short bool) // by default it sleeps; short puts the item back

	began   time.Time
	workers sync.WaitGroup

	mu      sync.Mutex
	starts  []start
	ended   []int // the numbers of those that were not put back
	spawned int
}

func newCrew(p *Pacer[item], slots, window int) *crew {
	c := &crew{began: time.Now(), work: sleep}
	c.q = p.Queue(slots, window, c.spawn)
	return c
}

func sleep(it item) (short bool) {
	time.Sleep(it.take)
	return false
}

// spawn starts a worker.
func (c *crew) spawn() {
	c.mu.Lock()
	c.spawned++
	c.mu.Unlock()
	c.workers.Go(func() {
		for {
			it, ok := c.q.Next()
			if !ok {
				return
			}
			c.mu.Lock()
			c.starts = append(c.starts, start{it, time.Since(c.began)})
			c.mu.Unlock()
			if c.work(it) {
				c.q.Retry(it.host, it, false)
				continue
			}
			c.q.Done(it.host)
			c.mu.Lock()
			c.ended = append(c.ended, it.n)
			c.mu.Unlock()
		}
	})
}

// push pushes a check of each host in turn and closes the queue.
func (c *crew) push(take time.Duration, hosts ...string) {
	for i, h := range hosts {
		if !c.q.Wanted() {
			break
		}
		c.q.Push(h, item{host: h, n: i, take: take})
	}
	c.q.Close()
}

// hosts returns the hosts of what has started, in order.
func (c *crew) hosts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var hosts []string
	for _, s := range c.starts {
		hosts = append(hosts, s.host)
	}
	return hosts
}

// times returns when the checks of host started, or all if it is "*".
func (c *crew) times(host string) []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var times []time.Duration
	for _, s := range c.starts {
		if host == "*" || s.host == host {
			times = append(times, s.at)
		}
	}
	return times
}

// every returns n moments, d apart, the first burst of them at 0.
func every(d time.Duration, burst, n int) []time.Duration {
	var times []time.Duration
	for i := range n {
		times = append(times, time.Duration(max(0, i-burst+1))*d)
	}
	return times
}

// forgotten checks that p remembers no host.
func forgotten(t *testing.T, p *Pacer[item]) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.hosts.known); n != 0 {
		t.Errorf("%d hosts are remembered; want 0", n)
	}
}

func repeat(host string, n int) []string { return slices.Repeat([]string{host}, n) }

// checkWindows checks that no second has more than limit+burst of times.
func checkWindows(t *testing.T, times []time.Duration, limit rate.Limit, burst int) {
	t.Helper()
	most := int(limit) + burst
	for i := range times {
		if j := i + most; j < len(times) && times[j]-times[i] < time.Second {
			t.Errorf("%d starts between %v and %v; want at most %d in any second", most+1, times[i], times[j], most)
		}
	}
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
		hosts  []string
		host   string // whose starts are looked at
		want   []time.Duration
	}{
		{"all", Limits{Rate: 4, Burst: 1, HostWidth: 9}, []string{"a", "b", "c", "a"}, "*", every(250*time.Millisecond, 1, 4)},
		{"all, burst", Limits{Rate: 10, Burst: 3, HostWidth: 9}, repeat("a", 25), "*", every(100*time.Millisecond, 3, 25)},
		{"host", Limits{HostRate: 2, HostBurst: 1, HostWidth: 9}, repeat("a", 5), "a", every(500*time.Millisecond, 1, 5)},
		{"host, burst", Limits{HostRate: 2, HostBurst: 2, HostWidth: 9}, repeat("a", 9), "a", every(500*time.Millisecond, 2, 9)},
		{"host beside another", Limits{HostRate: 2, HostBurst: 1, HostWidth: 9}, []string{"a", "b", "a", "b", "a"}, "b", every(500*time.Millisecond, 1, 2)},
		{"host slower than all", Limits{Rate: 10, Burst: 1, HostRate: 2, HostBurst: 1, HostWidth: 9}, repeat("a", 4), "a", every(500*time.Millisecond, 1, 4)},
		{"all slower than host", Limits{Rate: 2, Burst: 1, HostRate: 10, HostBurst: 1, HostWidth: 9}, repeat("a", 4), "a", every(500*time.Millisecond, 1, 4)},
		{"none", Limits{HostWidth: 9}, repeat("a", 9), "a", every(0, 1, 9)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := New[item](tt.limits)
				c := newCrew(p, 9, 100)
				c.push(0, tt.hosts...)
				c.workers.Wait()
				if got := c.times(tt.host); !slices.Equal(got, tt.want) {
					t.Errorf("starts at %v; want %v", got, tt.want)
				}
			})
		})
	}
}

// However many queues there are, the rates hold over all of them.
func TestRatesAcrossQueues(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		limits := Limits{Rate: 50, Burst: 5, HostRate: 20, HostBurst: 2, HostWidth: 6}
		p := New[item](limits)
		var crews []*crew
		for range 3 {
			c := newCrew(p, 10, 1000)
			c.push(10*time.Millisecond, slices.Repeat([]string{"a", "b", "c", "d"}, 50)...)
			crews = append(crews, c)
		}
		var all []time.Duration
		byHost := make(map[string][]time.Duration)
		for _, c := range crews {
			c.workers.Wait()
			for _, s := range c.starts {
				all = append(all, s.at)
				byHost[s.host] = append(byHost[s.host], s.at)
			}
		}
		slices.Sort(all)
		checkWindows(t, all, limits.Rate, limits.Burst)
		for _, times := range byHost {
			slices.Sort(times)
			checkWindows(t, times, limits.HostRate, limits.HostBurst)
		}
		// The buckets count in floating point, so a nanosecond may be lost.
		if want := 595 * time.Second / 50; len(all) != 600 || all[599] < want-time.Microsecond || all[599] > want+time.Second {
			t.Errorf("%d starts, the last at %v; want 600 by about %v", len(all), all[len(all)-1], want)
		}
	})
}

// A host is remembered while its bucket fills up, and then no longer than it
// takes other hosts to come by.
func TestHostsForgotten(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 2})
		c := newCrew(p, 5, 100)
		c.push(time.Second, "a", "b", "a", "a", "", "c", "")
		c.workers.Wait()
		forgotten(t, p)
	})
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 2, HostRate: 1, HostBurst: 1})
		for i := range 10_000 {
			if err := p.Token(t.Context(), string(rune('a'+i))); err != nil {
				t.Fatalf("Token = %v; want nil", err)
			}
			time.Sleep(100 * time.Millisecond)
			if n := len(p.hosts.known); n > 12 {
				t.Fatalf("%d hosts are remembered, with 10 in a second; want at most 12", n)
			}
		}
	})
}

func TestHostsBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 2, HostRate: 1, HostBurst: 1})
		for i := range maxCooling + 1000 {
			if err := p.Token(t.Context(), string(rune(i))+string(rune(i>>8))); err != nil {
				t.Fatalf("Token = %v; want nil", err)
			}
		}
		if n := len(p.hosts.known); n > maxCooling+1 {
			t.Errorf("%d hosts are remembered; want at most %d", n, maxCooling+1)
		}
	})
}

func TestSleep(t *testing.T) {
	enough := errors.New("enough")
	for _, tt := range []struct {
		name    string
		d       time.Duration
		end     time.Duration // of the context; negative for never
		want    time.Duration
		wantErr error
	}{
		{"to the end", time.Second, -1, time.Second, nil},
		{"cut short", time.Second, time.Second / 2, time.Second / 2, enough},
		{"ended before", time.Second, 0, 0, enough},
		{"no time", 0, -1, 0, nil},
		{"no time and ended before", 0, 0, 0, enough},
		{"negative", -time.Second, -1, 0, nil},
		{"negative and ended before", -time.Second, 0, 0, enough},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				switch {
				case tt.end == 0:
					cancel(enough)
				case tt.end > 0:
					time.AfterFunc(tt.end, func() { cancel(enough) })
				}
				start := time.Now()
				if err := Sleep(ctx, tt.d); !errors.Is(err, tt.wantErr) || time.Since(start) != tt.want {
					t.Errorf("Sleep(%v) = %v after %v; want %v after %v", tt.d, err, time.Since(start), tt.wantErr, tt.want)
				}
			})
		})
	}
}
