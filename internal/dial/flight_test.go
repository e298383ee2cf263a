package dial

import (
	"net"
	"testing"
	"testing/synctest"

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
