package wire

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
)

// A socket is the connection below TLS. What has come is read from it even once the
// timeout is over, since this process may not have got to run before: it was stopped,
// or starved of CPU, while the answer lay there.
type socket struct {
	net.Conn
	over atomic.Int32 // 1 plus how late the end of the timeout was noticed, in milliseconds; 0 before
	late int32        // bytes that were read since; the reader's

	// 1 plus how many nanoseconds the peer had been idle when it was over and there was
	// something to read, or a message of the handshake to write; 0 if there was not.
	turn    atomic.Int64
	heard   atomic.Pointer[time.Time] // when the peer had last sent something, as of the first read of nothing when it was over
	shaking bool                      // the handshake of TLS is under way
	closed  atomic.Bool
}

const (
	idleDelay = 20                   // ms within which an idle machine notices the end of a timeout
	maxEmpty  = 100                  // reads of nothing, of which crypto/tls would make more for ever
	lateRead  = 5 * time.Millisecond // how long a connection is read then that knows no way not to wait
)

// ErrTimeout is the cause of the end of a context whose time is over, to tell it from an
// end that somebody wants, after which nothing counts.
var ErrTimeout error = &timeoutError{}

type timeoutError struct{}

func (*timeoutError) Error() string { return "the check's timeout has passed" }
func (*timeoutError) Timeout() bool { return true }

// kernels reports whether the kernel keeps the connection, whose methods do what they are
// to do.
func (s *socket) kernels() bool {
	_, ok := s.Conn.(syscall.Conn)
	return ok
}

// timeOut notes that the end of the timeout was noticed so late.
func (s *socket) timeOut(late time.Duration) {
	s.over.Store(1 + int32(min(max(0, late.Milliseconds()), math.MaxInt32-1)))
}

// Read implements [net.Conn]. When the timeout is over it does not wait, and what a
// peer goes on sending ends then too.
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	for tries := 0; n == 0 && err == nil && len(b) > 0; tries++ {
		if tries == maxEmpty {
			return 0, &hook.Error{Err: io.ErrNoProgress}
		}
		n, err = s.Conn.Read(b)
	}
	over := s.over.Load()
	if n > 0 || over == 0 || s.late >= MaxHead || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	idle := dial.SinceReceived(s.Conn)
	heard := time.Now().Add(-idle)
	n, ok, late := readNow(s.Conn, b)
	if !ok && over > idleDelay {
		n, late = s.readSoon(b)
	}
	if s.late += int32(n); n > 0 {
		s.hadTurn(idle)
	} else {
		s.heard.CompareAndSwap(nil, &heard)
	}
	if n > 0 || late == io.EOF {
		return n, late
	}
	return 0, err
}

// Write implements [net.Conn]. The messages of a handshake always fit into the buffer of
// a socket, so nobody else was waited for. What HTTP/2 writes need not: a peer may send
// what calls for answers and read none, and it is written to once more in the end.
func (s *socket) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if s.shaking && s.over.Load() != 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		s.hadTurn(dial.SinceReceived(s.Conn))
	}
	if n < len(b) && err == nil {
		err = &hook.Error{Err: io.ErrShortWrite}
	}
	return n, err
}

// Close implements [net.Conn]. It closes the connection once.
func (s *socket) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.Conn.Close()
}

// hadTurn notes that it was this side's turn, and for how long the peer had been idle. The
// first time counts: what is read late may be answered late.
func (s *socket) hadTurn(idle time.Duration) { s.turn.CompareAndSwap(0, 1+int64(idle)) }

// readSoon reads what is there by a deadline of its own.
func (s *socket) readSoon(b []byte) (n int, err error) {
	defer hook.Recovered(&err)
	if err := s.SetReadDeadline(time.Now().Add(lateRead)); err != nil {
		return 0, err
	}
	n, err = s.Conn.Read(b)
	_ = s.SetReadDeadline(longAgo)
	return n, err
}
