package hostile

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// FullBacklog returns an address on loopback at which connects hang: it is
// listened on, nobody accepts, and the queue is full.
func FullBacklog(tb TB) netip.AddrPort {
	tb.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatalf("socket: %v", err)
	}
	tb.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		tb.Fatalf("bind: %v", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		tb.Fatalf("listen: %v", err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		tb.Fatalf("getsockname: %v", err)
	}
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*syscall.SockaddrInet4).Port))
	for range 16 {
		ctx, cancel := context.WithTimeout(tb.Context(), 200*time.Millisecond)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr.String())
		cancel()
		if err != nil {
			return addr
		}
		tb.Cleanup(func() { conn.Close() })
	}
	tb.Fatalf("the queue of %v does not fill up", addr)
	return addr
}
