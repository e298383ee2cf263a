package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A socket is a TCP connection that this package opened. Package net would open it as
// well, but closes the socket of a connect that failed before anybody can ask the
// kernel who said so.
type socket struct {
	file   *os.File
	remote netip.AddrPort
}

// connectTo opens a TCP connection to addr.
func connectTo(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if addr.Addr().Zone() != "" {
		return connectByNet(ctx, addr) // it knows the names of interfaces
	}
	s := &socket{remote: addr}
	fd, err := open(addr)
	if err != nil {
		return nil, s.failed("dial", err)
	}
	s.file = os.NewFile(uintptr(fd), "tcp")
	if err := s.connect(ctx); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// open makes a socket that keeps what ICMP says of its connect.
func open(addr netip.AddrPort) (fd int, err error) {
	family, level, option := syscall.AF_INET, syscall.IPPROTO_IP, syscall.IP_RECVERR
	if addr.Addr().Is6() {
		family, level, option = syscall.AF_INET6, syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR
	}
	fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if fd <= 2 {
		if fd, err = higher(fd); err != nil {
			return 0, os.NewSyscallError("fcntl", err)
		}
	}
	// Where an option is not to be had, less is known or the answer is slower.
	_ = syscall.SetsockoptInt(fd, level, option, 1)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	return fd, nil
}

// higher returns a copy of a descriptor in place of it, above the standard ones, which
// this process may have closed. A write to one of those whose peer is gone is taken by
// package os for the end of a pipeline, and ends the process.
func higher(fd int) (int, error) {
	defer syscall.Close(fd)
	copied, _, number := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 3)
	if number != 0 {
		return 0, number
	}
	return int(copied), nil
}

// ignoreICMP makes the socket pass over ICMP again, as TCP does by itself once there is a
// connection: what a router says for a moment is no reason to give it up.
func ignoreICMP(fd int, addr netip.AddrPort) {
	if addr.Addr().Is6() {
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 0)
	} else {
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_RECVERR, 0)
	}
}

// connect connects the socket, which ctx may interrupt.
func (s *socket) connect(ctx context.Context) error {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return s.failed("dial", err)
	}
	if end, ok := ctx.Deadline(); ok {
		// It fails where the socket cannot be waited for, by a limit of this machine.
		if err := s.file.SetWriteDeadline(end); err != nil {
			return s.failed("dial", errors.Join(syscall.ENOMEM, err))
		}
	}
	begun := time.Now()
	stop := context.AfterFunc(ctx, func() { s.file.SetWriteDeadline(time.Unix(1, 0)) })
	var a attempt
	err = raw.Write(func(fd uintptr) bool { return a.proceed(int(fd), s.remote) })
	if !stop() && err == nil {
		err = os.ErrDeadlineExceeded
	}
	switch {
	case err != nil && ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return s.failed("dial", ctx.Err())
	case err != nil && !s.overdue(&a):
		return explainSilence(s.name(), s.remote, time.Since(begun), s.failed("dial", err))
	case err != nil && a.number == 0:
		return &TurnError{SinceReceived(s), s.failed("dial", err)}
	case a.number == 0:
		return s.file.SetWriteDeadline(time.Time{})
	}
	err = s.failed("dial", os.NewSyscallError("connect", a.number))
	switch {
	case !a.begun:
		return explainUnsent(ctx, s.remote, err)
	case a.number == syscall.ETIMEDOUT: // the kernel has given up, as its own settings say
		return explainSilence(s.name(), s.remote, time.Since(begun), err)
	}
	return a.message.explain(ctx, s.name(), s.remote, err)
}

// overdue reports whether a connect whose time is over has come to an end all the same,
// which this process may not have got to notice.
func (s *socket) overdue(a *attempt) (done bool) {
	if raw, err := s.file.SyscallConn(); err == nil && a.begun {
		_ = raw.Control(func(fd uintptr) { done = a.proceed(int(fd), s.remote) })
	}
	return done
}

// name returns the socket's own address.
func (s *socket) name() (name netip.AddrPort) {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return name
	}
	_ = raw.Control(func(fd uintptr) {
		local, _ := syscall.Getsockname(int(fd))
		switch a := local.(type) {
		case *syscall.SockaddrInet4:
			name = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
		case *syscall.SockaddrInet6:
			name = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
		}
	})
	return name
}

// failed returns err as package net would.
func (s *socket) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if e, ok := errors.AsType[*os.PathError](err); ok {
		err = e.Err
	}
	switch number, ok := err.(syscall.Errno); {
	case ok:
		err = os.NewSyscallError(op, number)
	case errors.Is(err, os.ErrClosed), op == "set" && !errors.Is(err, os.ErrNoDeadline): // a file has no error of its own for a late deadline
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "tcp", Addr: s.RemoteAddr(), Err: err}
}

// Read implements [net.Conn].
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.file.Read(b)
	return n, s.failed("read", err)
}

// Write implements [net.Conn].
func (s *socket) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	return n, s.failed("write", err)
}

// Close implements [net.Conn].
func (s *socket) Close() error { return s.failed("close", s.file.Close()) }

// LocalAddr implements [net.Conn].
func (s *socket) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(s.name()) }

// RemoteAddr implements [net.Conn].
func (s *socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.remote) }

// SetDeadline implements [net.Conn].
func (s *socket) SetDeadline(t time.Time) error { return s.failed("set", s.file.SetDeadline(t)) }

// SetReadDeadline implements [net.Conn].
func (s *socket) SetReadDeadline(t time.Time) error {
	return s.failed("set", s.file.SetReadDeadline(t))
}

// SetWriteDeadline implements [net.Conn].
func (s *socket) SetWriteDeadline(t time.Time) error {
	return s.failed("set", s.file.SetWriteDeadline(t))
}

// SyscallConn implements [syscall.Conn].
func (s *socket) SyscallConn() (syscall.RawConn, error) { return s.file.SyscallConn() }

// peer implements endpoints.
func (s *socket) peer() netip.AddrPort { return s.remote }

// toItself implements endpoints. The kernel gives no port to a connect that it would
// have to ask privileges for.
func (s *socket) toItself() bool { return s.remote.Port() >= 1024 && s.name() == s.remote }
