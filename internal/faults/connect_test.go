package faults_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

func TestFaultsConnect(t *testing.T) {
	errno := func(name string, e syscall.Errno, reason checker.Reason) fault {
		return fault{
			name: name, reason: reason, phase: checker.PhaseConnect,
			net: func(n *hostile.Net) { n.Fail(siteAddr+":80", e) },
		}
	}
	local := checker.ReasonLocal
	scarce := func(name string, e syscall.Errno) fault {
		f := errno(name, e, local) // asked for again until the timeout, in case it eases
		f.takes, f.upTo = timeout-20*time.Millisecond, timeout
		return f
	}
	banner := func(name, text string) fault {
		return fault{name: name, site: hostile.Banner(text), reason: checker.ReasonMalformed, phase: checker.PhaseResponse}
	}
	runFaults(t, []fault{
		{name: "C1 refused", reason: checker.ReasonRefused, phase: checker.PhaseConnect},
		{
			name: "C2 dropped", reason: checker.ReasonTimeout, phase: checker.PhaseConnect, takes: timeout,
			net: func(n *hostile.Net) { n.Drop(siteAddr + ":80") },
		},
		cutOff("C4 reset after accept", hostile.Reset()),
		cutOff("C5 closed after accept", hostile.Close()),
		errno("C7, C8 unreachable", syscall.EHOSTUNREACH, checker.ReasonUnreachable),
		{
			name: "C11 slow to connect", site: hostile.Respond(hostile.OK), status: 200, takes: 1100 * time.Millisecond,
			net: func(n *hostile.Net) { n.Delay(siteAddr+":80", 1100*time.Millisecond) },
		},
		banner("C13 SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
		banner("C13 SMTP", "220 mail.test ESMTP\r\n"),
		banner("C13 MySQL", "J\x00\x00\x00\x0a8.0.36\x00"),
		banner("C13 TLS alert", "\x15\x03\x01\x00\x02\x02\x0a"),
		banner("C14 HTTP/2 settings", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
		scarce("J1 too many open files", syscall.EMFILE),
		scarce("J3 too many open files in the system", syscall.ENFILE),
		scarce("J4 no buffers", syscall.ENOBUFS),
		scarce("J4 no memory", syscall.ENOMEM),
		scarce("J5 no ports", syscall.EADDRNOTAVAIL),
		errno("J6 no route", syscall.ENETUNREACH, local),
		errno("J8 a local firewall", syscall.EPERM, local),
		errno("J8 a prohibiting route", syscall.EACCES, local),
		errno("J9 a blackhole route", syscall.EINVAL, local),
	})
}

// C10: a connection to oneself is nobody's answer.
func TestSelfConnect(t *testing.T) {
	self := func(_ context.Context, _, addr string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { there.Close() })
		a := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
		return &addressed{here, a, a}, nil
	}
	c := faults.NewChecker(t, checker.WithDialContext(self), checker.WithRetries(0))
	r := c.Check(t.Context(), "http://127.0.0.1:50000/")
	fault{reason: checker.ReasonRefused, phase: checker.PhaseConnect}.check(t, r)
}

// addressed is a connection with other addresses.
type addressed struct {
	net.Conn
	local, remote net.Addr
}

func (a *addressed) LocalAddr() net.Addr  { return a.local }
func (a *addressed) RemoteAddr() net.Addr { return a.remote }

// A hook's error of unknown kind is not the site's fault.
func TestDialFunctionFails(t *testing.T) {
	c := faults.NewChecker(t, checker.WithRetries(0), checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the tunnel is down")
	}))
	fault{reason: checker.ReasonLocal, phase: checker.PhaseConnect}.check(t, c.Check(t.Context(), "http://192.0.2.1/"))
}
