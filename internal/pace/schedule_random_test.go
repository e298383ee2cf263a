package pace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker/internal/bubble"
)

// A schedule is a random run of crews on one Pacer.
type schedule struct {
	rnd     *rand.Rand
	limits  Limits
	p       *Pacer[item]
	crews   []*crew
	pushed  []int
	active  map[string]int // by host, over all crews
	running int
	busy    map[*crew]int
	paused  map[Origin][2]time.Time // from when, and until when
	fails   []string
}

func newSchedule(seed uint64, crews int) *schedule {
	s := &schedule{rnd: rand.New(rand.NewPCG(seed, 0)), active: make(map[string]int), busy: make(map[*crew]int), paused: make(map[Origin][2]time.Time)}
	s.limits.HostWidth = 1 + s.rnd.IntN(3)
	s.limits.Width = 1 + s.rnd.IntN(6)
	if s.rnd.IntN(2) == 0 {
		s.limits.Rate, s.limits.Burst = rate.Limit(10+s.rnd.IntN(90)), 1+s.rnd.IntN(5)
	}
	if s.rnd.IntN(2) == 0 {
		s.limits.HostRate, s.limits.HostBurst = rate.Limit(5+s.rnd.IntN(45)), 1+s.rnd.IntN(3)
	}
	s.p = newPacer(s.limits)
	for range crews {
		slots, window := 1+s.rnd.IntN(4), 1+s.rnd.IntN(20)
		if s.rnd.IntN(3) == 0 {
			slots, window = 1, 1 // as single checks have it
		}
		c := newCrew(s.p, slots, window)
		c.work = s.work(c, s.rnd.IntN(4) == 0, rand.New(rand.NewPCG(seed, 1)))
		s.crews = append(s.crews, c)
	}
	s.pushed = make([]int, crews)
	return s
}

// failf may be called while p.mu is held or not, by one goroutine at a time.
func (s *schedule) failf(format string, args ...any) {
	if len(s.fails) < 3 {
		s.fails = append(s.fails, fmt.Sprintf(format, args...))
	}
}

// work counts the checks under way. If scarce is set, some are put back.
func (s *schedule) work(c *crew, scarce bool, rnd *rand.Rand) func(item) bool {
	count := func(it item, d int) bool {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		s.busy[c] += d
		s.active[it.host] += d
		if it.host != "" {
			s.running += d
		}
		for _, o := range it.Origins() {
			// What starts at the very moment at which a pause begins may have begun before.
			if p := s.paused[o]; d > 0 && time.Now().After(p[0]) && time.Now().Before(p[1]) {
				s.failf("a check of %q starts %v before the end of a pause", o.Host, time.Until(p[1]))
			}
		}
		if it.host != "" && s.active[it.host] > s.limits.HostWidth || s.running > s.limits.Width {
			s.failf("%d checks at once, %d of them on %q; want at most %d and %d", s.running, s.active[it.host], it.host, s.limits.Width, s.limits.HostWidth)
		}
		if s.busy[c] > c.q.slots {
			s.failf("%d checks at once in a queue; want at most %d", s.busy[c], c.q.slots)
		}
		return scarce && it.host != "" && rnd.IntN(10) == 0
	}
	return func(it item) bool {
		began := time.Now()
		count(it, 1)
		time.Sleep(it.take)
		if it.host != "" && it.n%10 == 9 {
			s.pause(it, began)
		}
		return count(it, -1)
	}
}

// pause makes the origins of a check ask for a pause.
func (s *schedule) pause(it item, began time.Time) {
	for _, o := range it.Origins() {
		if o != (Origin{}) {
			s.p.Pause(it.host, o, began, it.take, 429)
			s.p.mu.Lock()
			now := time.Now()
			p := s.paused[o]
			if now.After(p[1]) {
				p[0] = now
			}
			if end := now.Add(it.take); end.After(p[1]) {
				p[1] = end
			}
			s.paused[o] = p
			s.p.mu.Unlock()
		}
	}
}

// feed pushes items, at least delay apart, and closes the queue.
func (c *crew) feed(items []item, delay time.Duration) (pushed int) {
	defer c.q.Close()
	for _, it := range items {
		if !c.q.Wanted() {
			break
		}
		c.q.Push(it)
		pushed++
		if delay > 0 {
			time.Sleep(delay)
		}
	}
	return pushed
}

func (s *schedule) items() []item {
	items := make([]item, s.rnd.IntN(40))
	hosts := 1 + s.rnd.IntN(5)
	for n := range items {
		host := ""
		if s.rnd.IntN(10) > 0 {
			host = string(rune('a' + s.rnd.IntN(hosts)))
		}
		var ports [2]string
		if two := s.rnd.IntN(4); two < 2 {
			ports = [2]string{":1", ":2"}
			ports[1] = ports[two]
		}
		items[n] = item{host: host, ports: ports, n: n, take: time.Duration(s.rnd.IntN(200)) * time.Millisecond}
	}
	return items
}

