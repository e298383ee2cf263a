//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A floor makes checks with as little as there can be: one loop, no goroutine
// per connection, no URL, no header map, six system calls a check. What it
// costs is the kernel's share, which every other contestant pays too.
type floor struct {
	tally
	job     *job
	poll    *poller
	next    int // the target that is begun next
	running int
	conns   []try // by descriptor
	ends    fifo
	addr    unix.SockaddrInet4 // of the connection that is being opened
	buf     []byte             // the request or response at hand
}

// A try is one connection.
type try struct {
	target int
	gen    uint32
	sent   bool
}

func runFloor(_ context.Context, j *job) (tally, error) {
	poll, err := newPoller()
	if err != nil {
		return tally{}, err
	}
	f := &floor{job: j, poll: poll, buf: make([]byte, 4096)}
	defer unix.Close(poll.fd)
	err = f.run()
	return f.tally, err
}

// run makes all checks.
func (f *floor) run() error {
	for {
		for f.running < f.job.width() && f.next < f.job.Checks {
			if err := f.begin(f.next); err != nil {
				return err
			}
			f.next++
		}
		if f.running == 0 {
			return nil
		}
		events, err := f.poll.wait(f.ends.next())
		if err != nil {
			return err
		}
		for _, e := range events {
			f.advance(int(e.Fd), e.Events)
		}
		f.expire()
	}
}

// begin opens a connection.
func (f *floor) begin(target int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	for fd >= len(f.conns) {
		f.conns = append(f.conns, try{})
	}
	c := &f.conns[fd]
	c.target, c.sent = target, false
	f.running++
	at := f.job.addr(target)
	f.addr.Addr, f.addr.Port = at.Addr().As4(), int(at.Port())
	if err := unix.Connect(fd, &f.addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return f.end(fd, err)
	}
	f.ends = append(f.ends, due{fd, c.gen, time.Now().Add(f.job.Timeout)})
	return f.poll.add(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP)
}

// advance does what fd has become ready for.
func (f *floor) advance(fd int, events uint32) {
	c := &f.conns[fd]
	if !c.sent && events&unix.EPOLLOUT != 0 {
		c.sent = true
		if _, err := unix.Write(fd, f.request(c.target)); err != nil {
			f.end(fd, err)
			return
		}
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return
	}
	n, err := unix.Read(fd, f.buf[:cap(f.buf)])
	switch {
	case errors.Is(err, unix.EAGAIN):
	case err != nil:
		f.end(fd, err)
	case !bytes.HasPrefix(f.buf[:n], []byte("HTTP/1.1 200 ")):
		f.end(fd, fmt.Errorf("no answer: %q", f.buf[:n]))
	default:
		f.end(fd, nil)
	}
}

// request returns what is sent to a target.
func (f *floor) request(target int) []byte {
	b := f.buf[:0]
	b = append(b, "HEAD /"...)
	if f.job.Kind == paths {
		b = strconv.AppendInt(b, int64(target), 10)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = f.job.addr(target).AppendTo(b)
	return append(b, "\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n"...)
}

// expire ends what has taken too long.
func (f *floor) expire() {
	now := time.Now()
	over := func(d due) bool { return f.conns[d.fd].gen != d.gen }
	for {
		d, ok := f.ends.pop(now, over)
		if !ok {
			return
		}
		if !over(d) {
			f.end(d.fd, unix.ETIMEDOUT)
		}
	}
}

// end closes a connection and counts the verdict.
func (f *floor) end(fd int, err error) error {
	f.conns[fd].gen++
	f.running--
	if err == nil {
		f.online++
	} else if f.failed == nil {
		f.failed = err
	}
	return unix.Close(fd)
}
