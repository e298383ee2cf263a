package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/hook"
)

// A lookup that lacks a descriptor tells so, although Go's resolver does not.
func TestTellScarcity(t *testing.T) {
	for _, tt := range []struct {
		name  string
		errno syscall.Errno
		want  bool
	}{
		{"scarce", syscall.EMFILE, true},
		{"another error", syscall.ECONNREFUSED, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tellScarcity(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: tt.errno}
			}})
			_, err := r.LookupNetIP(t.Context(), "ip4", "h.test.")
			if err == nil || errors.Is(err, tt.errno) != tt.want {
				t.Errorf("LookupNetIP error = %v; want one that wraps %v: %t", err, tt.errno, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		hook Hook
		want string
	}{
		{new(net.Resolver), "*resolve.scarcityResolver"},
		{(*net.Resolver)(nil), "*net.Resolver"},
		{hookFunc(nil), "resolve.hookFunc"},
	} {
		if got := fmt.Sprintf("%T", NewCustom(tt.hook).hook); got != tt.want {
			t.Errorf("NewCustom(%T) asks a %s; want a %s", tt.hook, got, tt.want)
		}
	}
}

// A caller's dial function that panics is no server that fails to answer.
func TestTellScarcityPanic(t *testing.T) {
	r := tellScarcity(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { panic("boom") }})
	_, err := r.LookupNetIP(t.Context(), "ip4", "h.test.")
	if _, ok := errors.AsType[*hook.PanicError](err); !ok {
		t.Errorf("LookupNetIP error = %v; want one that wraps a PanicError", err)
	}
}

// Lookups of one name at once ask on their own. A net.Resolver would join the
// second to the first, and leave it waiting for a question that the first may
// have given up on.
func TestTellScarcitySharesNothing(t *testing.T) {
	dialed := make(chan struct{})
	r := tellScarcity(&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case dialed <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for n := range 2 {
		wg.Go(func() { r.LookupNetIP(ctx, "ip4", "h.test.") })
		select {
		case <-dialed:
		case <-time.After(5 * time.Second):
			t.Fatalf("%d lookups at once opened %d sockets; want one each", n+1, n)
		}
	}
}
