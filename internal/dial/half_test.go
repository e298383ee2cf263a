package dial

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// Whoever connects by one family's addresses does not wait for the other's. What
// that family has is then not known: the next to connect to the name begins at
// once by the addresses that are. Only if they are not enough does it look up
// again: there may be others, and that there are none is to be known as well.
func TestLookupsHalf(t *testing.T) {
	const ttl = 30 * time.Second
	none := reply{after: 150 * ms, err: notFound}
	stubborn := reply{do: func() { time.Sleep(150 * ms) }, err: notFound} // heeds no context
	for _, tt := range []struct {
		name  string
		ip6   reply
		pause time.Duration // between the first and the second
		then  reply         // of the address to the second
		kind  string        // of the second's error
		after time.Duration
		dials string
		asked int // for IPv4
	}{
		{"up", none, time.Second, reply{after: ms}, "", ms, a1, 1},
		{"up, while the question is under way", stubborn, 0, reply{after: ms}, "", 51 * ms, a1, 1},
		{"refused", none, time.Second, refused, "refused", 150 * ms, a1, 2},
		{"refused, while the question is under way", stubborn, 0, refused, "refused", 250 * ms, a1, 2},
		{"silent", none, time.Second, hang, "deadline", 10 * time.Second, a1, 2},
		{"refused, and the other is not known", hang, time.Second, refused, "lookup, refused, deadline", 10 * time.Second, a1, 2},
		{"refused, and the other fails", reply{after: 150 * ms, err: errServFail}, time.Second, refused, "lookup, several, refused", 150 * ms, a1, 2},
		{"refused, and the other is up", one6.in(150 * ms), time.Second, refused, "", 150 * ms, a1 + " " + b1, 2},
		{"silent, and the other is up", one6.in(150 * ms), time.Second, hang, "", 400 * ms, a1 + " " + b1, 2},
		{"after the TTL", none, ttl + 50*ms, reply{after: ms}, "", 51 * ms, a1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Resolver: zone{"ip4 h.test.": one4, "ip6 h.test.": tt.ip6}}
				n := &network{replies: map[string]reply{}}
				d := newDialer(r, n)
				d.Lookups = NewLookups(r, ttl)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := dialOnce(ctx, d, "h.test", false); err != nil || time.Since(n.began) != 50*ms {
					t.Fatalf("the first Dial = %v after %v; want nil after 50ms", err, time.Since(n.began))
				}
				if tt.pause > 0 {
					time.Sleep(tt.pause - 50*ms)
				}
				before, _ := n.log()
				n.replies[a1] = tt.then
				start := time.Now()
				ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err := dialOnce(ctx, d, "h.test", false)
				if kind(err) != tt.kind || time.Since(start) != tt.after {
					t.Errorf("the second Dial = %v, of kind %q, after %v; want %q after %v", err, kind(err), time.Since(start), tt.kind, tt.after)
				}
				time.Sleep(time.Second) // the stubborn ones end, too
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

// family6 is a Resolver that has an address for IPv4, and for IPv6 what the
// function says. It counts the questions.
type family6 struct {
	addr4 string
	ip6   func(ctx context.Context, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	asked map[string]int // by "ip4 name"
}

func (r *family6) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == nil {
		r.asked = make(map[string]int)
	}
	r.asked[network+" "+host]++
	if network == "ip4" {
		return []netip.Addr{netip.MustParseAddr(r.addr4)}, nil
	}
	r.mu.Unlock()
	defer r.mu.Lock()
	return r.ip6(ctx, host)
}

func silent6(ctx context.Context, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A family that is silent keeps a lookup under way, which checks that overlap
// share: what it found is not used for longer than the TTL all the same.
func TestLookupsOverlap(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &family6{addr4: "192.0.2.1", ip6: silent6}
		d := newDialer(r, &network{replies: map[string]reply{a1: hang}})
		d.Lookups = NewLookups(r, 30*time.Second)
		var wg sync.WaitGroup
		for range 60 { // five minutes
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				dialOnce(ctx, d, "h.test", false)
			})
			time.Sleep(5 * time.Second)
		}
		wg.Wait()
		if n := r.asked["ip4 h.test."]; n < 10 || n > 20 {
			t.Errorf("IPv4 was asked for %d times in 5 minutes; want about once in 30 s", n)
		}
	})
}

// A name that is looked up anew is not answered from before, whoever looks up beside it.
func TestLookupsFresh(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &family6{addr4: "192.0.2.1", ip6: silent6}
		n := &network{replies: map[string]reply{"192.0.2.1:81": hang, "192.0.2.2:81": hang}}
		d := newDialer(r, n)
		d.Lookups = NewLookups(r, 30*time.Second)
		if err := dialOnce(t.Context(), d, "h.test", false); err != nil {
			t.Fatal(err)
		}
		r.addr4 = "192.0.2.2" // the site moves
		time.Sleep(20 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { d.Dial(ctx, "h.test", 81, false) }) // a silent port
		time.Sleep(time.Second)
		c, _, err := d.Dial(t.Context(), "h.test", 80, true)
		check(t, c, err, "192.0.2.2:80", "")
		cancel()
		wg.Wait()
	})
}

// What became known after all counts as if it had been known at once.
func TestLookupsHalfThenWhole(t *testing.T) {
	for range 20 {
		bubble.Test(t, func(t *testing.T) {
			r := zone{"ip4 h.test.": one4, "ip6 h.test.": one6.in(150 * ms)}
			n := &network{replies: map[string]reply{"192.0.2.1:81": hang}}
			d := newDialer(r, n)
			d.Lookups = NewLookups(r, 30*time.Second)
			for _, tt := range []struct {
				port uint16
				want string
			}{{80, "192.0.2.1:80"}, {81, "[2001:db8::1]:81"}, {80, "[2001:db8::1]:80"}} {
				c, _, err := d.Dial(t.Context(), "h.test", tt.port, false)
				check(t, c, err, tt.want, "")
				time.Sleep(time.Second)
			}
		})
	}
}

// However often a name is asked for whose one family is silent, it is looked up
// once, and drives out no other.
func TestLookupsOfASilentFamily(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &family6{addr4: "192.0.2.1", ip6: func(ctx context.Context, host string) ([]netip.Addr, error) {
			if host == "h.test." {
				return silent6(ctx, host)
			}
			return nil, notFound
		}}
		d := newDialer(r, new(network))
		d.Lookups = NewLookups(r, 30*time.Second)
		dialOnce(t.Context(), d, "other.test", false)
		for range maxKept + 1 {
			dialOnce(t.Context(), d, "h.test", false)
		}
		time.Sleep(time.Second)
		dialOnce(t.Context(), d, "other.test", false)
		for key, n := range r.asked {
			if n != 1 {
				t.Errorf("%s was asked for %d times in a second; want once", key, n)
			}
		}
	})
}

// A lookup may take longer than the TTL of what it finds.
func TestLookupsLongerThanTTL(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		slow := reply{do: func() { time.Sleep(time.Minute) }, err: notFound}
		d := newDialer(zone{"ip4 h.test.": one4, "ip6 h.test.": slow}, new(network))
		d.Lookups = NewLookups(d.Lookups.resolver, 30*time.Second)
		for range 3 {
			if err := dialOnce(t.Context(), d, "h.test", false); err != nil {
				t.Errorf("Dial = %v; want nil", err)
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(2 * time.Minute)
		if n := len(d.Lookups.kept); n > 1 {
			t.Errorf("%d answers are kept; want at most one", n)
		}
	})
}
