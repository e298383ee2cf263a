package main

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"example.com/checker"
)

// errFenced is why a worker drops a chunk: it may be another's by now.
var errFenced = errors.New("the lease has ended")

// A lease is a worker's right to a chunk. The server hands a chunk to another
// worker once it has heard nothing of it for AckWait, but it tells nobody: it
// confirms heartbeats and takes acknowledgements of a lease that has ended as
// of one that lives. So the worker looks at its own clock. A lease has ended
// when the last confirmed heartbeat was sent two thirds of AckWait ago; counted
// from the sending, since the server counts from the receipt, which is later.
//
// A lease that has ended stays so, even if a heartbeat is confirmed after all.
// It also ends when the connection does: a server writes down who holds what
// a tenth of a second late, and one that is killed forgets.
type lease struct {
	fence  time.Duration
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	sent  time.Time // when the last confirmed heartbeat was sent
	ended bool
	wg    sync.WaitGroup
}

// hold begins a lease with a heartbeat and goes on with one every third of
// wait. The context that it returns ends with the lease; release ends both.
//
// There is nothing to be done before the first heartbeat is confirmed, other than
// to hand the chunk back. Until then the server's record, which it reads when it
// starts again and which other servers have, is not of the delivery but of when
// the chunk was published.
func hold(ctx context.Context, wait time.Duration, beat func(context.Context) error) (context.Context, *lease, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &lease{fence: wait / 3 * 2, cancel: cancel, sent: time.Now()}
	if err := l.beat(ctx, wait/6, beat); err != nil {
		cancel(err)
		return ctx, l, err
	}
	l.wg.Go(func() { l.keep(ctx, wait/3, beat) })
	return ctx, l, nil
}

// release ends the lease and waits for its goroutine.
func (l *lease) release() {
	l.cancel(errFenced)
	l.wg.Wait()
}

// keep sends heartbeats until the lease ends, and more often while they fail.
// It notices an end within a twelfth of AckWait; check does at once.
func (l *lease) keep(ctx context.Context, every time.Duration, beat func(context.Context) error) {
	next := every
	for pause(ctx, next) && l.check() == nil {
		next = every
		if l.beat(ctx, every/2, beat) != nil {
			next = every / 10
		}
	}
	if errors.Is(context.Cause(ctx), errDisconnected) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}
}

// beat sends one heartbeat.
func (l *lease) beat(ctx context.Context, timeout time.Duration, beat func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	sent := time.Now()
	if err := beat(ctx); err != nil {
		return err
	}
	if err := l.check(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = sent
	return nil
}

// check returns errFenced if the lease has ended. It reads the clock, for a
// timer of a process that was stopped goes off late; and both clocks, for the
// monotonic one may stand still while a machine sleeps.
func (l *lease) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.sent) > l.fence || now.Round(0).Sub(l.sent.Round(0)) > l.fence {
		l.ended = true
	}
	if l.ended {
		l.cancel(errFenced)
		return errFenced
	}
	return nil
}

// allow is an address policy: no connection is opened or used once the lease
// has ended. That the context ends with it would not be enough, since a process
// that wakes up may write before it gets to that.
func (l *lease) allow(netip.AddrPort) error { return l.check() }

// allowPublic is allow for lists from strangers.
func (l *lease) allowPublic(addr netip.AddrPort) error {
	return errors.Join(checker.PublicOnly(addr), l.check())
}
