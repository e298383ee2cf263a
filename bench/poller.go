//go:build linux

package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// A poller waits for events on descriptors. It is edge-triggered: each event is
// told once. It must not be used concurrently.
type poller struct {
	fd     int
	events [256]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return &poller{fd: fd}, err
}

// add watches fd until it is closed.
func (p *poller) add(fd int, events uint32) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events | unix.EPOLLET, Fd: int32(fd)})
}

// wait returns what has happened, nothing if nothing has until end. The zero
// time means to wait for as long as it takes.
func (p *poller) wait(end time.Time) ([]unix.EpollEvent, error) {
	ms := -1
	if !end.IsZero() {
		ms = max(0, int((time.Until(end)+time.Millisecond-1)/time.Millisecond))
	}
	n, err := unix.EpollWait(p.fd, p.events[:], ms)
	if errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	return p.events[:max(n, 0)], err
}

// A fifo holds connections that are due in the order in which they were put in.
type fifo []due

// A due is a connection and when something is to happen to it. gen tells it from
// later ones that have got the same descriptor.
type due struct {
	fd   int
	gen  uint32
	when time.Time
}

// next returns when the first is due, the zero time if there is none.
func (f fifo) next() time.Time {
	if len(f) == 0 {
		return time.Time{}
	}
	return f[0].when
}

// pop takes out the first if it is due by now or if stale says that it is over.
func (f *fifo) pop(now time.Time, stale func(due) bool) (d due, ok bool) {
	if len(*f) == 0 || (*f)[0].when.After(now) && !stale((*f)[0]) {
		return due{}, false
	}
	d, *f = (*f)[0], (*f)[1:]
	return d, true
}
