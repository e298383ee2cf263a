package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// An errno alone does not say whose fault it is; the address that it is about may.
func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		addr  string
		errno syscall.Errno
		route bool
	}{
		{"refused", "127.0.0.1:80", syscall.ECONNREFUSED, false},
		{"no ports", "127.0.0.1:80", syscall.EADDRNOTAVAIL, false},
		{"a router's word", "240.0.0.1:80", syscall.EHOSTUNREACH, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", tt.errno)}
			got := explain(t.Context(), netip.MustParseAddrPort(tt.addr), err)
			_, route := errors.AsType[*RouteError](got)
			if route != tt.route || errors.Is(got, tt.errno) == route {
				t.Errorf("explain(%v) = %T(%v); want a RouteError: %t", err, got, got, tt.route)
			}
		})
	}
}

// Whether the context has ended by then does not matter.
func TestExplainAbsent(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{t.Context(), ended} {
		got := explain(ctx, netip.MustParseAddrPort("127.0.0.1:80"), &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH})
		if _, ok := errors.AsType[*AbsentError](got); !ok {
			t.Errorf("explain = %T(%v); want an AbsentError", got, got)
		}
	}
}

// Of what a caller's function says, a connect by package net that found no way is explained,
// and nothing else.
func TestExplainDirect(t *testing.T) {
	connect := func(number syscall.Errno) error { return os.NewSyscallError("connect", number) }
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	for _, tt := range []struct {
		name   string
		err    error
		absent bool
	}{
		{"a connect", &net.OpError{Op: "dial", Addr: here, Err: connect(syscall.EHOSTUNREACH)}, true},
		{"a connect, as Windows calls it", &net.OpError{Op: "dial", Addr: here, Err: os.NewSyscallError("connectex", syscall.EHOSTUNREACH)}, true},
		{"a connect, wrapped", fmt.Errorf("proxy: %w", &net.OpError{Op: "dial", Addr: here, Err: connect(syscall.EHOSTUNREACH)}), true},
		{"a connect that was refused", &net.OpError{Op: "dial", Addr: here, Err: connect(syscall.ECONNREFUSED)}, false},
		{"another call", &net.OpError{Op: "dial", Addr: here, Err: os.NewSyscallError("bind", syscall.EHOSTUNREACH)}, false},
		{"another operation", &net.OpError{Op: "read", Addr: here, Err: connect(syscall.EHOSTUNREACH)}, false},
		{"no call", &net.OpError{Op: "dial", Addr: here, Err: syscall.EHOSTUNREACH}, false},
		{"no address", &net.OpError{Op: "dial", Err: connect(syscall.EHOSTUNREACH)}, false},
		{"an address that is nil", &net.OpError{Op: "dial", Addr: (*net.TCPAddr)(nil), Err: connect(syscall.EHOSTUNREACH)}, false},
		{"another kind of address", &net.OpError{Op: "dial", Addr: &net.UDPAddr{IP: here.IP, Port: 80}, Err: connect(syscall.EHOSTUNREACH)}, false},
		{"an error of another kind", connect(syscall.EHOSTUNREACH), false},
	} {
		got := ExplainDirect(t.Context(), time.Second, tt.err)
		if _, absent := got.(*AbsentError); absent != tt.absent || !absent && got != tt.err {
			t.Errorf("%s: ExplainDirect(%v) = %T(%v); want an AbsentError: %t", tt.name, tt.err, got, got, tt.absent)
		}
	}
}

// That it took too long, package net says by errors of its own. The bare end of a context is
// of a network that is in memory.
func TestByNet(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{os.NewSyscallError("connect", syscall.ETIMEDOUT), true},
		{os.NewSyscallError("connect", syscall.EHOSTUNREACH), true},
		{os.NewSyscallError("connect", syscall.ECONNREFUSED), false},
		{os.ErrDeadlineExceeded, true},
		{fmt.Errorf("i/o timeout: %w", context.DeadlineExceeded), true},
		{context.DeadlineExceeded, false},
		{context.Canceled, false},
	} {
		if got := byNet(tt.err); got != tt.want {
			t.Errorf("byNet(%v) = %t; want %t", tt.err, got, tt.want)
		}
	}
}

// Where IPv6 is switched off it has no address to connect from, and the errno is
// that of ports that are used up.
func TestExplainNoIPv6(t *testing.T) {
	addr := netip.MustParseAddrPort("[2001:db8::1]:80")
	off := errors.Is(connectUDP(t.Context(), addr), syscall.EADDRNOTAVAIL)
	got := explain(t.Context(), addr, &net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL})
	if _, route := errors.AsType[*RouteError](got); route != off {
		t.Errorf("explain = %T(%v); want a RouteError: %t", got, got, off)
	}
}

func TestOnLink(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1": true,
		"127.9.9.9": true,
		"::1":       false, // the only address of its network
		"240.0.0.1": false,
	} {
		if got := onLink(netip.MustParseAddr(addr)); got != want {
			t.Errorf("onLink(%s) = %t; want %t", addr, got, want)
		}
	}
}
