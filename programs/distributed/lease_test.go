package main

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

const wait = 30 * time.Second

// A lease lives for as long as heartbeats are confirmed.
func TestLeaseHolds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		beats := 0
		ctx, l, err := hold(t.Context(), wait, func(context.Context) error { beats++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*wait + time.Second)
		if ctx.Err() != nil || l.check() != nil {
			t.Errorf("after %v the lease has ended: %v", 10*wait, context.Cause(ctx))
		}
		if beats != 31 {
			t.Errorf("%d heartbeats in 10 AckWaits; want 31", beats)
		}
		l.release()
		if ctx.Err() == nil {
			t.Error("the context of a released lease is alive")
		}
	})
}

// Once heartbeats are not confirmed, a lease ends two thirds of AckWait after
// the last that was, and does not come back.
func TestLeaseEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		ctx, l, err := hold(t.Context(), wait, func(ctx context.Context) error {
			if dead.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.release()
		dead.Store(true)
		time.Sleep(20 * time.Second)
		if err := l.allow(netip.AddrPort{}); err != nil {
			t.Errorf("after 20 s: %v; want nil", err)
		}
		time.Sleep(time.Millisecond)
		if err := l.allow(netip.AddrPort{}); !errors.Is(err, errFenced) {
			t.Errorf("after 20.001 s: %v; want %v", err, errFenced)
		}
		if !errors.Is(context.Cause(ctx), errFenced) {
			t.Errorf("the context's cause = %v; want %v", context.Cause(ctx), errFenced)
		}
		dead.Store(false)
		time.Sleep(wait)
		if err := l.check(); !errors.Is(err, errFenced) {
			t.Errorf("a lease came back: %v", err)
		}
	})
}

// The context ends without anybody asking, for a request that is under way.
func TestLeaseCancels(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		ctx, l, err := hold(t.Context(), wait, func(context.Context) error {
			if dead.Load() {
				return errors.New("no answer")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.release()
		dead.Store(true)
		began := time.Now()
		<-ctx.Done()
		if got := time.Since(began); got < 20*time.Second || got > 22*time.Second+500*time.Millisecond {
			t.Errorf("the context ended after %v; want 20 s to 22.5 s", got)
		}
	})
}

// A heartbeat that was sent in time and confirmed too late renews nothing.
func TestLeaseLateConfirmation(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := &lease{fence: 20 * time.Second, cancel: func(error) {}, sent: time.Now()}
		err := l.beat(t.Context(), time.Minute, func(context.Context) error {
			time.Sleep(21 * time.Second) // the process was stopped
			return nil
		})
		if !errors.Is(err, errFenced) || !errors.Is(l.check(), errFenced) {
			t.Errorf("beat = %v, check = %v; want %v for both", err, l.check(), errFenced)
		}
	})
}

// The end of the connection ends a lease at once.
func TestLeaseDisconnected(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s session
		s.begin(t.Context())
		ctx, l, err := hold(s.current(), wait, func(context.Context) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		defer l.release()
		s.begin(t.Context())
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), errDisconnected) || l.check() == nil {
			t.Errorf("cause = %v, check = %v; want the lease to have ended", context.Cause(ctx), l.check())
		}
	})
}

// Without a first heartbeat there is no lease.
func TestLeaseNeedsHeartbeat(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		ctx, _, err := hold(t.Context(), wait, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == nil {
			t.Errorf("hold = %v, context %v; want a timeout and an ended context", err, ctx.Err())
		}
	})
}
