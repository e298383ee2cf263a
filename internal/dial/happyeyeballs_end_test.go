package dial

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// In whichever order the answers come, a family that timed out is never taken for
// a name that does not exist.
func TestNeverNotFoundByTimeout(t *testing.T) {
	for i := range 1000 {
		bubble.Test(t, func(t *testing.T) {
			z := zone{"ip4 h.test": {after: time.Second, err: errSilent}, "ip6 h.test": {after: time.Second, err: notFound}}
			if i%2 == 1 {
				z["ip4 h.test"], z["ip6 h.test"] = z["ip6 h.test"], z["ip4 h.test"]
			}
			_, _, err := newDialer(z, new(network)).Dial(t.Context(), "h.test", 80, false)
			if got := kind(err); got != "lookup" {
				t.Fatalf("repeat %d: Dial error = %v, of kind %q; want %q", i, err, got, "lookup")
			}
		})
	}
}

// An answer that comes at the very end is an answer that came too late.
func TestAnswerAtTheEnd(t *testing.T) {
	for i := range 1000 {
		bubble.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			z := zone{"ip4 h.test": one4.in(time.Second), "ip6 h.test": one6.in(time.Second)}
			_, _, err := newDialer(z, new(network)).Dial(ctx, "h.test", 80, false)
			all, many := errors.AsType[*AddrsError](err)
			if many && len(all.Errs) == 0 {
				t.Fatalf("repeat %d: Dial error = %#v; want one that says something", i, err)
			}
		})
	}
}

// Neither is a connection that stands at the very end left open, nor an error without a word.
func TestConnectionAtTheEnd(t *testing.T) {
	for i := range 1000 {
		bubble.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			n := &network{replies: map[string]reply{a1: {after: time.Second}, a2: {after: 750 * ms}}}
			c, _, err := newDialer(zone{"ip4 h.test": both4}, n).Dial(ctx, "h.test", 80, false)
			if err == nil {
				c.Close()
			}
			if many, ok := errors.AsType[*AddrsError](err); ok && slices.Contains(many.Errs, nil) {
				t.Fatalf("repeat %d: Dial error = %v; want errors that say something", i, many.Errs)
			}
			synctest.Wait()
			if _, open := n.log(); open != 0 {
				t.Fatalf("repeat %d: %d connections are open in the end; want 0", i, open)
			}
		})
	}
}

// Where this machine has no way to a family, its answer is waited for only as long as there
// has been nothing else to try.
func TestWithoutRoute(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ip4, ip6 reply
		peer     string
		kind     string
		after    time.Duration
	}{
		{"nothing else", reply{err: notFound}, one6.in(80 * ms), b1, "", 80 * ms},
		{"another was refused", one4, hang, "", "lookup, several, refused", resolutionDelay},
		{"another stands", one4, hang, a1, "", resolutionDelay},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := &network{replies: map[string]reply{}}
				if tt.peer == "" {
					n.replies[a1] = refused
				}
				e := newHappyEyeballs(newDialer(zone{"ip4 h.test": tt.ip4, "ip6 h.test": tt.ip6}, n), "h.test", 80, time.Now())
				e.routes[v6] = new(bool)
				c, err := e.run(t.Context(), false)
				check(t, c, err, tt.peer, tt.kind)
				if after := time.Since(n.began); after != tt.after || LookupFailed(err) {
					t.Errorf("Dial error = %v after %v, the lookup is to blame: %t; want it after %v", err, after, LookupFailed(err), tt.after)
				}
			})
		})
	}
}

// A caller's function may have a way that this machine has not.
func TestRouted(t *testing.T) {
	for i := range 2 {
		for _, d := range []Dialer{{}, {DialContext: new(net.Dialer).DialContext}} {
			want := d.DialContext != nil || hasAddress(i)
			if got := newHappyEyeballs(&d, "h.test", 80, time.Now()).routed(i); got != want {
				t.Errorf("routed(%d) = %t, by a caller's function: %t; want %t", i, got, d.DialContext != nil, want)
			}
		}
	}
}

