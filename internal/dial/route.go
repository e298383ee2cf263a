package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/checker/internal/errno"
)

// explain returns err, which a connect to addr met, or what it stands for, as far as
// that can be told where the kernel does not say who spoke. Two errnos leave it open:
//
//   - EADDRNOTAVAIL says that no local port is left, or that there is no local
//     address to connect from, as for IPv6 where it is switched off. The first
//     passes, the second does not and is a RouteError.
//   - EHOSTUNREACH says that a router knows no way to the host, or that a route of
//     this machine forbids it, which is a RouteError, or that nobody on this machine's
//     own link answered to the address, which is an AbsentError.
//
// A UDP socket tells what this machine's routes say from what a router said, since
// its connect sends nothing.
func explain(ctx context.Context, addr netip.AddrPort, err error) error {
	number, _ := errno.In(err)
	switch errno.Of(number) {
	case errno.Ports:
		if addr.Addr().Is6() && errors.Is(connectUDP(ctx, addr), number) {
			return &RouteError{NoRoute, "this machine has no IPv6 address to connect from", err}
		}
	case errno.Unreachable:
		switch {
		case errors.Is(connectUDP(ctx, addr), number):
			return &RouteError{NoRoute, "a route of this machine says unreachable", err}
		case onLink(addr.Addr()):
			return &AbsentError{err}
		}
	}
	return err
}

// ExplainDirect returns err, which a caller's function or transport met after a while, or
// what it stands for if it is of a connect that a net.Dialer made for them. That does not
// say by ICMP who made the connect fail, so less can be told.
func ExplainDirect(ctx context.Context, waited time.Duration, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "dial" || !tcpAddr(op.Addr).IsValid() || !byNet(op.Err) {
		return err
	}
	addr := tcpAddr(op.Addr)
	return explain(ctx, addr, explainHop(tcpAddr(op.Source), addr, waited, err))
}

// byNet reports whether err says, as package net does, that a connect found no way to the
// host or took too long. Networks that are in memory have their own words, and know
// nothing of this machine's.
func byNet(err error) bool {
	if call, ok := err.(*os.SyscallError); ok {
		number, _ := errno.In(call.Err)
		kind := errno.Of(number)
		return strings.HasPrefix(call.Syscall, "connect") && (kind == errno.Unreachable || kind == errno.TimedOut)
	}
	return err == os.ErrDeadlineExceeded || err != context.DeadlineExceeded && errors.Is(err, context.DeadlineExceeded)
}

// tcpAddr returns a as an address, zero if it is none of TCP.
func tcpAddr(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok || t == nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(t.AddrPort().Addr().Unmap(), t.AddrPort().Port())
}

// connectUDP asks this machine alone, by its routes and addresses, for a way to
// addr.
func connectUDP(ctx context.Context, addr netip.AddrPort) error {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", addr.String())
	if err != nil {
		return err
	}
	return conn.Close()
}

// onLink reports whether addr is in the network of an interface. A network of one
// address is no link to any other.
func onLink(addr netip.Addr) bool {
	all, _ := ownPrefixes()
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(addr) && !p.IsSingleIP() })
}

// hasAddress reports whether this machine has an address of a family from which it
// could connect to another machine. If that cannot be told, it may have one.
func hasAddress(family int) bool {
	all, err := ownPrefixes()
	return err != nil || slices.ContainsFunc(all, func(p netip.Prefix) bool {
		return p.Addr().Is4() == (family == v4) && p.Addr().IsGlobalUnicast()
	})
}

// ownPrefixes returns the addresses of this machine, each with its network.
func ownPrefixes() (all []netip.Prefix, err error) {
	addrs, err := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p)
		}
	}
	return all, err
}
