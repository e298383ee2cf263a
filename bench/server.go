//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

const (
	answerHead = "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
	answerBody = "ok"
)

// never is the delay of a server that does not answer.
const never = -1

// A server answers HTTP requests on some ports, after a delay that each has for
// itself. It is one loop over epoll: it shares the machine with what is
// measured, so it must be cheap.
type server struct {
	poll  *poller
	ports []*port
	doors map[int]*port // by listening descriptor
	conns []conn        // by descriptor
}

type port struct {
	number int
	delay  time.Duration
	held   fifo // requests that are answered later
}

type conn struct {
	port *port
	gen  uint32
	body bool // the request wants one
}

// newServer listens on a port for each delay.
func newServer(delays []time.Duration) (*server, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	s := &server{poll: poll, doors: make(map[int]*port)}
	for _, d := range delays {
		p := &port{delay: d}
		s.ports = append(s.ports, p)
		// The kernel bounds the backlog of a socket, and what does not fit is
		// tried again by the client's kernel after a second. Several sockets on
		// one port take in as many times more at once.
		for range 4 {
			if err := s.listen(p); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// listen opens a door to p, and chooses its number if it is the first.
func (s *server) listen(p *port) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	s.doors[fd] = p
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Port: p.number}),
		unix.Listen(fd, 1<<16),
		s.poll.add(fd, unix.EPOLLIN),
	)
	if err != nil || p.number != 0 {
		return err
	}
	self, err := unix.Getsockname(fd)
	if err == nil {
		p.number = self.(*unix.SockaddrInet4).Port
	}
	return err
}

// serve serves until something fails that must not.
func (s *server) serve() error {
	for {
		events, err := s.poll.wait(s.next())
		if err != nil {
			return fmt.Errorf("wait for events: %w", err)
		}
		for _, e := range events {
			fd := int(e.Fd)
			if p := s.doors[fd]; p != nil {
				err = s.accept(fd, p)
			} else {
				err = s.read(fd)
			}
			if err != nil {
				return err
			}
		}
		s.release()
	}
}

// next returns when the next answer is due.
func (s *server) next() (first time.Time) {
	for _, p := range s.ports {
		if when := p.held.next(); !when.IsZero() && (first.IsZero() || when.Before(first)) {
			first = when
		}
	}
	return first
}

// accept takes in all that knock.
func (s *server) accept(door int, p *port) error {
	for {
		fd, _, err := unix.Accept4(door, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("accept: %w", err)
		}
		for fd >= len(s.conns) {
			s.conns = append(s.conns, conn{})
		}
		s.conns[fd].port = p
		if err := s.poll.add(fd, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
			return err
		}
	}
}

// read reads a request. Requests here are small and come in one piece; what
// came before its end is not looked at.
func (s *server) read(fd int) error {
	var buf [2048]byte
	n, err := unix.Read(fd, buf[:])
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if n <= 0 {
		s.close(fd)
		return nil
	}
	if !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
		return nil
	}
	c := &s.conns[fd]
	c.body = !bytes.HasPrefix(buf[:n], []byte("HEAD "))
	switch delay := c.port.delay; {
	case delay == 0:
		s.answer(fd)
	case delay != never:
		c.port.held = append(c.port.held, due{fd, c.gen, time.Now().Add(delay)})
	}
	return nil
}

// release answers what is due.
func (s *server) release() {
	now := time.Now()
	stale := func(d due) bool { return s.conns[d.fd].gen != d.gen }
	for _, p := range s.ports {
		for {
			d, ok := p.held.pop(now, stale)
			if !ok {
				break
			}
			if !stale(d) {
				s.answer(d.fd)
			}
		}
	}
}

// answer answers and closes. A client that has gone gets nothing.
func (s *server) answer(fd int) {
	text := answerHead
	if s.conns[fd].body {
		text += answerBody
	}
	unix.Write(fd, []byte(text))
	s.close(fd)
}

func (s *server) close(fd int) {
	s.conns[fd].gen++
	unix.Close(fd)
}

// serveDelays is the process of the servers of HTTP. It reads their delays from
// in, tells their ports, and ends when in does.
func serveDelays(in io.Reader, tell func(any) error) error {
	var delays []time.Duration
	if err := readLine(in, &delays); err != nil {
		return err
	}
	s, err := newServer(delays)
	if err != nil {
		return err
	}
	var numbers []int
	for _, p := range s.ports {
		numbers = append(numbers, p.number)
	}
	if err := tell(numbers); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- s.serve() }()
	return untilEnd(in, failed)
}
