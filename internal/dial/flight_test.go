package dial

import (
	"net"
	"testing"
	"testing/synctest"

	"example.com/checker/internal/bubble"
)

// A name is asked for rooted first and, if there is none, by the search list.
func TestSearchList(t *testing.T) {
	const rooted, searched = "ip4 h.test., ip6 h.test.", "ip4 h.test, ip4 h.test., ip6 h.test, ip6 h.test."
	for _, tt := range []struct {
		name, host string
		z          zone
		asked      string
		peer, kind string
	}{
		{"rooted", "h.test", zone{"ip4 h.test.": one4, "ip4 h.test": {addrs: "192.0.2.66"}}, rooted, a1, ""},
		{"B21 by the search list", "h.test", zone{"ip4 h.test": one4}, searched, a1, ""},
		{"B21 by the search list, ip6", "h.test", zone{"ip6 h.test": one6}, searched, b1, ""},
		{"one label", "h", zone{"ip4 h": one4, "ip4 h.": {addrs: "192.0.2.66"}}, "ip4 h, ip6 h", a1, ""},
		{"one label, rooted", "h.", zone{"ip4 h": one4}, "ip4 h., ip6 h.", "", "lookup, not found"},
		{"nowhere", "h.test", zone{}, searched, "", "lookup, not found"},
		{"search list fails", "h.test", zone{"ip4 h.test": {err: errServFail}}, searched, "", "lookup"},
		{"B21 trailing dot", "h.test.", zone{"ip4 h.test": one4}, rooted, "", "lookup, not found"},
		{"failure is final", "h.test", zone{"ip4 h.test.": {err: errServFail}, "ip4 h.test": one4}, rooted, "", "lookup"},
		{"sinkhole is final", "h.test", zone{"ip4 h.test.": {addrs: "0.0.0.0"}, "ip4 h.test": one4}, rooted, "", "lookup, not found"},
		{"one address is final", "h.test", zone{"ip6 h.test.": one6, "ip4 h.test": one4}, rooted, b1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Resolver: tt.z}
				c, _, err := newDialer(r, new(network)).Dial(t.Context(), tt.host, 80, false)
				check(t, c, err, tt.peer, tt.kind)
				synctest.Wait()
				if got := r.questions(); got != tt.asked {
					t.Errorf("asked for %s; want %s", got, tt.asked)
				}
			})
		})
	}
}

// A resolver whose error cannot be asked what it is has panicked, in effect.
func TestBrokenLookupError(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		broken := reply{err: (*net.DNSError)(nil)}
		c, _, err := newDialer(zone{"ip4 h.test.": broken, "ip6 h.test.": broken}, new(network)).Dial(t.Context(), "h.test", 80, false)
		check(t, c, err, "", "lookup, panic")
	})
}
