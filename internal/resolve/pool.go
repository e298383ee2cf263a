package resolve

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"example.com/checker/internal/errno"
)

const (
	maxAsked = 32               // questions that a socket is good for
	maxIdle  = 16               // sockets kept
	idleFor  = 10 * time.Second // and for how long, at most twice
)

// A socket is a UDP socket to one nameserver, connected, so that it reads from
// nobody else. It serves one lookup at a time.
type socket struct {
	conn   *net.UDPConn
	server netip.AddrPort
	wake   func() // ends a read that is under way
	round  uint64 // guarded by pool.mu; of the pool, when the socket was opened
	stale  bool   // guarded by pool.mu; kept since before the last sweep

	asked int // questions sent in its life
	open  int // questions sent that may yet be answered
	stop  func() bool
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
	s := &socket{conn: conn, server: server}
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

// A pool keeps sockets for the next lookup.
type pool struct {
	mu    sync.Mutex
	idle  []*socket
	round uint64 // sockets of earlier rounds are not kept
	timer *time.Timer
}

// get returns a socket to server that can take n questions, whether it is a used
// one or not. The end of ctx ends its reads.
func (p *pool) get(ctx context.Context, server netip.AddrPort, n int) (s *socket, used bool, err error) {
	if s = p.take(server, n); s == nil {
		p.mu.Lock()
		round := p.round
		p.mu.Unlock()
		s, err = dial(server)
		if errno.Scarce(err) && p.close() { // our own hoard may be what is lacking
			s, err = dial(server)
		}
		if err != nil {
			return nil, false, err
		}
		s.round = round
	}
	s.stop = context.AfterFunc(ctx, s.wake)
	return s, s.asked > 0, nil
}

// take takes the socket that was put back last: those at the front grow old and
// are swept away if there is too little to do for all.
func (p *pool) take(server netip.AddrPort, n int) *socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		if s := p.idle[i]; s.server == server && s.asked+n <= maxAsked {
			last := len(p.idle) - 1
			p.idle[i], p.idle[last] = p.idle[last], nil
			p.idle = p.idle[:last]
			return s
		}
	}
	return nil
}

// put takes a socket back. One on which an answer may yet come is closed: it
// would come to a stranger, who has to tell it from his own.
func (p *pool) put(s *socket) {
	if !s.stop() || s.open > 0 || s.asked >= maxAsked || !p.keep(s) {
		s.conn.Close()
	}
}

// keep keeps a socket, if there is room, until the sweep after the next one.
func (p *pool) keep(s *socket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.round != p.round || len(p.idle) >= maxIdle {
		return false
	}
	s.stale = false
	p.idle = append(p.idle, s)
	if p.timer == nil {
		p.timer = time.AfterFunc(idleFor, p.sweep)
	}
	return true
}

// sweep closes what nobody has used since the last sweep.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle[:0]
	for _, s := range p.idle {
		if s.stale {
			s.conn.Close()
			continue
		}
		s.stale = true
		kept = append(kept, s)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	if p.timer = nil; len(kept) > 0 {
		p.timer = time.AfterFunc(idleFor, p.sweep)
	}
}

// close closes what is idle now, and what is in use as soon as it is put back. It
// reports whether there was anything idle.
func (p *pool) close() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	for _, s := range p.idle {
		s.conn.Close()
	}
	p.idle = nil
	p.round++
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	return n > 0
}
