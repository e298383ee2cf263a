package checker

import (
	"fmt"
	"net/http"
	"net/netip"

	"example.com/checker/internal/guard"
	"example.com/checker/internal/target"
)

// StatusIn returns a judge for [WithJudge] that accepts the status codes from
// min to max, both included, and refuses others, which is all of them if min is
// greater than max. StatusIn(200, 299) is the usual one; with redirects that
// are not followed it is StatusIn(200, 399).
func StatusIn(min, max int) func(*http.Response) error {
	return func(resp *http.Response) error {
		if code := resp.StatusCode; code < min || code > max {
			return fmt.Errorf("status %d is not from %d to %d", code, min, max)
		}
		return nil
	}
}

// Host returns the host that a target names, as [WithHostKey] gets it and as the
// host limits group targets by default: in lower case, in ASCII, and without
// port and the dot of a rooted name. An IPv6 address has no brackets. The error
// is that of a check of the target, which would be Unknown with ReasonInvalid.
func Host(text string) (string, error) {
	parsed, err := target.Parse(text)
	if err != nil {
		return "", &Error{Phase: PhaseTarget, Reason: ReasonInvalid, Err: err}
	}
	return hostOf(parsed.URLs[0]), nil
}

// PublicOnly is a policy for [WithAddrPolicy] that allows addresses of the
// public Internet only, on any port. A server that checks URLs from strangers
// wants it, or a request could reach its own network.
//
// It refuses what the IANA special-purpose address registries for IPv4 and IPv6
// list (RFC 6890), such as loopback, private, link-local and documentation
// addresses, multicast, IPv6 outside of 2000::/3, addresses with a zone, and a
// few well-known addresses that serve a cloud's own machines. An IPv4 address
// in its IPv6-mapped or NAT64 form counts as that IPv4 address.
func PublicOnly(addr netip.AddrPort) error {
	return guard.Public(addr.Addr())
}