// A connection that stands only after Dial has returned is closed.
func TestLateConnections(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		peer    string
		kind    string
	}{
		{"after another won", time.Minute, b2, ""},
		{"after the deadline", 1500 * ms, "", "refused, deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				// Connects that do not look at their context.
				deaf := func(d time.Duration) reply { return reply{}.doing(func() { time.Sleep(d) }) }
				n := &network{replies: map[string]reply{b1: deaf(5 * time.Second), a1: deaf(5 * time.Second), b2: {after: 1200 * ms}}}
				z := zone{"ip4 h.test": both4, "ip6 h.test": both6}
				n.replies[a2] = refused
				ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
				defer cancel()
				c, _, err := newDialer(z, n).Dial(ctx, "h.test", 80, false)
				check(t, c, err, tt.peer, tt.kind)
				time.Sleep(time.Minute)
				if _, open := n.log(); open != 0 {
					t.Errorf("%d connections are open in the end; want 0", open)
				}
			})
		})
	}
}

func TestDialCanceled(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name   string
		z      zone
		lookup bool
	}{
		{"in the lookup", zone{"ip4 h.test": hang, "ip6 h.test": hang}, true},
		{"in one lookup", zone{"ip6 h.test": hang}, true},
		{"in the Resolution Delay", zone{"ip4 h.test": one4.in(980 * ms), "ip6 h.test": hang}, true},
		{"in the only connect", zone{"ip4 h.test": one4}, false},
		{"in one of the connects", zone{"ip4 h.test": both4}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := &network{replies: map[string]reply{a1: hang, a2: hang}}
				d := newDialer(tt.z, n)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				_, _, err := d.Dial(ctx, "h.test", 80, false)
				if got := time.Since(n.began); got != time.Second {
					t.Errorf("Dial returned %v after it began; want 1s", got)
				}
				_, lookup := errors.AsType[*LookupError](err)
				if lookup != tt.lookup || !errors.Is(err, cause) && !errors.Is(err, context.Canceled) {
					t.Errorf("Dial error = %v; want the cause, a LookupError: %t", err, tt.lookup)
				}
			})
		})
	}
}

// Hooks that panic or end their goroutine do no harm but to their own check.
func TestHooksThatEnd(t *testing.T) {
	boom := func() { panic("boom") }
	for _, tt := range []struct {
		name string
		z    zone
		net  map[string]reply
		peer string
		kind string
	}{
		{"resolver panics", zone{"ip4 h.test": one4.doing(boom), "ip6 h.test": one6.doing(boom)}, nil, "", "lookup, panic"},
		{"resolver panics in one family", zone{"ip4 h.test": one4.doing(boom)}, nil, "", "lookup, panic"},
		{"resolver panics beside addresses", zone{"ip4 h.test": one4, "ip6 h.test": one6.doing(boom)}, nil, a1, ""},
		{"resolver exits", zone{"ip4 h.test": one4.doing(runtime.Goexit), "ip6 h.test": one6.doing(runtime.Goexit)}, nil, "", "lookup, panic"},
		{"resolver exits in one family", zone{"ip6 h.test": one6.doing(runtime.Goexit)}, nil, "", "lookup, panic"},
		{"resolver exits beside addresses", zone{"ip4 h.test": one4, "ip6 h.test": one6.doing(runtime.Goexit)}, nil, a1, ""},
		{"dial panics", zone{"ip4 h.test": one4}, map[string]reply{a1: {do: boom}}, "", "panic"},
		{"both dials panic", zone{"ip4 h.test": both4}, map[string]reply{a1: {do: boom}, a2: {do: boom}}, "", "several, panic"},
		{"one dial panics", zone{"ip4 h.test": both4}, map[string]reply{a1: {do: boom}}, a2, ""},
		{"both dials exit", zone{"ip4 h.test": both4}, map[string]reply{a1: {do: runtime.Goexit}, a2: {do: runtime.Goexit}}, "", "several, panic"},
		{"one dial exits", zone{"ip4 h.test": both4}, map[string]reply{a1: {do: runtime.Goexit}}, a2, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c, _, err := newDialer(tt.z, &network{replies: tt.net}).Dial(t.Context(), "h.test", 80, false)
				check(t, c, err, tt.peer, tt.kind)
			})
		})
	}
}

// A dial function that ends the goroutine of its caller leaves nothing behind.
func TestOnlyDialExits(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		d := newDialer(zone{"ip4 h.test": one4}, &network{replies: map[string]reply{a1: {do: runtime.Goexit}}})
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Dial(t.Context(), "h.test", 80, false)
		}()
		<-done
		synctest.Wait()
		if n := len(d.Lookups.flights); n != 0 {
			t.Errorf("%d lookups are left; want 0", n)
		}
	})
}
