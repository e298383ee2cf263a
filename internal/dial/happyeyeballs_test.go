package dial

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// A dialTest is one Dial of h.test:80, with 10 s to go.
type dialTest struct {
	name  string
	ip4   reply // of h.test., the rooted name; a zero one is: no such name
	ip6   reply
	net   map[string]reply
	dials string        // all connects, with their times
	peer  string        // "" if there is none
	kind  string        // of the error
	after time.Duration // when Dial returns
	dns   time.Duration // Times.DNS
}

var dialTests = []dialTest{
	// Lookups.
	{name: "B1 no such name", kind: "lookup, not found"},
	{name: "B1 slow", ip4: reply{after: 70 * ms, err: notFound}, ip6: reply{after: 90 * ms, err: notFound}, kind: "lookup, not found", after: 90 * ms, dns: 90 * ms},
	{name: "B2 no address", ip4: reply{addrs: " "}, ip6: reply{addrs: " "}, kind: "lookup, not found"},
	{name: "B3 both fail", ip4: reply{err: errServFail}, ip6: reply{err: errServFail}, kind: "lookup"},
	{name: "B3 one fails, the other has nothing", ip6: reply{err: errServFail}, kind: "lookup"},
	{name: "B5 silence", ip4: hang, ip6: hang, kind: "lookup, deadline", after: 10 * time.Second, dns: 10 * time.Second},
	{name: "B8 ip4 times out, ip6 has nothing", ip4: reply{after: 3 * time.Second, err: errSilent}, kind: "lookup", after: 3 * time.Second, dns: 3 * time.Second},
	{name: "B9 ip6 never answers", ip4: one4.in(20 * ms), ip6: hang, dials: "70ms " + a1, peer: a1, after: 70 * ms, dns: 20 * ms},
	{name: "B10 ip6 fails", ip4: one4, ip6: reply{err: errServFail}, dials: "0s " + a1, peer: a1},
	{name: "B10 ip4 fails", ip4: reply{err: errServFail}, ip6: one6, dials: "0s " + b1, peer: b1},
	{name: "B10 ip6 fails within the Resolution Delay", ip4: one4.in(20 * ms), ip6: reply{after: 30 * ms, err: errServFail}, dials: "30ms " + a1, peer: a1, after: 30 * ms, dns: 20 * ms},
	{name: "B15 sinkhole", ip4: reply{addrs: "0.0.0.0"}, ip6: reply{addrs: "::"}, kind: "lookup, sinkhole"},
	{name: "B15 sinkhole beside an address", ip4: reply{addrs: "0.0.0.0 192.0.2.1"}, ip6: reply{addrs: "::"}, dials: "0s " + a1, peer: a1},
	{name: "B15 sinkhole in one family, failure in the other", ip4: reply{addrs: "0.0.0.0"}, ip6: reply{err: errServFail}, kind: "lookup, sinkhole"},
	{name: "mapped addresses", ip4: reply{addrs: "::ffff:192.0.2.1"}, ip6: reply{addrs: "::ffff:192.0.2.2"}, dials: "0s 192.0.2.2:80", peer: "192.0.2.2:80"},
	{name: "addresses of the wrong family", ip4: one6, ip6: one4, kind: "lookup, not found"},
	{name: "zero addresses", ip4: reply{addrs: "192.0.2.1"}, ip6: reply{addrs: " "}, dials: "0s " + a1, peer: a1},

	// Whose turn it is.
	{name: "families in turns", ip4: both4, ip6: both6.in(ms), after: ms, net: map[string]reply{b1: refused, a1: refused, b2: refused},
		dials: "1ms " + b1 + ", 1ms " + a1 + ", 1ms " + b2 + ", 1ms " + a2, peer: a2},
	{name: "ip6 within the Resolution Delay", ip4: one4, ip6: one6.in(49 * ms), dials: "49ms " + b1, peer: b1, after: 49 * ms},
	{name: "ip6 after the Resolution Delay", ip4: one4, ip6: one6.in(80 * ms), dials: "50ms " + a1, peer: a1, after: 50 * ms},
	{name: "ip6 first waits for nobody", ip4: one4.in(time.Second), ip6: one6.in(ms), dials: "1ms " + b1, peer: b1, after: ms, dns: ms},
	{name: "ip6 comes while ip4 connects", ip4: one4, ip6: one6.in(80 * ms), net: map[string]reply{a1: hang},
		dials: "50ms " + a1 + ", 300ms " + b1, peer: b1, after: 300 * ms},
	{name: "ip4 fails before ip6 comes", ip4: one4, ip6: one6.in(80 * ms), net: map[string]reply{a1: refused},
		dials: "50ms " + a1 + ", 80ms " + b1, peer: b1, after: 80 * ms},
	{name: "ip4 fails, ip6 never comes", ip4: one4, ip6: hang, net: map[string]reply{a1: refused},
		dials: "50ms " + a1, kind: "lookup, refused, deadline", after: 10 * time.Second},
	{name: "ip4 hangs, ip6 never comes", ip4: one4, ip6: hang, net: map[string]reply{a1: hang},
		dials: "50ms " + a1, kind: "lookup, deadline", after: 10 * time.Second},
	{name: "ip4 fails, ip6 is not known", ip4: one4, ip6: reply{err: errServFail}, net: map[string]reply{a1: refused},
		dials: "0s " + a1, kind: "lookup, several, refused"},
	{name: "ip4 hangs, ip6 is not known", ip4: one4, ip6: reply{err: errServFail}, net: map[string]reply{a1: hang},
		dials: "0s " + a1, kind: "lookup, deadline", after: 10 * time.Second},

	// Connects.
	{name: "B17 many addresses", ip4: many("192.0.2.", 100), net: map[string]reply{}, dials: "0s " + a1, peer: a1},
	{name: "B18 first dead, second alive", ip4: both4, net: map[string]reply{a1: hang}, dials: "0s " + a1 + ", 250ms " + a2, peer: a2, after: 250 * ms},
	{name: "B19 ip6 dead, ip4 alive", ip4: one4, ip6: one6, net: map[string]reply{b1: hang}, dials: "0s " + b1 + ", 250ms " + a1, peer: a1, after: 250 * ms},
	{name: "C1 refused", ip4: one4, net: map[string]reply{a1: refused}, dials: "0s " + a1, kind: "refused"},
	{name: "C1 first refused, second alive", ip4: both4, net: map[string]reply{a1: refused.in(30 * ms)}, dials: "0s " + a1 + ", 30ms " + a2, peer: a2, after: 30 * ms},
	{name: "C1 all refused", ip4: both4, net: map[string]reply{a1: refused, a2: refused}, dials: "0s " + a1 + ", 0s " + a2, kind: "several, refused"},
	{name: "C2 silent drop", ip4: one4, net: map[string]reply{a1: hang}, dials: "0s " + a1, kind: "deadline", after: 10 * time.Second},
	{name: "C2 all dropped", ip4: both4, net: map[string]reply{a1: hang, a2: hang}, dials: "0s " + a1 + ", 250ms " + a2, kind: "deadline", after: 10 * time.Second},
	{name: "C2 one refused, one dropped", ip4: both4, net: map[string]reply{a1: refused, a2: hang}, dials: "0s " + a1 + ", 0s " + a2,
		kind: "refused, deadline", after: 10 * time.Second},
	{name: "C11 the slower one wins", ip4: both4, net: map[string]reply{a1: {after: 1100 * ms}, a2: hang}, dials: "0s " + a1 + ", 250ms " + a2, peer: a1, after: 1100 * ms},
}

