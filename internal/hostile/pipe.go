package hostile

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxBuffered is how much an end of a pipe may write ahead of the other's
// reads, as a socket's buffer lets it.
const maxBuffered = 256 << 10

// pipe returns the two ends of a connection. Unlike net.Pipe's, writes do not
// wait for reads, an end can be reset, and the ends have TCP addresses.
func (n *Net) pipe(addr string) (here, there net.Conn) {
	var mu sync.Mutex
	a, b := newStream(&mu), newStream(&mu)
	local, remote := tcpAddr("192.0.2.1:40000"), tcpAddr(addr)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	closed := func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.open--
	}
	return &end{in: a, out: b, local: local, remote: remote, closed: closed},
		&end{in: b, out: a, local: remote, remote: local, closed: func() {}}
}

// A stream is one direction of a connection.
type stream struct {
	mu    *sync.Mutex // of both directions
	cond  sync.Cond
	buf   []byte
	eof   bool  // the writer has closed
	err   error // the connection is broken
	read  deadline
	write deadline
}

func newStream(mu *sync.Mutex) *stream {
	s := &stream{mu: mu}
	s.cond.L = mu
	return s
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set must be called with the stream's lock held.
func (d *deadline) set(s *stream, at time.Time) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.cond.Broadcast()
		})
	}
	s.cond.Broadcast()
}

// An end is one end of a connection.
type end struct {
	in, out       *stream
	local, remote net.Addr
	once          sync.Once
	closed        func()
	shut          bool
	linger        bool // Close resets
}

func (e *end) Read(p []byte) (int, error) {
	s := e.in
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case e.shut:
			return 0, net.ErrClosed
		case s.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.cond.Broadcast()
			return n, nil
		case s.err != nil:
			return 0, &net.OpError{Op: "read", Net: "tcp", Addr: e.remote, Err: s.err}
		case s.eof:
			return 0, io.EOF
		}
		s.cond.Wait()
	}
}

func (e *end) Write(p []byte) (n int, err error) {
	s := e.out
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) {
		switch {
		case e.shut:
			return n, net.ErrClosed
		case s.write.passed():
			return n, os.ErrDeadlineExceeded
		case s.err != nil:
			return n, &net.OpError{Op: "write", Net: "tcp", Addr: e.remote, Err: s.err}
		case len(s.buf) < maxBuffered:
			m := min(len(p)-n, maxBuffered-len(s.buf))
			s.buf = append(s.buf, p[n:n+m]...)
			n += m
			s.cond.Broadcast()
			continue
		}
		s.cond.Wait()
	}
	return n, nil
}

// Close closes the connection. As with TCP, the peer of an end that has not
// read everything sees a reset once it has read what was sent to it.
func (e *end) Close() error {
	e.once.Do(func() {
		e.in.mu.Lock()
		defer e.in.mu.Unlock()
		e.shut = true
		e.out.eof = true
		if e.linger || len(e.in.buf) > 0 {
			e.out.err = syscall.ECONNRESET
		}
		e.in.err = syscall.EPIPE
		e.in.read.set(e.in, time.Time{})
		e.out.write.set(e.out, time.Time{})
		e.in.cond.Broadcast()
		e.out.cond.Broadcast()
		e.closed()
	})
	return nil
}

// SetLinger makes Close reset the connection, as that of a *net.TCPConn does
// with 0.
func (e *end) SetLinger(sec int) error {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	e.linger = sec == 0
	return nil
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

func (e *end) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	e.in.read.set(e.in, t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	e.out.write.set(e.out, t)
	return nil
}
