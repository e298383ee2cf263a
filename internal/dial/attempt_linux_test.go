package dial

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/emulator"
)

// What this kernel refuses before it has sent anything is told as package net tells it.
func TestConnectUnsent(t *testing.T) {
	addr := netip.MustParseAddrPort("224.0.0.1:80") // no kernel connects to many
	_, err := connectTo(t.Context(), addr)
	op, ok := err.(*net.OpError)
	if call, _ := errors.AsType[*os.SyscallError](err); !ok || op.Op != "dial" || call == nil || call.Syscall != "connect" || call.Err != syscall.ENETUNREACH {
		t.Errorf("connectTo(%v) error = %v; want that connect says %v", addr, err, syscall.ENETUNREACH)
	}
}

// Where the kernel, or what stands for it, does not tell the state of TCP, a connect comes
// to the same end.
func TestOutcomeWithoutState(t *testing.T) {
	for name, test := range map[string]struct {
		addr   netip.AddrPort
		done   bool
		number syscall.Errno
	}{
		"answered": {listen(t).Addr().(*net.TCPAddr).AddrPort(), true, 0},
		"refused":  {closedPort(t), true, syscall.ECONNREFUSED},
		"silent":   {full(t), false, 0},
	} {
		fd, err := open(test.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		if err := connect(fd, test.addr); err != nil && err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
		done, number := outcomeByPeer(fd)
		for end := time.Now().Add(5 * time.Second); test.done && !done && time.Now().Before(end); time.Sleep(time.Millisecond) {
			done, number = outcomeByPeer(fd)
		}
		if done != test.done || number != test.number {
			t.Errorf("%s: outcomeByPeer() = %t, %v; want %t, %v", name, done, number, test.done, test.number)
		}
	}
}

// A connect whose time is over may have come to an end that nobody has noticed.
func TestOverdue(t *testing.T) {
	for name, test := range map[string]struct {
		addr   netip.AddrPort
		begun  bool
		done   bool
		number syscall.Errno
	}{
		"answered":  {listen(t).Addr().(*net.TCPAddr).AddrPort(), true, true, 0},
		"refused":   {closedPort(t), true, true, syscall.ECONNREFUSED},
		"silent":    {full(t), true, false, 0},
		"not begun": {listen(t).Addr().(*net.TCPAddr).AddrPort(), false, false, 0},
	} {
		fd, err := open(test.addr)
		if err != nil {
			t.Fatal(err)
		}
		s := &socket{file: os.NewFile(uintptr(fd), "tcp"), remote: test.addr}
		defer s.Close()
		var a attempt
		if test.begun && a.proceed(fd, test.addr) {
			t.Fatalf("%s: the connect came to its end at once", name)
		}
		done := s.overdue(&a)
		for end := time.Now().Add(5 * time.Second); test.done && !done && time.Now().Before(end); time.Sleep(time.Millisecond) {
			done = s.overdue(&a)
		}
		if done != test.done || a.number != test.number {
			t.Errorf("%s: overdue() = %t, %v; want %t, %v", name, done, a.number, test.done, test.number)
		}
	}
}

// To look at a connect that is under way costs nothing.
func TestOutcomeAllocatesNothing(t *testing.T) {
	if bubble.Race {
		t.Skip("the race detector allocates by itself")
	}
	s, _ := linked(t)
	raw, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		emulator.Skip(t, emulator.QEMU, "no more than four bytes of TCP_INFO")
		if n := testing.AllocsPerRun(10, func() { outcome(int(fd)) }); n > 0 {
			t.Errorf("outcome() allocates %v times; want 0", n)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// A socket hears what ICMP says until its connect has come to an end.
func TestSocketHearsICMP(t *testing.T) {
	for _, test := range []struct {
		host          string
		level, option int
	}{
		{"127.0.0.1", syscall.IPPROTO_IP, syscall.IP_RECVERR},
		{"::1", syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR},
	} {
		l, err := net.Listen("tcp", net.JoinHostPort(test.host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		fd, err := open(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		hears := func(want int) {
			if got, err := syscall.GetsockoptInt(fd, test.level, test.option); err != nil || got != want {
				t.Errorf("the option by which a socket for %v hears what ICMP says is %d, %v; want %d", addr, got, err, want)
			}
		}
		hears(1)
		var a attempt
		for end := time.Now().Add(5 * time.Second); !a.proceed(fd, addr) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		hears(0)
	}
}