func TestDial(t *testing.T) {
	for _, tt := range dialTests {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				z := zone{}
				for key, a := range map[string]reply{"ip4 h.test": tt.ip4, "ip6 h.test": tt.ip6} {
					if a.addrs != "" || a.after > 0 || a.err != nil {
						z[key] = a
					}
				}
				n := &network{replies: tt.net}
				d := newDialer(z, n)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				c, times, err := d.Dial(ctx, "h.test", 80, false)
				after := time.Since(n.began)
				check(t, c, err, tt.peer, tt.kind)
				if after != tt.after {
					t.Errorf("Dial returned after %v; want %v", after, tt.after)
				}
				if tt.dns > 0 && times.DNS != tt.dns {
					t.Errorf("Times.DNS = %v; want %v", times.DNS, tt.dns)
				}
				if err == nil && (c.Times != times || times.DNS+times.Connect != tt.after) {
					t.Errorf("Times = %+v, of the connection %+v; want the same, in all %v", times, c.Times, tt.after)
				}
				synctest.Wait()
				dials, open := n.log()
				if got := strings.Join(dials, ", "); got != tt.dials {
					t.Errorf("connects = %s; want %s", got, tt.dials)
				}
				if open != 0 {
					t.Errorf("%d connections are open in the end; want 0", open)
				}
				if left := len(d.Lookups.flights); left != 0 {
					t.Errorf("%d lookups are remembered with a TTL of 0; want 0", left)
				}
			})
		})
	}
}

