package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"example.com/checker/internal/errno"
)

// explain returns the error of a connect to addr, as a [RouteError] where its
// errno stands for two faults of which one is this machine's:
//
//   - EADDRNOTAVAIL, if no local port is left or, for IPv6, if there is no local
//     address at all, as where IPv6 is switched off. The first passes, the second
//     does not.
//   - EHOSTUNREACH, if a router said so or if a route of this machine did.
//   - EHOSTUNREACH also if nobody on this machine's own link answered to the
//     address, for which no router can vouch.
//
// A UDP socket tells a route's answer from a router's, since its connect sends
// nothing.
func explain(ctx context.Context, addr netip.AddrPort, err error) error {
	number, _ := errno.In(err)
	switch errno.Of(number) {
	case errno.Ports:
		if addr.Addr().Is6() && errors.Is(routed(ctx, addr), number) {
			return &RouteError{"this machine has no IPv6 address to connect from", err}
		}
	case errno.Unreachable:
		switch {
		case errors.Is(routed(ctx, addr), number):
			return &RouteError{"a route of this machine forbids it", err}
		case onLink(addr.Addr()):
			return &RouteError{"it is an address of this machine's own network, and nobody there answers to it", err}
		}
	}
	return err
}

// routed asks the routing table for a way to addr.
func routed(ctx context.Context, addr netip.AddrPort) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", addr.String())
	if err != nil {
		return err
	}
	return conn.Close()
}

// onLink reports whether addr is in the network of an interface.
func onLink(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Contains(addr) && !p.IsSingleIP() {
			return true
		}
	}
	return false
}