// checkIdle looks for checks that could start and do not, and for lanes that are
// not in their place. All must be quiet.
func (s *schedule) checkIdle() {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	// What became free at this very moment may not have been seen yet.
	past := time.Now().Add(-time.Microsecond)
	empty := func(m *meter) bool { return m.limit != 0 && m.held(past) < 1 }
	for i, c := range s.crews {
		if wrong := misplaced(c.q); wrong != "" {
			s.failf("queue %d: %s", i, wrong)
		}
		if c.q.stopped || c.q.running >= c.q.allowed || s.busy[c] >= c.q.slots || s.p.running >= s.limits.Width {
			continue
		}
		for _, l := range c.q.claims {
			if l.h.active >= s.limits.HostWidth || empty(&l.h.meter) || empty(&s.p.meter) || s.braked(l, past) {
				continue
			}
			s.failf("after %v queue %d leaves a slot and host %q idle with %d checks parked",
				time.Since(c.began), i, l.h.key, len(l.items))
		}
		if len(c.q.free) > 0 && s.busy[c] < c.q.slots {
			s.failf("queue %d leaves a worker idle with %d checks of no host", i, len(c.q.free))
		}
	}
}

// braked reports whether an origin of the first check of c takes none.
func (s *schedule) braked(c *claim[item], past time.Time) bool {
	for _, key := range c.items[0].Origins() {
		if o := s.p.origins.known[key]; o != nil && (o.active > 0 || o.held || past.Before(o.until)) {
			return true
		}
	}
	return false
}

// run runs it, watches it, and checks what came of every check.
func (s *schedule) run() {
	stops := make([]time.Duration, len(s.crews))
	for i, c := range s.crews {
		if s.rnd.IntN(3) == 0 {
			stops[i] = time.Duration(1+s.rnd.IntN(3000)) * time.Millisecond
			time.AfterFunc(stops[i], c.q.Stop)
		}
		items, delay := s.items(), time.Duration(s.rnd.IntN(3)*10)*time.Millisecond
		c.workers.Go(func() { s.pushed[i] = c.feed(items, delay) })
	}
	for range 1000 {
		time.Sleep(time.Duration(1+s.rnd.IntN(40)) * time.Millisecond)
		synctest.Wait()
		s.checkIdle()
	}
	time.Sleep(time.Hour) // by now all has ended that ever will
	synctest.Wait()
	for i, c := range s.crews {
		if left := c.q.parked; left > 0 && stops[i] == 0 {
			s.failf("queue %d was not stopped, and %d checks never started", i, left)
		}
		c.q.Stop()
		drained := c.q.Drain()
		c.wait()
		var ns []int
		for _, it := range drained {
			ns = append(ns, it.n)
		}
		ns = append(ns, c.ended...)
		slices.Sort(ns)
		for n := range max(len(ns), s.pushed[i]) {
			if n >= len(ns) || ns[n] != n {
				s.failf("queue %d started or drained %v; want 0 to %d", i, ns, s.pushed[i]-1)
				break
			}
		}
	}
	s.checkOver()
}

// checkOver checks what is left of a schedule, and its rates.
func (s *schedule) checkOver() {
	for range s.p.hosts.cooling.n + s.p.origins.all.n {
		s.p.hosts.sweep(time.Now())
		s.p.origins.sweep(time.Now())
	}
	if n, o := len(s.p.hosts.known), len(s.p.origins.known); n > 0 || o > 0 {
		s.failf("%d hosts and %d origins are remembered after an hour; want none", n, o)
	}
	if s.p.running != 0 || s.p.calls.n != 0 || len(s.p.alarms.heap) != 0 || s.p.alarms.timer != nil {
		s.failf("%d checks, %d calls and %d alarms are left; want none", s.p.running, s.p.calls.n, len(s.p.alarms.heap))
	}
	var all []time.Duration
	byHost := make(map[string][]time.Duration)
	for _, c := range s.crews {
		for _, st := range c.starts {
			if st.host != "" {
				all = append(all, st.at)
				byHost[st.host] = append(byHost[st.host], st.at)
			}
		}
	}
	s.checkRate("all hosts", all, s.limits.Rate, s.limits.Burst)
	for host, times := range byHost {
		s.checkRate(host, times, s.limits.HostRate, s.limits.HostBurst)
	}
}

func (s *schedule) checkRate(what string, times []time.Duration, limit rate.Limit, burst int) {
	slices.Sort(times)
	most := int(limit) + burst
	for i := range times {
		if j := i + most; limit > 0 && j < len(times) && times[j]-times[i] < time.Second {
			s.failf("over %d starts of %s in a second", most, what)
			return
		}
	}
}

// Whatever is pushed starts once or is drained once, limits hold at any time,
// no slot idles while a check could use it, and all goroutines end.
func TestRandomSchedules(t *testing.T) {
	for _, crews := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprintf("%d queues", crews), func(t *testing.T) {
			seeds := uint64(200)
			if testing.Short() {
				seeds = 20
			}
			for seed := range seeds {
				bubble.Test(t, func(t *testing.T) {
					s := newSchedule(seed, crews)
					s.run()
					for _, fail := range s.fails {
						t.Errorf("seed %d, limits %+v: %s", seed, s.limits, fail)
					}
				})
				if t.Failed() {
					break
				}
			}
		})
	}
}
