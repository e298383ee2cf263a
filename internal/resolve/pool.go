package resolve

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"example.com/checker/internal/errno"
)

const (
	maxAsked = 32               // questions that a socket is good for
	maxAge   = 10 * time.Second // for how long it is used, which leaves nobody long to find its port
	maxIdle  = 64               // sockets kept, which is as many as a hundred checks at once come to use
)

// A socket is a UDP socket to one nameserver, connected, so that it reads from
// nobody else. It serves one lookup at a time.
type socket struct {
	conn   *net.UDPConn
	server netip.AddrPort
	wake   func() // ends a read that is under way
	born   time.Time

	asked int         // questions sent in its life
	open  int         // questions sent that may yet be answered
	stop  func() bool // ends what wakes a read when a context ends
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// dial opens a socket. The system picks its port, at random where forgery is a
// concern to it.
func dial(server netip.AddrPort) (*socket, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	s := &socket{conn: conn, server: server, born: time.Now()}
	s.wake = func() { conn.SetReadDeadline(past) }
	return s, nil
}

// write sends a question.
func (s *socket) write(msg []byte) error {
	s.asked++
	s.open++
	_, err := s.conn.Write(msg)
	return err
}

// read reads a datagram. The end of ctx ends it, since it is looked at after the
// deadline is set, and sets another one if it comes later.
func (s *socket) read(ctx context.Context, b []byte, until time.Time) (int, error) {
	s.conn.SetReadDeadline(until)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return s.conn.Read(b)
}

// A pool keeps sockets for the next lookup, while calls are open that may make one.
type pool struct {
	mu    sync.Mutex
	calls int       // guarded by mu
	idle  []*socket // guarded by mu; the last one was used last
}

func (p *pool) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
}

// end closes what is idle, if no call is left.
func (p *pool) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls--; p.calls == 0 {
		p.empty()
	}
}

// get returns a socket to server that can take n questions, whether it is a used
// one or not. The end of ctx ends its reads.
func (p *pool) get(ctx context.Context, server netip.AddrPort, n int) (s *socket, used bool, err error) {
	if s = p.take(server, n); s == nil {
		s, err = dial(server)
		if errno.Scarce(err) && p.giveUp() { // our own hoard may be what is lacking
			s, err = dial(server)
		}
		if err != nil {
			return nil, false, err
		}
	}
	s.stop = context.AfterFunc(ctx, s.wake)
	return s, s.asked > 0, nil
}

// take takes the socket that was put back last and is good for n questions.
func (p *pool) take(server netip.AddrPort, n int) *socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		s := p.idle[i]
		if s.server != server {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		if s.asked+n <= maxAsked && time.Since(s.born) < maxAge {
			return s
		}
		s.conn.Close()
	}
	return nil
}

// put takes a socket back. One on which an answer may yet come is closed: it
// would come to a stranger, who has to tell it from his own.
func (p *pool) put(s *socket) {
	if !s.stop() || s.open > 0 || !p.keep(s) {
		s.conn.Close()
	}
}

// keep keeps a socket, if there is room and may be use for it.
func (p *pool) keep(s *socket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls == 0 || len(p.idle) == maxIdle {
		return false
	}
	p.idle = append(p.idle, s)
	return true
}

// giveUp closes what is idle, and reports whether there was anything.
func (p *pool) giveUp() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.empty() > 0
}

// empty closes what is idle, and returns how much that was. The caller holds p.mu.
func (p *pool) empty() int {
	n := len(p.idle)
	for _, s := range p.idle {
		s.conn.Close()
	}
	clear(p.idle)
	p.idle = p.idle[:0]
	return n
}
