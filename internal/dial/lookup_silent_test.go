package dial

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// family6 is a Hook that has an address for IPv4, and for IPv6 what the
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

// count returns how often a key was asked for. A question may be under way still.
func (r *family6) count(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[key]
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
		d.Lookups = newLookups(r, 30*time.Second)
		defer d.Lookups.End()
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
		if n := r.count("ip4 h.test"); n < 10 || n > 20 {
			t.Errorf("IPv4 was asked for %d times in 5 minutes; want about once in 30 s", n)
		}
	})
}

// A name that is looked up anew is not answered from before, whoever else waits
// for an older lookup of it.
func TestLookupsFreshDNS(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &family6{addr4: "192.0.2.1", ip6: silent6}
		n := &network{replies: map[string]reply{"192.0.2.1:81": hang, "192.0.2.2:81": hang}}
		d := newDialer(r, n)
		d.Lookups = newLookups(r, 30*time.Second)
		defer d.Lookups.End()
		if err := dialOnce(t.Context(), d, "h.test", false); err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		r.addr4 = "192.0.2.2" // the site moves
		r.mu.Unlock()
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

// However often a name is asked for whose one family is silent, it is looked up
// once, and drives out no other.
func TestLookupsOfASilentFamily(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		r := &family6{addr4: "192.0.2.1", ip6: func(ctx context.Context, host string) ([]netip.Addr, error) {
			if host == "h.test" {
				return silent6(ctx, host)
			}
			return nil, notFound
		}}
		d := newDialer(r, new(network))
		d.Lookups = newLookups(r, 30*time.Second)
		defer d.Lookups.End()
		dialOnce(t.Context(), d, "other.test", false)
		for range maxKept + 1 {
			dialOnce(t.Context(), d, "h.test", false)
		}
		time.Sleep(time.Second)
		dialOnce(t.Context(), d, "other.test", false)
		for _, key := range []string{"ip4 h.test", "ip6 h.test", "ip4 other.test", "ip6 other.test"} {
			if n := r.count(key); n != 1 {
				t.Errorf("%s was asked for %d times in a second; want once", key, n)
			}
		}
	})
}

// A lookup may take longer than the TTL of what it finds.
func TestLookupsLongerThanTTL(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		slow := reply{do: func() { time.Sleep(time.Minute) }, err: notFound}
		z := zone{"ip4 h.test": one4, "ip6 h.test": slow}
		d := newDialer(z, new(network))
		d.Lookups = newLookups(z, 30*time.Second)
		defer d.Lookups.End()
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
