package dial

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"example.com/checker/internal/emulator"
)

// linked returns a connection of this package's own and its other end.
func linked(t *testing.T) (*socket, *net.TCPConn) {
	t.Helper()
	l := listen(t)
	c, err := connectTo(t.Context(), l.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); other.Close() })
	return c.(*socket), other.(*net.TCPConn)
}

// A socket fails as a connection of package net does, in type and value.
func TestSocketErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		breaks func(s *socket, other *net.TCPConn)
		want   error
	}{
		{"the end", func(_ *socket, other *net.TCPConn) { other.Close() }, io.EOF},
		{"a reset", func(_ *socket, other *net.TCPConn) { other.SetLinger(0); other.Close() }, syscall.ECONNRESET},
		{"a deadline", func(s *socket, _ *net.TCPConn) { s.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"closed", func(s *socket, _ *net.TCPConn) { s.Close() }, net.ErrClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, other := linked(t)
			test.breaks(s, other)
			_, err := s.Read(make([]byte, 1))
			if !errors.Is(err, test.want) {
				t.Errorf("Read error = %v; want %v", err, test.want)
			}
			if op, ok := err.(*net.OpError); err != io.EOF && (!ok || op.Op != "read" || op.Net != "tcp") {
				t.Errorf("Read error is %#v; want a *net.OpError of a read", err)
			}
			if test.want == os.ErrDeadlineExceeded && !err.(net.Error).Timeout() {
				t.Errorf("Read error %v has Timeout() = false; want true", err)
			}
		})
	}
}

func TestSocketDeadlineClosed(t *testing.T) {
	s, _ := linked(t)
	s.Close()
	if err := s.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("SetDeadline() after Close = %v; want %v", err, net.ErrClosed)
	}
}

func TestSocketAddrs(t *testing.T) {
	s, other := linked(t)
	if got, want := s.LocalAddr().String(), other.RemoteAddr().String(); got != want {
		t.Errorf("LocalAddr() = %s; want %s", got, want)
	}
	if got, want := s.RemoteAddr().String(), other.LocalAddr().String(); got != want {
		t.Errorf("RemoteAddr() = %s; want %s", got, want)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if b := make([]byte, 1); mustRead(t, other, b) != "x" {
		t.Errorf("the other end read %q; want %q", b, "x")
	}
}

func mustRead(t *testing.T, r io.Reader, b []byte) string {
	t.Helper()
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// full returns a port that answers no connect: its queue holds what it can.
func full(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*syscall.SockaddrInet4).Port))
	for range 3 {
		if c, err := net.DialTimeout("tcp", addr.String(), 50*time.Millisecond); err == nil {
			t.Cleanup(func() { c.Close() })
		}
	}
	return addr
}

// A connect ends with its context, and the error says how that ended.
func TestConnectEnds(t *testing.T) {
	addr := full(t)
	canceled, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	late, cancel2 := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel2()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, late: os.ErrDeadlineExceeded} {
		start := time.Now()
		_, err := connectTo(ctx, addr)
		if took := time.Since(start); !errors.Is(err, want) || took > 5*time.Second {
			t.Errorf("connectTo(%v) error = %v after %v; want %v at once", addr, err, took, want)
		}
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
		time.Sleep(50 * time.Millisecond) // until it has come to its end, if it does
		if done, number := outcomeByPeer(fd); done != test.done || number != test.number {
			t.Errorf("%s: outcomeByPeer() = %t, %v; want %t, %v", name, done, number, test.done, test.number)
		}
	}
}

const closedEnv = "CHECKER_DIAL_CLOSED" // an address to connect to, with standard output closed

// A socket is never a standard descriptor, though those may be closed: package os ends the
// process by SIGPIPE where it writes to such a one whose peer is gone.
func TestSocketIsNoStandardDescriptor(t *testing.T) {
	if text := os.Getenv(closedEnv); text != "" {
		syscall.Close(1)
		c, err := connectTo(t.Context(), netip.MustParseAddrPort(text))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.(*socket).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			if fd <= 2 {
				os.Exit(1)
			}
		}); err != nil {
			t.Fatal(err)
		}
		os.Exit(0)
	}
	emulator.Skip(t, emulator.QEMU, "the kernel runs no program of this machine by itself")
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), closedEnv+"="+listen(t).Addr().String())
	if err := cmd.Run(); err != nil {
		t.Errorf("with standard output closed a socket is a standard descriptor: %v", err)
	}
}

// extendedErr is what the kernel says with "host unreachable" from 198.18.0.1.
func extendedErr() []byte {
	const n = lenExtendedErr + syscall.SizeofSockaddrInet4
	b := make([]byte, syscall.CmsgSpace(n))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&b[0])) // its lengths are the machine's
	h.Level, h.Type = syscall.IPPROTO_IP, syscall.IP_RECVERR
	h.SetLen(syscall.CmsgLen(n))
	m := b[syscall.CmsgLen(0):]
	binary.NativeEndian.PutUint32(m, uint32(syscall.EHOSTUNREACH))
	copy(m[4:], "\x02\x03\x01") // by ICMP, type, code
	binary.NativeEndian.PutUint16(m[lenExtendedErr:], syscall.AF_INET)
	copy(m[lenExtendedErr+4:], "\xc6\x12\x00\x01")
	return b
}

func FuzzExtendedErr(f *testing.F) {
	f.Add(extendedErr())
	f.Fuzz(func(t *testing.T, control []byte) {
		m := parseExtendedErr(control)
		if icmpText(m.ipv6, m.typ, m.code) == "" {
			t.Errorf("icmpText(%t, %d, %d) = %q; want words", m.ipv6, m.typ, m.code, "")
		}
	})
}

func TestExtendedErr(t *testing.T) {
	m := parseExtendedErr(extendedErr())
	want := icmpMessage{by: netip.MustParseAddr("198.18.0.1"), typ: 3, code: 1, errno: syscall.EHOSTUNREACH}
	if m != want {
		t.Errorf("parseExtendedErr() = %+v; want %+v", m, want)
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte("\x08\x00\x04\x00\x02\x00\x00\x00\x08\x00\x05\x00\xc6\x12\x00\x01"))
	f.Fuzz(func(t *testing.T, m []byte) {
		n := 0
		for a := range attributes(m, 0) {
			n += 4 + len(a.value)
		}
		if n > len(m) {
			t.Errorf("attributes(%x) has %d bytes; want at most %d", m, n, len(m))
		}
	})
}

// The way to a loopback address is itself, and it is not silent.
func TestNextHop(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		to := netip.MustParseAddr(addr)
		if h, err := nextHop(netip.AddrPort{}, netip.AddrPortFrom(to, 80)); err != nil || h.addr != to || h.silent {
			t.Errorf("nextHop(%s) = %+v, %v; want itself", addr, h, err)
		}
	}
}
