package pace

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/bubble"
)

// order runs one check of each host on slots slots and returns the order in
// which they started.
func order(t *testing.T, limits Limits, slots int, hosts string) (got string) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(limits)
		c := newCrew(p, slots, 1000)
		// A check that takes the only slot until all is pushed.
		if slots == 1 {
			c.q.Push(item{take: time.Second})
			synctest.Wait()
		}
		for i, h := range strings.Split(hosts, "") {
			c.q.Push(item{host: h, n: i, take: time.Second})
		}
		c.q.Close()
		c.wait()
		next := make(map[string]int)
		for _, s := range c.starts {
			if s.n < next[s.host] {
				t.Errorf("check %d of host %q started after a later one", s.n, s.host)
			}
			next[s.host] = s.n
		}
		got = strings.Join(c.hosts(), "")
		if limits.HostRate == 0 {
			forgotten(t, p)
		}
	})
	return got
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name        string
		limits      Limits
		slots       int
		hosts, want string
	}{
		{"first come, first served", Limits{HostWidth: 9}, 1, "aaaa", "aaaa"},
		{"hosts take turns", Limits{HostWidth: 9}, 1, "aaaabbcd", "abcdabaa"},
		{"width 1", Limits{HostWidth: 1}, 1, "aaabbb", "ababab"},
		{"under a rate", Limits{HostWidth: 9, Rate: 0.5, Burst: 1}, 1, "aaabbb", "ababab"},
		{"under a host's rate", Limits{HostWidth: 9, HostRate: 0.5, HostBurst: 1}, 1, "aaabbb", "ababab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := order(t, tt.limits, tt.slots, tt.hosts); got != tt.want {
				t.Errorf("order of %q = %q; want %q", tt.hosts, got, tt.want)
			}
		})
	}
}

// Checks that touch no host wait for no token, of whatever kind.
func TestNoHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1, Rate: 1, Burst: 1, HostRate: 1, HostBurst: 1}), 4, 100)
		c.push(0, "a", "b", "", "", "", "c")
		c.wait()
		if got, want := c.times(""), every(0, 1, 3); !slices.Equal(got, want) {
			t.Errorf("checks without a host start at %v; want %v", got, want)
		}
	})
}

func TestSlots(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 100}), 7, 100)
		var b busy
		c.work = b.work
		c.push(time.Second, repeat("a", 70)...)
		c.wait()
		if b.most.Load() != 7 || time.Since(c.began) != 10*time.Second {
			t.Errorf("70 checks took %v with at most %d at once; want 10s with 7", time.Since(c.began), b.most.Load())
		}
		if c.spawned > 7 {
			t.Errorf("%d workers were started; want at most 7", c.spawned)
		}
	})
}

// Few checks need few workers.
func TestSpawnsWhatItNeeds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 9}), 100, 100)
		for range 10 {
			c.q.Push(item{host: "a"})
			synctest.Wait()
		}
		c.q.Close()
		c.wait()
		if c.spawned != 1 {
			t.Errorf("%d workers for one check at a time; want 1", c.spawned)
		}
	})
}

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
				p := newPacer(tt.limits)
				c := newCrew(p, 9, 100)
				c.push(0, tt.hosts...)
				c.wait()
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
		p := newPacer(limits)
		var crews []*crew
		for range 3 {
			c := newCrew(p, 10, 1000)
			c.push(10*time.Millisecond, slices.Repeat([]string{"a", "b", "c", "d"}, 50)...)
			crews = append(crews, c)
		}
		var all []time.Duration
		byHost := make(map[string][]time.Duration)
		for _, c := range crews {
			c.wait()
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

// A supply is something of which this machine has only so much.
type supply struct{ has, used atomic.Int64 }

// work fails what finds the supply used up.
func (s *supply) work(it item) (scarce bool) {
	defer s.used.Add(-1)
	if s.used.Add(1) > s.has.Load() {
		return true
	}
	return sleep(it)
}

// However little there is, all checks are made in the end, and no more of them
// fail on the way than it takes to learn what there is.
func TestRetry(t *testing.T) {
	for _, has := range []int64{1, 3, 10, 64} {
		t.Run(fmt.Sprint(has), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				const checks, slots = 2000, 100
				p := newPacer(Limits{HostWidth: 6})
				c := newCrew(p, slots, 1000)
				var s supply
				s.has.Store(has)
				c.work = s.work
				var hosts []string
				for i := range checks {
					hosts = append(hosts, fmt.Sprint("h", i%500))
				}
				c.push(time.Second, hosts...)
				c.wait()
				slices.Sort(c.ended)
				if len(c.ended) != checks || len(slices.Compact(c.ended)) != checks {
					t.Errorf("%d checks ended; want %d, each once", len(c.ended), checks)
				}
				if failed := len(c.starts) - checks; failed > checks {
					t.Errorf("%d starts were in vain; want fewer than the %d checks", failed, checks)
				}
				best := time.Duration(checks/has) * time.Second
				if got := time.Since(c.began); got > 3*best {
					t.Errorf("%d checks, %d at once, took %v; want at most 3 × %v", checks, has, got, best)
				}
				forgotten(t, p)
			})
		})
	}
}

// When there is enough again, as many run as there are slots.
func TestRetryRecovers(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 2000}), 50, 2000)
		var s supply
		s.has.Store(2)
		c.work = s.work
		time.AfterFunc(10*time.Second, func() { s.has.Store(1000) })
		c.push(time.Second, repeat("a", 2000)...)
		c.wait()
		if got := time.Since(c.began); got > 75*time.Second {
			t.Errorf("2000 checks took %v; want 40s at 50 at once, 10s of scarcity and the way back", got)
		}
	})
}
