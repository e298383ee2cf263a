package dial

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// A name is asked for as it is, once in each family: what becomes of it is the
// resolver's business.
func TestAskedAsItIs(t *testing.T) {
	for _, host := range []string{"h.test", "h.test.", "h", "_x.-y.test"} {
		bubble.Test(t, func(t *testing.T) {
			r := &counting{Hook: zone{"ip4 " + host: one4}}
			c, _, err := newDialer(r, new(network)).Dial(t.Context(), host, 80, false)
			check(t, c, err, a1, "")
			synctest.Wait()
			if got, want := r.questions(), "ip4 "+host+", ip6 "+host; got != want {
				t.Errorf("Dial(%q) asked for %s; want %s", host, got, want)
			}
		})
	}
}

// A resolver whose error cannot be asked what it is has panicked, in effect.
func TestBrokenLookupError(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		broken := reply{err: (*net.DNSError)(nil)}
		c, _, err := newDialer(zone{"ip4 h.test": broken, "ip6 h.test": broken}, new(network)).Dial(t.Context(), "h.test", 80, false)
		check(t, c, err, "", "lookup, panic")
	})
}

// A lookup is shared with who comes in time: while it has found nothing for a while, or until
// what it has found expires. Who wants it anew shares what is not from before.
func TestJoin(t *testing.T) {
	fails := reply{err: errServFail}
	for _, tt := range []struct {
		name     string
		ip4, ip6 reply
		after    time.Duration
		freshDNS bool
		want     bool
	}{
		{"nothing for a while", hang, hang, maxShared - 1, false, true},
		{"nothing for longer", hang, hang, maxShared, false, false},
		{"nothing, anew", hang, hang, maxShared - 1, true, true},
		{"found, within the TTL", one4, hang, 30*time.Second - 1, false, true},
		{"found, after the TTL", one4, hang, 30 * time.Second, false, false},
		{"found, anew", one4, hang, 0, true, false},
		{"failed just now, anew", fails, hang, resolutionDelay - 1, true, true},
		{"failed before, anew", fails, hang, resolutionDelay, true, false},
		{"the other failed before, anew", hang, fails, resolutionDelay, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				l := newLookups(zone{"ip4 h.test": tt.ip4, "ip6 h.test": tt.ip6}, 30*time.Second)
				first := l.join(t.Context(), "h.test", false)
				synctest.Wait()
				if tt.after > 0 {
					time.Sleep(tt.after)
				}
				second := l.join(t.Context(), "h.test", tt.freshDNS)
				if got := first == second; got != tt.want {
					t.Errorf("a lookup is shared after %v: %t; want %t", tt.after, got, tt.want)
				}
				l.leave(first, errUnwanted)
				l.leave(second, errUnwanted)
				time.Sleep(time.Minute) // until none lingers
			})
		})
	}
}

// Who wants a name anew, and a call that ends, leave those alone who wait for a lookup.
func TestWaitersAreLeftAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, d *Dialer)
	}{
		{"anew", func(t *testing.T, d *Dialer) { dialOnce(t.Context(), d, "h.test", true) }},
		{"the end of a call", func(t *testing.T, d *Dialer) {
			d.Lookups.Begin()
			dialOnce(t.Context(), d, "lingers.test", false)
			d.Lookups.End()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Hook: zone{"ip4 h.test": one4.in(time.Second), "ip6 h.test": {err: errServFail}, "ip4 lingers.test": one4, "ip6 lingers.test": hang}}
				d := newDialer(r, new(network))
				d.Lookups = newLookups(r, 30*time.Second)
				var wg sync.WaitGroup
				wg.Go(func() {
					start := time.Now()
					if err := dialOnce(t.Context(), d, "h.test", false); err != nil || time.Since(start) != time.Second {
						t.Errorf("Dial = %v after %v; want nil after 1s", err, time.Since(start))
					}
				})
				time.Sleep(500 * ms)
				tt.do(t, d)
				wg.Wait()
				time.Sleep(time.Minute) // until none lingers
			})
		})
	}
}
