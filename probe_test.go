package checker_test

import (
	"errors"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// blocked means every address; a candidate that the site refused says more.
func TestBlockedCandidate(t *testing.T) {
	for _, port := range []uint16{80, 443} {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, faults.On(faults.Site(t, nil, nil), checker.WithAddrPolicy(func(a netip.AddrPort) error {
				if a.Port() != port {
					return errors.New("another port")
				}
				return nil
			}))...)
			if r := c.Check(t.Context(), "site.test"); r.Reason() != checker.ReasonRefused {
				t.Errorf("with port %d alone: %v; want refused", port, r)
			}
		})
	}
}

// B3: a resolver that fails for one candidate leaves open what that would have
// said.
func TestCandidateIsNotKnown(t *testing.T) {
	d := hostile.ServeDNS(t)
	d.Set("site.test", hostile.Addrs("127.0.0.77").For(dnsmessage.TypeA).Once(), hostile.NoData().For(dnsmessage.TypeAAAA).Once(), hostile.ServFail())
	c := faults.NewChecker(t, checker.WithResolver(d.Resolver()), checker.WithRetries(0))
	if r := c.Check(t.Context(), "site.test:1"); r.Reason() != checker.ReasonDNS {
		t.Errorf("Check() = %v; want dns", r)
	}
}