// A Dial that connects to an address of one family does not wait for the other
// family's answer, and another Dial of the name finds what is known by then. Nobody
// is asked twice for what is a moment late.
func TestLinger(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ip6   reply
		gap   time.Duration // between the first and the second
		then  reply         // of the address to the second
		kind  string        // of the second's error
		after time.Duration
		dials string
		asked int // for IPv4
	}{
		{"up, and the other is late", reply{after: 150 * ms, err: notFound}, 10 * ms, reply{after: ms}, "", ms, a1, 1},
		{"up, and the other has come", reply{after: 150 * ms, err: notFound}, 200 * ms, reply{after: ms}, "", ms, a1, 1},
		{"up, and the other never comes", hang, 10 * ms, reply{after: ms}, "", ms, a1, 1},
		{"up, and the other was given up", hang, 1100 * ms, reply{after: ms}, "", 51 * ms, a1, 2},
		{"refused, and the other has nothing", reply{after: 150 * ms, err: notFound}, 10 * ms, refused, "refused", 90 * ms, a1, 1},
		{"refused, and the other is up", one6.in(150 * ms), 10 * ms, refused, "", 90 * ms, a1 + " " + b1, 1},
		{"the other has come, and is up", one6.in(150 * ms), 200 * ms, reply{after: ms}, "", 0, b1, 1},
		{"the first to come, but late", one6.in(40 * ms), 200 * ms, reply{after: ms}, "", 0, b1, 1},
		{"refused, and the other comes after a while", one6.in(1200 * ms), 900 * ms, refused, "", 250 * ms, a1 + " " + b1, 1},
		{"after the TTL", reply{after: 150 * ms, err: notFound}, 31 * time.Second, reply{after: ms}, "", 51 * ms, a1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Hook: zone{"ip4 h.test": one4, "ip6 h.test": tt.ip6}}
				n := &network{replies: map[string]reply{}}
				d := newDialer(r, n)
				d.Lookups = newLookups(r, 30*time.Second)
				d.Lookups.Begin()
				defer d.Lookups.End()
				if err := dialOnce(t.Context(), d, "h.test", false); err != nil {
					t.Fatalf("the first Dial = %v; want nil", err)
				}
				time.Sleep(tt.gap)
				before, _ := n.log()
				n.replies[a1] = tt.then
				start := time.Now()
				err := dialOnce(t.Context(), d, "h.test", false)
				if took := time.Since(start); kind(err) != tt.kind || took != tt.after {
					t.Errorf("the second Dial = %v, of kind %q, after %v; want %q after %v", err, kind(err), took, tt.kind, tt.after)
				}
				all, _ := n.log()
				var dials []string
				for _, d := range all[len(before):] {
					_, addr, _ := strings.Cut(d, " ")
					dials = append(dials, addr)
				}
				if got := strings.Join(dials, " "); got != tt.dials {
					t.Errorf("the second connects to %s; want %s", got, tt.dials)
				}
				if got := strings.Count(r.questions(), "ip4"); got != tt.asked {
					t.Errorf("%d questions for IPv4 were asked; want %d", got, tt.asked)
				}
			})
		})
	}
}

// count returns how many flights go on.
func (l *Lookups) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.flights)
}

// Flights that nobody waits for end with the call, and are bounded in number.
func TestLingeringEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := resolverFunc(func(ctx context.Context, network, _ string) ([]netip.Addr, error) {
			if network == "ip6" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		})
		d := newDialer(r, new(network))
		d.Lookups = newLookups(r, 30*time.Second)
		d.Lookups.Begin()
		for range 2 { // what has ended makes room
			var wg sync.WaitGroup
			for i := range 2 * maxLingering {
				wg.Go(func() { dialOnce(t.Context(), d, fmt.Sprintf("h%d.test", i), false) })
			}
			wg.Wait()
			synctest.Wait()
			if n := d.Lookups.count(); n != maxLingering {
				t.Errorf("%d flights go on; want %d", n, maxLingering)
			}
			time.Sleep(lingerTime - 1)
			if n := d.Lookups.count(); n != maxLingering {
				t.Errorf("%d flights go on for nearly %v; want %d", n, lingerTime, maxLingering)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if n := d.Lookups.count(); n != 0 {
				t.Errorf("%d flights go on after %v; want none", n, lingerTime)
			}
		}
		dialOnce(t.Context(), d, "h.test", false)
		d.Lookups.End()
		synctest.Wait()
		if n := d.Lookups.count(); n != 0 {
			t.Errorf("%d flights go on after the end; want none", n)
		}
	})
}
