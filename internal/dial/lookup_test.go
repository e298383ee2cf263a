package dial

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// ask is how many questions one lookup is.
const ask = 2

func TestLookupsShared(t *testing.T) {
	for _, tt := range []struct {
		name string
		z    zone
		kind string
	}{
		{"found", zone{"ip4 h.test": one4.in(time.Second), "ip6 h.test": one6.in(time.Second)}, ""},
		{"failed", zone{"ip4 h.test": {after: time.Second, err: errServFail}, "ip6 h.test": {err: errServFail}}, "lookup"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Hook: tt.z}
				d := newDialer(r, new(network))
				var wg sync.WaitGroup
				for i := range 1000 {
					wg.Go(func() {
						if err := dialOnce(t.Context(), d, "h.test", i%2 == 0); kind(err) != tt.kind {
							t.Errorf("Dial error = %v; want one of kind %q", err, tt.kind)
						}
					})
				}
				wg.Wait()
				if got := r.count(); got != ask {
					t.Errorf("1000 dials at once ask %d questions; want %d", got, ask)
				}
			})
		})
	}
}

func TestLookupsReused(t *testing.T) {
	const ttl = 30 * time.Second
	found := zone{"ip4 h.test": one4, "ip6 h.test": one6}
	for _, tt := range []struct {
		name     string
		z        zone
		after    time.Duration
		freshDNS bool
		want     int // lookups
	}{
		{"at once", found, ms, false, 1},
		{"within the TTL", found, ttl - 1, false, 1},
		{"after the TTL", found, ttl, false, 2},
		{"looked up anew", found, ms, true, 2},
		{"one family only", zone{"ip4 h.test": one4}, time.Second, false, 1},
		{"one family failed", zone{"ip4 h.test": one4, "ip6 h.test": {err: errServFail}}, time.Second, false, 2},
		{"both failed", zone{"ip4 h.test": {err: errServFail}, "ip6 h.test": {err: errServFail}}, time.Second, false, 2},
		{"not found", zone{}, time.Second, false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Hook: tt.z}
				// Who connects in no time does not wait for the other family.
				d := newDialer(r, &network{replies: map[string]reply{a1: {after: ms}, b1: {after: ms}}})
				d.Lookups = newLookups(r, ttl)
				first := dialOnce(t.Context(), d, "h.test", false)
				time.Sleep(tt.after - ms)
				second := dialOnce(t.Context(), d, "h.test", tt.freshDNS)
				if kind(first) != kind(second) {
					t.Errorf("Dial error = %v, then %v; want the same", first, second)
				}
				synctest.Wait()
				if got := r.count(); got != tt.want*ask {
					t.Errorf("%d questions were asked; want %d", got, tt.want*ask)
				}
			})
		})
	}
}

// A lookup outlives the one who began it and ends with the last who waits.
func TestLookupsLeft(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &counting{Hook: zone{"ip4 h.test": hang, "ip6 h.test": hang}}
		d := newDialer(r, new(network))
		var wg sync.WaitGroup
		for i := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*time.Second)
			defer cancel()
			wg.Go(func() { dialOnce(ctx, d, "h.test", false) })
		}
		time.Sleep(2500 * ms)
		synctest.Wait()
		d.Lookups.mu.Lock()
		if f := d.Lookups.flights["h.test"]; f == nil || f.waiters != 1 || r.count() != ask {
			t.Errorf("after two of three left, lookup = %+v after %d questions; want one that is waited for", f, r.count())
		}
		d.Lookups.mu.Unlock()
		wg.Wait()
		synctest.Wait() // all goroutines end, or the bubble fails
		if n := len(d.Lookups.flights); n != 0 {
			t.Errorf("%d lookups are left; want 0", n)
		}
	})
}

