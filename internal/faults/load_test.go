package faults_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// M: a great many targets, at the size of a test. A soak has a million.

// M1, M9: of 100 000 targets, of which a tenth are distinct, each gets its own
// Result in its place.
func TestManyTargets(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	c := faults.NewChecker(t, checker.WithTransport(new(faults.Memory)))
	targets := make([]string, n)
	for i := range targets {
		targets[i] = fmt.Sprintf("http://h%d.test/", i*7919%10_000)
	}
	results := c.CheckAll(t.Context(), targets)
	if len(results) != n {
		t.Fatalf("%d results; want %d", len(results), n)
	}
	for i, r := range results {
		if r.Index != i || r.Target != targets[i] || !r.Online() {
			t.Fatalf("result %d = %d, %v; want %s online", i, r.Index, r, targets[i])
		}
	}
}

// M3: on one host never more run than its width, however many are listed, and
// they do not wait for each other in vain.
func TestManyOnOneHost(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Takes: 10 * time.Millisecond}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithHostConcurrency(6))
		start := time.Now()
		const n = 30_000
		for range c.Stream(t.Context(), list(n, 0)) {
		}
		if got, want := time.Since(start), n/6*10*time.Millisecond; m.Most.Load() != 6 || got != want {
			t.Errorf("%d requests at once, all done in %v; want 6 in %v", m.Most.Load(), got, want)
		}
	})
}

// M4, M7: silent hosts and dropped connects cost their slots the timeout, and
// nobody anything beyond that.
func TestManyDead(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const hosts, slots = 2000, 100
		n := hostile.NewNet()
		var targets []string
		for i := range hosts {
			addr := fmt.Sprintf("192.0.%d.%d:80", 2+i>>8, i&0xff)
			targets = append(targets, "http://"+addr+"/")
			switch i % 10 {
			case 0:
				hostile.ServeListener(t, n.Listen(addr), hostile.Silent())
			case 1:
				n.Drop(addr)
			default:
				hostile.ServeListener(t, n.Listen(addr), hostile.Respond(hostile.OK))
			}
		}
		c := faults.NewChecker(t, checker.WithDialContext(n.DialContext), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithConcurrency(slots))
		start := time.Now()
		count := make(map[checker.Reason]int)
		most := 0
		for r := range c.Stream(t.Context(), slices.Values(targets)) {
			count[r.Reason()]++
			most = max(most, n.Open())
		}
		ideal := hosts / 5 / slots * timeout
		if took := time.Since(start); took > ideal*11/10+timeout {
			t.Errorf("%d hosts of which a fifth are dead took %v; want about %v", hosts, took, ideal)
		}
		if count[""] != hosts*8/10 || count[checker.ReasonTimeout] != hosts/5 {
			t.Errorf("found %v; want %d online and %d timeouts", count, hosts*8/10, hosts/5)
		}
		if most > 2*slots { // a silent HEAD has a GET beside it
			t.Errorf("%d connections at once; want at most %d", most, 2*slots)
		}
	})
}

// M8: a resolver that takes two seconds does so for all at once.
func TestSlowResolver(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const hosts = 100
		n := hostile.NewNet()
		hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.Respond(hostile.OK))
		for i := range hosts {
			name := fmt.Sprintf("h%d.test", i)
			n.Name(name, siteAddr)
			n.NameTakes("ip4", name, 2*time.Second)
		}
		c := faults.NewChecker(t, checker.WithDialContext(n.DialContext), checker.WithResolver(n), checker.WithConcurrency(hosts))
		start := time.Now()
		for r := range c.Stream(t.Context(), faults.Sites(hosts, nil)) {
			if !r.Online() {
				t.Error(r)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("%d lookups of 2s took %v; want 2s", hosts, took)
		}
	})
}

// M10: the verdicts do not depend on how many processors there are.
func TestProcessors(t *testing.T) {
	good := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	cut := hostile.Serve(t, "127.0.0.1:0", hostile.CloseAfterRequest())
	dead := hostile.ClosedPort(t)
	targets := slices.Repeat([]string{good.URL(), cut.URL(), "http://" + dead.String(), "http://:80"}, 50)
	want := []checker.Reason{"", checker.ReasonReset, checker.ReasonRefused, checker.ReasonInvalid}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, n := range []int{1, 64} {
		runtime.GOMAXPROCS(n)
		c := faults.NewChecker(t, checker.WithRetries(0), checker.WithHostConcurrency(100))
		for i, r := range c.CheckAll(t.Context(), targets) {
			if r.Reason() != want[i%4] {
				t.Errorf("with %d processors: %v; want %q", n, r, want[i%4])
			}
		}
	}
}

// G14, M6: each hop is a request that the rate counts.
func TestRateCountsHops(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var requests atomic.Int64
		m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			requests.Add(1)
			if strings.HasSuffix(req.URL.Path, "xxx") {
				return faults.Respond(req, 200), nil
			}
			resp := faults.Respond(req, 302)
			resp.Header.Set("Location", req.URL.Path+"x")
			return resp, nil
		}}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithRateLimit(10, 1), checker.WithRedirects(5), checker.WithTimeout(time.Hour))
		start := time.Now()
		for r := range c.Stream(t.Context(), faults.Sites(25, nil)) {
			if !r.Online() || len(r.Hops) != 3 {
				t.Errorf("%v after %d redirects; want online after 3", r, len(r.Hops))
			}
		}
		if got, want := time.Since(start), 9900*time.Millisecond; requests.Load() != 100 || got != want {
			t.Errorf("%d requests at 10/s took %v; want 100 in %v", requests.Load(), got, want)
		}
	})
}

// S7: what this machine is short of for some targets alone, always, costs those, and not
// the batch.
func TestShortageOfFew(t *testing.T) {
	for _, number := range []syscall.Errno{syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.EMFILE} {
		for _, few := range []int{1, 50, 100} {
			t.Run(fmt.Sprintf("%v, %d", number, few), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					const hosts, slots, takes = 2000, 100, 50 * time.Millisecond
					var dead atomic.Int64
					m := &faults.Memory{Takes: takes, Answer: func(req *http.Request) (*http.Response, error) { return faults.Respond(req, 200), nil }}
					rt := roundTripper(func(req *http.Request) (*http.Response, error) {
						var i int
						fmt.Sscanf(req.URL.Host, "h%d.test", &i)
						if i*few%hosts < few { // every so often
							dead.Add(1)
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", number)}
						}
						return m.RoundTrip(req)
					})
					c := faults.NewChecker(t, checker.WithTransport(rt), checker.WithTimeout(timeout), checker.WithConcurrency(slots), checker.WithMethod("GET"))
					start := time.Now()
					var alive time.Duration // until the last of those that live
					count := make(map[checker.Reason]int)
					for r := range c.Stream(t.Context(), faults.Sites(hosts, nil)) {
						count[r.Reason()]++
						if r.Online() {
							alive = time.Since(start)
						}
					}
					took := time.Since(start)
					ideal := time.Duration((hosts-few)/slots) * takes
					if count[""] != hosts-few || count[checker.ReasonLocal] != few {
						t.Errorf("%v for %d of %d: found %v; want %d online, the others local", number, few, hosts, count, hosts-few)
					}
					if alive > ideal*3/2 || took > ideal+2*timeout {
						t.Errorf("%v for %d of %d: the others took %v, all %v, asked %d times; want %v and the timeout more", number, few, hosts, alive, took, dead.Load(), ideal)
					}
				})
			})
		}
	}
}
