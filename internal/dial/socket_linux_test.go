package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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

// A connect whose context has ended gives no connection, whoever comes first.
func TestConnectAfterTheEnd(t *testing.T) {
	addr := listen(t).Addr().(*net.TCPAddr).AddrPort()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if c, err := connectTo(ctx, addr); err == nil {
			c.Close()
			t.Fatal("connectTo() after the end of its context gives a connection")
		}
	}
}

const closedEnv = "CHECKER_DIAL_CLOSED" // an address to connect to, and a standard descriptor to close before

// A socket is never a standard descriptor, though those may be closed: package os ends the
// process by SIGPIPE where it writes to such a one whose peer is gone.
func TestSocketIsNoStandardDescriptor(t *testing.T) {
	if text := os.Getenv(closedEnv); text != "" {
		addr, number, _ := strings.Cut(text, " ")
		closed, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		syscall.Close(closed)
		c, err := connectTo(t.Context(), netip.MustParseAddrPort(addr))
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
	for closed := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%v %d", closedEnv, listen(t).Addr(), closed))
		if err := cmd.Run(); err != nil {
			t.Errorf("with descriptor %d closed a socket is a standard descriptor: %v", closed, err)
		}
	}
}

// A socket that is bound to what it connects to is its own peer.
func TestSocketToItself(t *testing.T) {
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 10, byte(rand.N(256)), byte(rand.N(256))}), 1024) // the least port that needs no privileges
	fd, err := open(addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{file: os.NewFile(uintptr(fd), "tcp"), remote: addr}
	defer s.Close()
	if err := errors.Join(
		syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}), // nothing lingers
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}),
	); err != nil {
		t.Fatal(err)
	}
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !s.toItself() {
		t.Errorf("a socket of %v that is connected to %v is none to itself", s.LocalAddr(), s.RemoteAddr())
	}
	if other, _ := linked(t); other.toItself() {
		t.Errorf("a socket of %v that is connected to %v is one to itself", other.LocalAddr(), other.RemoteAddr())
	}
}
