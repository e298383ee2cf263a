package pace

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// order runs one check of each host on slots slots and returns the order in
// which they started.
func order(t *testing.T, limits Limits, slots int, hosts string) (got string) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](limits)
		c := newCrew(p, slots, 1000)
		// A check that holds the only slot until all is pushed.
		if slots == 1 {
			c.q.Push("", item{take: time.Second})
			synctest.Wait()
		}
		for i, h := range strings.Split(hosts, "") {
			c.q.Push(h, item{host: h, n: i, take: time.Second})
		}
		c.q.Close()
		c.workers.Wait()
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

// busy counts the checks under way of one host, for all crews that use it.
type busy struct{ now, most atomic.Int64 }

func (b *busy) work(it item) (short bool) {
	n := b.now.Add(1)
	for {
		old := b.most.Load()
		if n <= old || b.most.CompareAndSwap(old, n) {
			break
		}
	}
	defer b.now.Add(-1)
	return sleep(it)
}

func TestWidthAcrossQueues(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{HostWidth: 3})
		var b busy
		var crews []*crew
		for range 2 {
			c := newCrew(p, 10, 100)
			c.work = b.work
			c.push(time.Second, repeat("a", 30)...)
			crews = append(crews, c)
		}
		for _, c := range crews {
			c.workers.Wait()
		}
		if got := b.most.Load(); got != 3 {
			t.Errorf("at most %d checks at once; want 3", got)
		}
		if got, want := time.Since(crews[0].began), 20*time.Second; got != want {
			t.Errorf("60 checks, 3 at once, took %v; want %v", got, want)
		}
		forgotten(t, p)
	})
}

// A host that is slow or must wait does not hold up the others.
func TestBlockedHostAlone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits Limits
	}{
		{"by its width", Limits{HostWidth: 1}},
		{"by its rate", Limits{HostWidth: 9, HostRate: 0.01, HostBurst: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := newCrew(New[item](tt.limits), 3, 1000)
				for n := range 100 {
					c.q.Push("slow", item{host: "slow", n: n, take: time.Minute})
				}
				for n := range 100 {
					host := string(rune('A' + n))
					c.q.Push(host, item{host: host, n: n, take: time.Second})
				}
				c.q.Close()
				c.workers.Wait()
				fast := c.times("*")
				fast = slices.DeleteFunc(fast, func(at time.Duration) bool { return at > time.Minute })
				if len(fast) < 101 {
					t.Errorf("%d checks started within a minute; want 101", len(fast))
				}
			})
		})
	}
}

// Checks that touch no host wait for no token, of whatever kind.
func TestNoHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1, Rate: 1, Burst: 1, HostRate: 1, HostBurst: 1}), 4, 100)
		c.push(0, "a", "b", "", "", "", "c")
		c.workers.Wait()
		if got, want := c.times(""), every(0, 1, 3); !slices.Equal(got, want) {
			t.Errorf("checks without a host start at %v; want %v", got, want)
		}
	})
}

func TestSlots(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 100}), 7, 100)
		var b busy
		c.work = b.work
		c.push(time.Second, repeat("a", 70)...)
		c.workers.Wait()
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
		c := newCrew(New[item](Limits{HostWidth: 9}), 100, 100)
		for range 10 {
			c.q.Push("a", item{host: "a"})
			synctest.Wait()
		}
		c.q.Close()
		c.workers.Wait()
		if c.spawned != 1 {
			t.Errorf("%d workers for one check at a time; want 1", c.spawned)
		}
	})
}

func TestWantedWindow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1}), 2, 10)
		var pushed atomic.Int64
		go func() {
			for n := 0; n < 50 && c.q.Wanted(); n++ {
				c.q.Push("a", item{host: "a", n: n, take: time.Second})
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
		c.workers.Wait()
		if got := len(c.starts); got != 50 {
			t.Errorf("%d checks started; want 50", got)
		}
	})
}

// While all slots are taken by other hosts, nothing more is asked for than
// what keeps them busy.
func TestWantedReady(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(New[item](Limits{HostWidth: 1}), 2, 1000)
		var pushed atomic.Int64
		go func() {
			for n := 0; n < 20 && c.q.Wanted(); n++ {
				c.q.Push(string(rune('a'+n)), item{host: string(rune('a' + n)), take: time.Second})
				pushed.Add(1)
			}
			c.q.Close()
		}()
		synctest.Wait()
		if got := pushed.Load(); got != 4 {
			t.Errorf("%d are pushed while 2 run; want 4", got)
		}
		c.workers.Wait()
	})
}
