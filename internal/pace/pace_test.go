package pace

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// An item is a check: where, which, and how long it takes.
type item struct {
	host  string
	ports [2]string // of its origins
	n     int
	take  time.Duration
}

func (it item) Host() string { return it.host }

func (it item) Origins() (all [2]Origin) {
	for i, port := range it.ports {
		if i == 0 || port != "" {
			all[i] = Origin{Host: it.host + port}
		}
	}
	return all
}

// newPacer is New with room for all, if limits do not say otherwise.
func newPacer(limits Limits) *Pacer[item] {
	limits.Width = cmp.Or(limits.Width, 1_000_000)
	return New[item](limits)
}

// A start is one that began.
type start struct {
	item
	at time.Duration // since the crew was made
}

// A crew works a queue off.
type crew struct {
	q    *Queue[item]
	work func(item) (scarce bool) // by default it sleeps; scarce puts the item back

	began   time.Time
	workers sync.WaitGroup

	mu      sync.Mutex
	starts  []start
	ended   []int // the numbers of those that were not put back
	short   map[int]*Shortage[item]
	spawned int
}

// shortage returns what a check has met of want. None waits for long enough.
func (c *crew) shortage(it item) *Shortage[item] {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.short[it.n]
	if s == nil {
		s = &Shortage[item]{Until: c.began.Add(1000 * time.Hour)}
		c.short[it.n] = s
	}
	return s
}

// newCrew returns a crew of as many as slots.
func newCrew(p *Pacer[item], slots, window int) *crew {
	c := &crew{began: time.Now(), work: sleep, short: make(map[int]*Shortage[item])}
	c.q = p.Queue(window, c.spawn)
	c.q.slots, c.q.allowed = slots, slots
	return c
}

func sleep(it item) (scarce bool) {
	time.Sleep(it.take)
	return false
}

// spawn starts a worker.
func (c *crew) spawn(t Turn[item]) {
	c.mu.Lock()
	c.spawned++
	c.mu.Unlock()
	c.workers.Go(func() { c.q.Work(t, c.check) })
}

func (c *crew) check(t Turn[item]) {
	it := t.Item
	c.mu.Lock()
	c.starts = append(c.starts, start{it, time.Since(c.began)})
	c.mu.Unlock()
	if c.work(it) {
		c.q.Retry(t, c.shortage(t.Item))
		return
	}
	c.q.Done(t)
	c.mu.Lock()
	c.ended = append(c.ended, it.n)
	c.mu.Unlock()
}

// wait waits until all that was pushed has ended.
func (c *crew) wait() {
	c.q.Wait()
	c.workers.Wait()
}

// push pushes a check of each of hosts and closes the queue.
func (c *crew) push(take time.Duration, hosts ...string) {
	for i, h := range hosts {
		if !c.q.Wanted() {
			break
		}
		c.q.Push(item{host: h, n: i, take: take})
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
func forgotten(t testing.TB, p *Pacer[item]) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.hosts.known); n != 0 {
		t.Errorf("%d hosts are remembered; want 0", n)
	}
}

func repeat(host string, n int) []string { return slices.Repeat([]string{host}, n) }

// took returns how long a Token of host key took, and its error.
func took(ctx context.Context, p *Pacer[item], key string) (time.Duration, error) {
	start := time.Now()
	err := p.Token(ctx, key)
	return time.Since(start), err
}

func checkToken(t *testing.T, ctx context.Context, p *Pacer[item], key string, want time.Duration, wantErr error) {
	t.Helper()
	if d, err := took(ctx, p, key); d != want || !errors.Is(err, wantErr) || wantErr == nil && err != nil {
		t.Errorf("Token(%q) = %v after %v; want %v after %v", key, err, d, wantErr, want)
	}
}

func TestToken(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		limits Limits
		keys   []string
		want   []time.Duration
	}{
		{"no limit", Limits{}, []string{"a", "a", "a"}, []time.Duration{0, 0, 0}},
		{"all", Limits{Rate: 2, Burst: 1}, []string{"a", "b", "a"}, []time.Duration{0, 500 * ms, 500 * ms}},
		{"host", Limits{HostRate: 2, HostBurst: 1}, []string{"a", "b", "a", "a"}, []time.Duration{0, 0, 500 * ms, 500 * ms}},
		{"the slower one", Limits{Rate: 10, Burst: 1, HostRate: 2, HostBurst: 1}, []string{"a", "a", "b"}, []time.Duration{0, 500 * ms, 100 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := newPacer(tt.limits)
				for i, key := range tt.keys {
					checkToken(t, t.Context(), p, key, tt.want[i], nil)
				}
			})
		})
	}
}

func TestTokenNoTurn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{Rate: 2, Burst: 1})
		checkToken(t, t.Context(), p, "a", 0, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		for range 10 {
			checkToken(t, ctx, p, "a", 0, ErrNoToken)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 501*time.Millisecond)
		defer cancel()
		checkToken(t, ctx, p, "a", 500*time.Millisecond, nil)
	})
}

func TestTokenCanceled(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{Rate: 2, Burst: 1})
		checkToken(t, t.Context(), p, "a", 0, nil)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
		checkToken(t, ctx, p, "a", 200*time.Millisecond, cause)
		checkToken(t, t.Context(), p, "a", 300*time.Millisecond, nil)
	})
}

// A token of the host that was there is given back if the one of all limits
// together does not come. Time is real here: it passes between two calls.
func TestTokenNoTurnKeepsNone(t *testing.T) {
	p := newPacer(Limits{Rate: 0.001, Burst: 1, HostRate: 0.001, HostBurst: 1})
	if err := p.Token(t.Context(), "a"); err != nil {
		t.Fatalf("Token(a) = %v; want nil", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := p.Token(ctx, "b"); !errors.Is(err, ErrNoToken) {
		t.Fatalf("Token(b) = %v; want %v", err, ErrNoToken)
	}
	// A host whose bucket is full is forgotten.
	if h := p.hosts.known["b"]; h != nil && h.meter.held(time.Now()) < 0.999 {
		t.Errorf("after ErrNoToken the host has %.3f tokens; want 1", h.meter.held(time.Now()))
	}
}

// Further requests of a check that runs come out of the same buckets as the
// starts of others.
func TestTokenSharesWithQueue(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newPacer(Limits{Rate: 10, Burst: 1, HostWidth: 1})
		c := newCrew(p, 4, 10)
		c.work = func(it item) bool {
			if err := p.Token(t.Context(), it.host); err != nil {
				t.Errorf("Token(%q) = %v; want nil", it.host, err)
			}
			return false
		}
		c.push(0, "a", "a", "a", "a", "a")
		c.wait()
		if got, want := time.Since(c.began), 900*time.Millisecond; got != want {
			t.Errorf("5 starts and 5 tokens took %v; want %v", got, want)
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
				for range 50 { // what would be chosen at random is not
					if err := Sleep(ctx, tt.d); !errors.Is(err, tt.wantErr) || time.Since(start) != tt.want {
						t.Fatalf("Sleep(%v) = %v after %v; want %v after %v", tt.d, err, time.Since(start), tt.wantErr, tt.want)
					}
					if tt.want > 0 {
						break
					}
				}
			})
		})
	}
}
