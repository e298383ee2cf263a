package dial

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
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

func TestExplainAbsent(t *testing.T) {
	got := explain(t.Context(), netip.MustParseAddrPort("127.0.0.1:80"), &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH})
	if _, ok := errors.AsType[*AbsentError](got); !ok {
		t.Errorf("explain = %T(%v); want an AbsentError", got, got)
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
