package hostile

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"sync"

	"example.com/checker/internal/emulator"
)

// A Handler serves one connection. Its caller closes the connection when it
// returns, and ends ctx, with the connection's deadline, when the test is over.
type Handler func(ctx context.Context, conn net.Conn)

// A Server runs a Handler behind a listener.
type Server struct {
	l        net.Listener
	mu       sync.Mutex
	accepted int
	open     map[net.Conn]bool
	closed   bool
	wg       sync.WaitGroup
}

// Serve listens on addr, such as "127.0.0.1:0", until the test is over.
func Serve(tb TB, addr string, h Handler) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		tb.Fatalf("listen on %s: %v", addr, err)
	}
	return ServeListener(tb, l, h)
}

// ServeListener is Serve on a listener of the caller's, which it closes.
func ServeListener(tb TB, l net.Listener, h Handler) *Server {
	s := &Server{l: l, open: make(map[net.Conn]bool)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	s.wg.Go(func() { s.accept(ctx, h) })
	tb.Cleanup(func() {
		cancel()
		s.close()
	})
	return s
}

func (s *Server) accept(ctx context.Context, h Handler) {
	for {
		conn, err := s.l.Accept()
		if err != nil {
			return
		}
		if !s.track(conn) {
			conn.Close()
			return
		}
		s.wg.Go(func() {
			defer s.drop(conn)
			h(ctx, conn)
		})
	}
}

func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	s.open[conn] = true
	return !s.closed
}

func (s *Server) drop(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// close ends the server and waits for its goroutines.
func (s *Server) close() {
	s.l.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() netip.AddrPort {
	ap := s.l.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Port returns the port that the server listens on.
func (s *Server) Port() uint16 { return s.Addr().Port() }

// URL returns "http://" and the address.
func (s *Server) URL() string { return "http://" + s.Addr().String() }

// URLS returns "https://" and the address.
func (s *Server) URLS() string { return "https://" + s.Addr().String() }

// Accepted returns how many connections have been accepted.
func (s *Server) Accepted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// ClosedPort returns an address that refuses connections: a connection from it
// is open for as long as the test runs, so nobody else takes it, nor listens.
func ClosedPort(tb TB) netip.AddrPort {
	tb.Helper()
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	tb.Cleanup(func() { peer.Close() })
	// With a LocalAddr the port is bound before connecting, and no other
	// connection may begin at it.
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	conn, err := d.DialContext(tb.Context(), "tcp", peer.Addr().String())
	if err != nil {
		tb.Fatalf("hold port: %v", err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.TCPAddr).AddrPort()
}

// ListenUDP listens on an address until it is closed.
func ListenUDP(tb TB, addr string) *net.UDPConn {
	tb.Helper()
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		emulator.Skip(tb, emulator.Wine, "no SIO_UDP_CONNRESET, which package net wants of every socket of UDP")
		tb.Fatalf("listen: %v", err)
	}
	return c.(*net.UDPConn)
}

// ReadHead reads a request up to its blank line.
func ReadHead(conn net.Conn) (string, error) {
	br := bufio.NewReaderSize(conn, 16<<10)
	head := ""
	for {
		line, err := br.ReadString('\n')
		head += line
		if err != nil || line == "\r\n" {
			return head, err
		}
	}
}
