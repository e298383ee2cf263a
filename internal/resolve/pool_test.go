package resolve

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/resolve/dnstest"
)

// A socket has a bounded number of questions, and is not kept if an answer may yet
// come to it.
func TestSockets(t *testing.T) {
	t.Parallel()
	f := dnstest.Serve(t, zone{"*": addrs("192.0.2.1", "2001:db8::1"), "half.test": per(addrs("192.0.2.1"), silent)})
	r := world{resolv: quick, servers: []*dnstest.Server{f}}.resolver(t)
	for range 64 {
		look(t, r, "a.test")
	}
	ports := f.Ports()
	if n := len(ports); n < 4 || n > 5 {
		t.Errorf("128 questions came from %d ports; want 4", n)
	}
	for port, n := range ports {
		if n > maxAsked {
			t.Errorf("%d questions came from port %s; want at most %d", n, port, maxAsked)
		}
	}
	look(t, r, "half.test")
	if n := len(r.pool.idle); n != 0 {
		t.Errorf("%d sockets are kept on which an answer may come; want none", n)
	}

	look(t, r, "a.test")
	if n := len(r.pool.idle); n != 1 {
		t.Errorf("%d sockets are kept; want 1", n)
	}
	old := r.pool.idle[0]
	old.born = old.born.Add(-maxAge)
	look(t, r, "a.test")
	if n := len(r.pool.idle); n != 1 || r.pool.idle[0] == old {
		t.Errorf("%d sockets are kept, the old one among them: %t; want a new one", n, n > 0 && r.pool.idle[0] == old)
	}
}

// Sockets are kept while a call is open, and not from one call to the next.
func TestSocketsEnd(t *testing.T) {
	f := dnstest.Serve(t, zone{"*": addrs("192.0.2.1", "2001:db8::1")})
	r := New(world{servers: []*dnstest.Server{f}}.config(t))
	for _, tt := range []struct {
		name string
		do   func()
		want int
	}{
		{"no call", func() {}, 0},
		{"a call", r.Begin, 1},
		{"two calls", r.Begin, 1},
		{"one has ended", r.End, 1},
		{"both have ended", r.End, 0},
	} {
		tt.do()
		if tt.name != "both have ended" {
			look(t, r, "a.test")
		}
		if n := len(r.pool.idle); n != tt.want {
			t.Errorf("%s: %d sockets are kept; want %d", tt.name, n, tt.want)
		}
	}
}

// A kept socket whose server has gone and come back is no reason to fail.
func TestUsedSocketBreaks(t *testing.T) {
	f := dnstest.Serve(t, zone{"*": addrs("192.0.2.1", "2001:db8::1")})
	r := world{resolv: quick, servers: []*dnstest.Server{f}}.resolver(t)
	look(t, r, "a.test")
	r.pool.idle[0].conn.Close()
	if a4, a6 := look(t, r, "a.test"); say(a4) != "192.0.2.1" || say(a6) != "2001:db8::1" {
		t.Errorf("Lookup on a broken socket = %v, %v; want the addresses", a4, a6)
	}
}

// Many lookups at once share nothing but the pool, and leave nothing behind.
func TestConcurrent(t *testing.T) {
	f := dnstest.Serve(t, zone{"*": addrs("192.0.2.1", "2001:db8::1")})
	r := world{servers: []*dnstest.Server{f}}.resolver(t)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if a4, a6 := look(t, r, "a.test"); say(a4) != "192.0.2.1" || say(a6) != "2001:db8::1" {
					t.Errorf("Lookup = %v, %v; want the addresses", a4, a6)
				}
			}
		})
	}
	wg.Wait()
	// A goroutine of the test is counted for a moment after it has said that it is done.
	for range 10_000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines are left; want %d", runtime.NumGoroutine(), before)
}