// A question that is lost costs those who wait for it, and not all who come while
// checks overlap. Nor does a lookup made anew end in what was known before.
func TestLookupsLost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var lost atomic.Bool
		lost.Store(true)
		d := newDialer(resolverFunc(func(ctx context.Context, network, host string) ([]netip.Addr, error) {
			if lost.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return zone{"ip4 h.test": one4}.LookupNetIP(ctx, network, host)
		}), new(network))
		var failed atomic.Int32
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if dialOnce(ctx, d, "h.test", i%2 == 0) != nil {
					failed.Add(1)
				}
			})
			time.Sleep(5 * time.Second)
			lost.Store(false)
		}
		wg.Wait()
		if n := failed.Load(); n != 1 {
			t.Errorf("%d of 30 dials failed; want the one whose question was lost", n)
		}
	})
	bubble.Test(t, func(t *testing.T) {
		start := time.Now()
		d := newDialer(resolverFunc(func(ctx context.Context, network, host string) ([]netip.Addr, error) {
			z := zone{"ip6 h.test": {after: 1500 * ms, err: notFound}}
			if time.Since(start) >= time.Second {
				z["ip4 h.test"] = one4
			}
			return z.LookupNetIP(ctx, network, host)
		}), new(network))
		var wg sync.WaitGroup
		wg.Go(func() { dialOnce(t.Context(), d, "h.test", false) })
		time.Sleep(time.Second)
		if err := dialOnce(t.Context(), d, "h.test", true); err != nil {
			t.Errorf("Dial with freshDNS = %v; want nil, since the name exists by now", err)
		}
		wg.Wait()
	})
}

// What a caller's context ends with is a caller's, and may panic.
func TestCausePanics(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDialer(zone{"ip4 h.test": hang, "ip6 h.test": hang}, new(network))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel((*net.DNSError)(nil)) })
		if _, _, err := d.Dial(ctx, "h.test", 80, false); err == nil {
			t.Error("Dial = nil; want an error")
		}
	})
}

// A lookup that another took the place of does not outlive the call.
func TestReplacedFlightEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDialer(zone{}, new(network))
		var open atomic.Int32
		d.Lookups = newLookups(resolverFunc(func(ctx context.Context, network, _ string) ([]netip.Addr, error) {
			if network == "ip6" {
				open.Add(1)
				defer open.Add(-1)
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}), 30*time.Second)
		d.Lookups.Begin()
		dialOnce(t.Context(), d, "h.test", false)
		dialOnce(t.Context(), d, "h.test", true)
		d.Lookups.End()
		synctest.Wait()
		if n := open.Load(); n != 0 {
			t.Errorf("%d questions are under way after the end; want none", n)
		}
	})
}

// A name whose lookup was given up is asked for anew.
func TestLookupsAfterCancel(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		z := zone{"ip4 h.test": hang, "ip6 h.test": hang}
		r := &counting{Hook: z}
		d := newDialer(r, new(network))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := kind(dialOnce(ctx, d, "h.test", false)); got != "lookup, deadline" {
			t.Errorf("Dial error is of kind %q; want %q", got, "lookup, deadline")
		}
		synctest.Wait()
		z["ip4 h.test"] = one4
		if err := dialOnce(t.Context(), d, "h.test", false); err != nil {
			t.Errorf("Dial error = %v; want nil", err)
		}
	})
}

// The answers kept are bounded by number and by age.
func TestLookupsBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		all := resolverFunc(func(_ context.Context, network, _ string) ([]netip.Addr, error) {
			if network == "ip6" {
				return nil, notFound
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		})
		l := newLookups(all, 30*time.Second)
		look := func(i int) {
			f := l.join(t.Context(), fmt.Sprintf("h%d.test", i), false)
			synctest.Wait()
			l.leave(f, errUnwanted)
		}
		for i := range maxKept + 100 {
			look(i)
		}
		if len(l.flights) != maxKept || len(l.kept) != maxKept {
			t.Errorf("%d answers are kept, %d in order; want %d", len(l.flights), len(l.kept), maxKept)
		}
		if l.flights["h0.test"] != nil || l.flights["h100.test"] == nil {
			t.Errorf("the answers kept are not the latest ones")
		}
		time.Sleep(30 * time.Second)
		look(0)
		if len(l.flights) != 1 || len(l.kept) != 1 {
			t.Errorf("%d answers are kept after the TTL, %d in order; want 1", len(l.flights), len(l.kept))
		}
	})
}

type resolverFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return f(ctx, network, host)
}
