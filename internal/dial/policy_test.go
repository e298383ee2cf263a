package dial

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"example.com/checker/internal/bubble"
)

var errPolicy = errors.New("not there")

// refuse returns a policy that refuses some addresses.
func refuse(addrs ...string) func(netip.AddrPort) error {
	return func(ap netip.AddrPort) error {
		for _, a := range addrs {
			if ap.Addr() == netip.MustParseAddr(a) {
				return errPolicy
			}
		}
		return nil
	}
}

func TestPolicy(t *testing.T) {
	const h = "h.test"
	all := zone{"ip4 h.test.": both4, "ip6 h.test.": one6}
	elsewhere := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80} // 16 bytes: a mapped address
	for _, tt := range []struct {
		name       string
		host       string
		z          zone
		policy     func(netip.AddrPort) error
		elsewhere  net.Addr
		dials      int
		peer, kind string
	}{
		{"allowed", h, all, refuse(), nil, 1, b1, ""},
		{"one allowed", h, all, refuse("2001:db8::1", "192.0.2.1"), nil, 1, a2, ""},
		{"none allowed", h, all, refuse("2001:db8::1", "192.0.2.1", "192.0.2.2"), nil, 0, "", "several, blocked"},
		{"the only one refused", h, zone{"ip4 h.test.": one4}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"refused beside a failed lookup", h, zone{"ip4 h.test.": one4, "ip6 h.test.": {err: errServFail}}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"literal", "192.0.2.1", nil, refuse(), nil, 1, a1, ""},
		{"literal refused", "192.0.2.1", nil, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"literal ip6 refused", "2001:db8::1", nil, refuse("2001:db8::1"), nil, 0, "", "blocked"},
		{"mapped literal is judged as ip4", "::ffff:192.0.2.1", nil, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"mapped answer is judged as ip4", h, zone{"ip4 h.test.": {addrs: "::ffff:192.0.2.1"}}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"connects elsewhere", "192.0.2.1", nil, refuse("10.0.0.1"), elsewhere, 1, "", "blocked"},
		{"connects elsewhere by name", h, zone{"ip4 h.test.": one4}, refuse("10.0.0.1"), elsewhere, 1, "", "blocked"},
		{"connects elsewhere, without a policy", "192.0.2.1", nil, nil, elsewhere, 1, "10.0.0.1:80", ""},
		{"peer without an address", "192.0.2.1", nil, refuse(), &net.UnixAddr{Name: "/run/x"}, 1, "", "blocked"},
		{"peer without an address, without a policy", "192.0.2.1", nil, nil, &net.UnixAddr{Name: "/run/x"}, 1, "invalid AddrPort", ""},
		{"policy panics", "192.0.2.1", nil, func(netip.AddrPort) error { panic("boom") }, nil, 0, "", "panic"},
		{"policy panics on all", h, all, func(netip.AddrPort) error { panic("boom") }, nil, 0, "", "several, panic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := &network{elsewhere: tt.elsewhere}
				d := newDialer(tt.z, n)
				d.Policy = tt.policy
				c, _, err := d.Dial(t.Context(), tt.host, 80, false)
				check(t, c, err, tt.peer, tt.kind)
				synctest.Wait()
				dials, open := n.log()
				if len(dials) != tt.dials || open != 0 {
					t.Errorf("%d connects, %d left open; want %d, 0", len(dials), open, tt.dials)
				}
				if b, ok := errors.AsType[*BlockedError](err); ok && tt.elsewhere == nil && !errors.Is(b, errPolicy) {
					t.Errorf("BlockedError = %v; want it to wrap what the policy said", b)
				}
			})
		})
	}
}
