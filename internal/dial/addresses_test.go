package dial

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/resolve"
)

// refuseAll makes n refuse connects to the addresses of a.
func (n *network) refuseAll(a reply) {
	if n.replies == nil {
		n.replies = make(map[string]reply)
	}
	for s := range strings.FieldsSeq(a.addrs) {
		n.replies[netip.AddrPortFrom(netip.MustParseAddr(s), 80).String()] = refused
	}
}

// At most 8 addresses of a host are tried, of both families in turns.
func TestAddrsCapped(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		all4, all6 := many("192.0.2.", 200), many("2001:db8::", 1000)
		n := new(network)
		n.refuseAll(all4)
		n.refuseAll(all6)
		d := newDialer(zone{"ip4 h.test": all4, "ip6 h.test": all6.in(10 * ms)}, n)
		c, _, err := d.Dial(t.Context(), "h.test", 80, false)
		check(t, c, err, "", "several, refused")
		all, _ := errors.AsType[*AddrsError](err)
		if len(n.dials) != 8 || len(all.Errs) != 8 {
			t.Errorf("%d connects, %d errors; want 8", len(n.dials), len(all.Errs))
		}
		if got := strings.Count(strings.Join(n.dials, " "), "192.0.2."); got != 4 {
			t.Errorf("%d connects to IPv4; want 4", got)
		}
	})
}

// A family that answers first does not use up the turns of the other: on a host
// without IPv6 all connects to it fail at once.
func TestAddrsShared(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ip4, ip6 reply
		peer     string
	}{
		{"ip6 first", one4.in(5 * ms), many("2001:db8::", 8), a1},
		{"ip4 first", many("192.0.2.", 8), one6.in(60 * ms), b1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := new(network)
				n.refuseAll(many("192.0.2.", 8))
				n.refuseAll(many("2001:db8::", 8))
				delete(n.replies, tt.peer)
				c, _, err := newDialer(zone{"ip4 h.test": tt.ip4, "ip6 h.test": tt.ip6}, n).Dial(t.Context(), "h.test", 80, false)
				check(t, c, err, tt.peer, "")
			})
		})
	}
}

// Of what two families lack the graver is told: a failure before a name that has no address,
// and that before one that is not there.
func TestNoAddr(t *testing.T) {
	nothing := reply{addrs: " "}
	for _, tt := range []struct {
		one, other reply
		want       resolve.Kind
	}{
		{reply{err: notFound}, reply{err: notFound}, resolve.NotFound},
		{reply{err: notFound}, nothing, resolve.NoAddress},
		{reply{err: notFound}, reply{err: errSilent}, resolve.Silent},
		{nothing, reply{err: errSilent}, resolve.Silent},
		{reply{err: errSilent}, reply{err: errServFail}, resolve.Foreign},
		{reply{err: errSilent}, reply{addrs: "0.0.0.0 ::"}, resolve.Sinkhole},
	} {
		for _, z := range []zone{{"ip4 h.test": tt.one, "ip6 h.test": tt.other}, {"ip4 h.test": tt.other, "ip6 h.test": tt.one}} {
			bubble.Test(t, func(t *testing.T) {
				err := dialOnce(t.Context(), newDialer(z, new(network)), "h.test", false)
				if got := kindOf(err); got != tt.want {
					t.Errorf("Dial error = %v, of kind %q; want %q of %+v", err, got, tt.want, z)
				}
			})
		}
	}
}
