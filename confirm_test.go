package checker_test

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

const timeout = 2 * time.Second

// A link carries requests until it is cut. Sites whose host begins with "dead"
// never answer.
type link struct {
	cut    atomic.Bool
	fails  error                           // what a request over a cut link meets at once; nil: silence
	takes  func(host string) time.Duration // nil: 20 ms
	status int                             // of canaries; 0: 200
	asked  atomic.Int64
}

func (l *link) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "canary.test" {
		l.asked.Add(1)
	}
	if l.cut.Load() && l.fails != nil {
		return nil, l.fails
	}
	takes := 20 * time.Millisecond
	if l.takes != nil {
		takes = l.takes(req.URL.Host)
	}
	if !l.cut.Load() && req.URL.Host[:4] != "dead" {
		select {
		case <-time.After(takes):
			if !l.cut.Load() {
				return l.respond(req), nil
			}
		case <-req.Context().Done():
		}
	}
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

func (l *link) respond(req *http.Request) *http.Response {
	resp := faults.Respond(req, 200)
	if l.status != 0 && req.URL.Host == "canary.test" {
		resp.StatusCode = l.status
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		resp.Header.Set("Retry-After", "3600")
	}
	return resp
}

// R15: a portal that answers for all, the canaries among them, proves no network; nor
// does it where it answers for another site.
func TestCanariesPortal(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "dead.test" {
				<-req.Context().Done()
				return nil, context.Cause(req.Context())
			}
			return faults.Respond(req, 511), nil
		}}
		c := faults.NewChecker(t, checker.WithTransport(m), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		for _, r := range c.CheckAll(t.Context(), []string{"http://dead.test/", "http://live.test/"}) {
			if r.Reason() != checker.ReasonLocal {
				t.Errorf("Check(%q) = %v; want local", r.Target, r)
			}
			faults.Hold(t, "R15", r)
		}
	})
}

// J20: while the canaries answer, a dead list is Offline, however long it is.
func TestCanariesDeadList(t *testing.T) {
	for _, n := range []int{1, 200} {
		bubble.Test(t, func(t *testing.T) {
			l := new(link)
			c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
			var targets []string
			for i := range n {
				targets = append(targets, fmt.Sprintf("http://dead%d.test/", i))
			}
			start := time.Now()
			for _, r := range c.CheckAll(t.Context(), targets) {
				if r.Reason() != checker.ReasonTimeout {
					t.Fatalf("%v; want a timeout", r)
				}
			}
			took := time.Since(start)
			// Each site is asked twice at most, and the canaries four times a second.
			rounds := (n + 99) / 100
			if most := time.Duration(rounds)*2*timeout + time.Second; took > most {
				t.Errorf("%d dead sites took %v; want at most %v", n, took, most)
			}
			if asked := l.asked.Load(); float64(asked) > 4*took.Seconds()+1 {
				t.Errorf("the canary was asked %d times in %v; want at most four times a second", asked, took)
			}
		})
	}
}

// J10: what fails because the link is cut is Unknown until the link is back,
// whether connects hang or fail at once.
func TestCanariesCut(t *testing.T) {
	for name, fails := range map[string]error{"silence": nil, "unreachable": syscall.EHOSTUNREACH} {
		for _, cut := range []time.Duration{300 * time.Millisecond, time.Second, timeout - time.Millisecond, timeout, 7 * time.Second} {
			t.Run(fmt.Sprint(name, " for ", cut), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					l := &link{fails: fails}
					c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0),
						checker.WithConcurrency(20), checker.WithCanaries("http://canary.test/"))
					at := 500 * time.Millisecond
					time.AfterFunc(at, func() { l.cut.Store(true) })
					time.AfterFunc(at+cut, func() { l.cut.Store(false) })
					count := make(map[checker.Status]int)
					start := time.Now()
					for _, r := range c.CheckAll(t.Context(), slices.Collect(faults.Sites(2000, nil))) {
						count[r.Status()]++
						began := r.Start.Sub(start)
						if r.Status() == checker.Offline {
							t.Fatalf("%v, begun after %v, though the link was cut", r, began)
						}
						if inCut := began+20*time.Millisecond >= at && began < at+cut; !inCut && !r.Online() {
							t.Fatalf("%v, begun after %v, though the link was not cut", r, began)
						}
					}
					if count[checker.Online] < 1000 {
						t.Errorf("%v; want most of 2000 Online", count)
					}
				})
			})
		}
	}
}

// With the link cut for good and no canary in sight, everything is local.
func TestCanariesDown(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := new(link)
		l.cut.Store(true)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0),
			checker.WithCanaries("http://canary.test/", "http://canary.test/other"))
		for _, r := range c.CheckAll(t.Context(), slices.Collect(faults.Sites(50, nil))) {
			if r.Reason() != checker.ReasonLocal || r.Timing.Total > 2*timeout+time.Second {
				t.Fatalf("%v in %v; want local within twice the timeout", r, r.Timing.Total)
			}
		}
	})
}

// The longest timeout there is leaves time to ask again.
func TestCanariesLongestTimeout(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := &link{fails: syscall.ECONNREFUSED}
		l.cut.Store(true)
		time.AfterFunc(100*time.Millisecond, func() { l.cut.Store(false) })
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(math.MaxInt64), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		if r := c.Check(t.Context(), "http://site.test/"); !r.Online() {
			t.Errorf("%v; want Online, asked again", r)
		}
	})
}

// What is held back ends with the caller's context.
func TestCanariesCanceled(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := new(link)
		l.cut.Store(true)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		ctx, cancel := context.WithTimeout(t.Context(), timeout+time.Second)
		defer cancel()
		start := time.Now()
		results := c.CheckAll(ctx, slices.Collect(faults.Sites(20, nil)))
		for _, r := range results {
			if r.Reason() != checker.ReasonCanceled {
				t.Errorf("%v; want canceled", r)
			}
		}
		if took := time.Since(start); took != timeout+time.Second {
			t.Errorf("CheckAll took %v; want %v", took, timeout+time.Second)
		}
	})
}

// What was answered needs no canary, and without canaries nothing is held back.
func TestCanariesNotAsked(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := new(link)
		c := faults.NewChecker(t, checker.WithTransport(l), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"),
			checker.WithJudge(checker.StatusIn(300, 399)))
		if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonRejected || l.asked.Load() != 0 {
			t.Errorf("%v after %d requests to the canary; want rejected after none", r, l.asked.Load())
		}
	})
}

// Where the timeout leaves TCP the time to send again, a site that is silent while the
// canaries answer is Offline when its time is over: they were asked beside it.
func TestCanariesInTime(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(new(link)), checker.WithTimeout(5*time.Second), checker.WithRetries(0), checker.WithCanaries("http://canary.test/"))
		for range 3 {
			if r := c.Check(t.Context(), "http://dead.test/"); r.Reason() != checker.ReasonTimeout || r.Timing.Total > 5*time.Second+50*time.Millisecond {
				t.Errorf("Check(%q) = %v in %v; want timeout in the timeout of 5s", r.Target, r, r.Timing.Total)
			}
			time.Sleep(30 * time.Second)
		}
	})
}

// R9: of 20 sites one is dead, and 25 times out of 25 it is so said, within twice the
// timeout, whatever is checked beside it.
func TestCanariesFewSites(t *testing.T) {
	targets := []string{"http://dead.test/"}
	targets = slices.AppendSeq(targets, faults.Sites(19, nil))
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		takes   time.Duration // of sites, one more each
		check   func(context.Context, *checker.Checker) []checker.Result
	}{
		{"R9 CheckAll", timeout, 20 * time.Millisecond, func(ctx context.Context, c *checker.Checker) []checker.Result {
			return c.CheckAll(ctx, targets)
		}},
		{"R9 CheckAll, slow sites", timeout, 60 * time.Millisecond, func(ctx context.Context, c *checker.Checker) []checker.Result {
			return c.CheckAll(ctx, targets)
		}},
		{"R9 CheckAll, one at a time", 10 * time.Second, 70 * time.Millisecond, func(ctx context.Context, c *checker.Checker) (results []checker.Result) {
			for _, u := range targets {
				results = append(results, c.CheckAll(ctx, []string{u})...)
			}
			return results
		}},
		{"R9 Check, a short timeout", 500 * time.Millisecond, time.Millisecond, checkEach(targets)},
		{"R9 Check", timeout, 50 * time.Millisecond, checkEach(targets)},
		{"R9 Check, the default timeout", 10 * time.Second, 80 * time.Millisecond, checkEach(targets)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				l := new(link)
				l.takes = func(host string) time.Duration {
					if host == "canary.test" { // now soon, now late
						return min(time.Duration(20+l.asked.Load()*173%600)*time.Millisecond, tt.timeout/8)
					}
					var n int
					fmt.Sscanf(host, "h%d", &n)
					return time.Duration(n+1) * tt.takes
				}
				c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(tt.timeout),
					checker.WithCanaries("http://canary.test/", "https://canary.test/"))
				for i := range 25 {
					for _, r := range tt.check(t.Context(), c) {
						want := checker.Reason("")
						if r.Target == targets[0] {
							want = checker.ReasonTimeout
						}
						if r.Reason() != want || r.Timing.Total > 2*tt.timeout {
							t.Fatalf("round %d: %v in %v; want %q within twice the timeout", i, r, r.Timing.Total, want)
						}
					}
					time.Sleep(30 * time.Second)
				}
			})
		})
	}
}

// checkEach checks each target by itself, and all at once.
func checkEach(targets []string) func(context.Context, *checker.Checker) []checker.Result {
	return func(ctx context.Context, c *checker.Checker) []checker.Result {
		results := make([]checker.Result, len(targets))
		var wg sync.WaitGroup
		for i, u := range targets {
			wg.Go(func() { results[i] = c.Check(ctx, u) })
		}
		wg.Wait()
		return results
	}
}

// R10: of a long list 30 % are dead, each of them is so said, and it takes little longer
// than without canaries.
func TestCanariesLongList(t *testing.T) {
	const n = 3000
	var targets []string
	for i := range n {
		name := "live"
		if i*7%10 < 3 {
			name = "dead"
		}
		targets = append(targets, fmt.Sprintf("http://%s%d.test/", name, i))
	}
	check := func(t *testing.T, opts ...checker.Option) (took time.Duration) {
		bubble.Test(t, func(t *testing.T) {
			c := faults.NewChecker(t, append(opts, checker.WithTransport(new(link)), checker.WithTimeout(timeout))...)
			start, dead := time.Now(), 0
			for _, r := range c.CheckAll(t.Context(), targets) {
				if r.Reason() == checker.ReasonTimeout {
					dead++
				} else if !r.Online() {
					t.Fatal(r)
				}
			}
			if dead != n*3/10 {
				t.Errorf("%d sites are Offline; want %d", dead, n*3/10)
			}
			took = time.Since(start)
		})
		return took
	}
	without := check(t)
	if with := check(t, checker.WithCanaries("http://canary.test/", "https://canary.test/")); with > without*3/2 {
		t.Errorf("%d sites took %v with canaries and %v without; want at most 1.5 times as long", n, with, without)
	}
}

// R11: canaries that are slow, and rates that leave hardly a request for them.
func TestCanariesSlow(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		takes   time.Duration // of a canary
		opts    []checker.Option
	}{
		{"R11 canaries that take 1.5 s", 4 * time.Second, 1500 * time.Millisecond, nil},
		{"R11 canaries that take 1.5 s, the default timeout", 10 * time.Second, 1500 * time.Millisecond, nil},
		{"R11 canaries that take 3 s", 5 * time.Second, 3 * time.Second, nil},
		{"R11 canaries that take 3 s, the default timeout", 10 * time.Second, 3 * time.Second, nil},
		{"R11 WithRateLimit(1,1)", 5 * time.Second, 20 * time.Millisecond, []checker.Option{checker.WithRateLimit(1, 1)}},
		{"R11 WithRateLimit(1,1), a short timeout", timeout, 20 * time.Millisecond, []checker.Option{checker.WithMethod("GET"), checker.WithRateLimit(1, 1)}},
		{"R11 WithHostRateLimit(0.5,1)", 5 * time.Second, 20 * time.Millisecond, []checker.Option{checker.WithHostRateLimit(0.5, 1)}},
		{"R11 WithHostRateLimit(0.5,1), a short timeout", timeout, 20 * time.Millisecond, []checker.Option{checker.WithMethod("GET"), checker.WithHostRateLimit(0.5, 1)}},
		{"R11 both, canaries that take 1.5 s", 6 * time.Second, 1500 * time.Millisecond,
			[]checker.Option{checker.WithRateLimit(1, 1), checker.WithHostRateLimit(0.5, 1)}},
	} {
		for _, dead := range []int{1, 5, 19} {
			t.Run(fmt.Sprintf("%s, %d dead", tt.name, dead), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					l := &link{takes: func(host string) time.Duration {
						if host == "canary.test" {
							return tt.takes
						}
						return 20 * time.Millisecond
					}}
					c := faults.NewChecker(t, append(tt.opts, checker.WithTransport(l), checker.WithTimeout(tt.timeout),
						checker.WithCanaries("http://canary.test/"))...)
					targets := slices.Collect(faults.Sites(20-dead, nil))
					for i := range dead {
						targets = append(targets, fmt.Sprintf("http://dead%d.test/", i))
					}
					for _, r := range c.CheckAll(t.Context(), targets) {
						want := checker.Online
						if strings.HasPrefix(r.Target, "http://dead") {
							want = checker.Offline
						}
						if r.Status() != want {
							t.Errorf("%v; want %v", r, want)
						}
					}
				})
			})
		}
	}
}

// R13: a cut that is shorter than a timeout, or little longer, is noticed.
func TestCanariesShortTimeout(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes a minute on an emulator")
	}
	for _, timeout := range []time.Duration{500 * time.Millisecond, time.Second} {
		for name, fails := range map[string]error{"silence": nil, "unreachable": syscall.EHOSTUNREACH, "refused": syscall.ECONNREFUSED} {
			for at := 500 * time.Millisecond; at < 2*timeout+500*time.Millisecond; at += 70 * time.Millisecond {
				t.Run(fmt.Sprintf("R13 %v, %s after %v", timeout, name, at), func(t *testing.T) {
					bubble.Test(t, func(t *testing.T) {
						l := &link{fails: fails}
						c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(timeout),
							checker.WithConcurrency(20), checker.WithCanaries("http://canary.test/", "https://canary.test/"))
						time.AfterFunc(at, func() { l.cut.Store(true) })
						time.AfterFunc(at+600*time.Millisecond, func() { l.cut.Store(false) })
						var single checker.Result
						var wg sync.WaitGroup
						wg.Go(func() { // with the canaries under way before the cut
							c.Check(t.Context(), "http://dead.test/")
							single = c.Check(t.Context(), "http://single.test/")
						})
						results := c.CheckAll(t.Context(), slices.Collect(faults.Sites(2000, nil)))
						wg.Wait()
						for _, r := range append(results, single) {
							if r.Status() == checker.Offline {
								t.Fatalf("%v, begun at %v; want it not Offline", r, r.Start)
							}
						}
					})
				})
			}
		}
	}
}

// R13: the shorter the timeout, the shorter a cut may be, and it is noticed all the same.
func TestCanariesShortCuts(t *testing.T) {
	for _, tt := range []struct{ timeout, cut time.Duration }{
		{200 * time.Millisecond, 300 * time.Millisecond}, {400 * time.Millisecond, 300 * time.Millisecond}, {500 * time.Millisecond, 300 * time.Millisecond}, {time.Second, 400 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("R13 cuts of %v, timeout %v", tt.cut, tt.timeout), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				l := new(link)
				c := faults.NewChecker(t, checker.WithTransport(l), checker.WithTimeout(tt.timeout), checker.WithCanaries("http://canary.test/", "https://canary.test/"))
				end := time.Now().Add(time.Minute)
				flaps := time.NewTicker(tt.cut)
				defer flaps.Stop()
				go func() {
					for time.Now().Before(end) {
						<-flaps.C
						l.cut.Store(!l.cut.Load())
					}
				}()
				online := 0
				slowly := func(yield func(string) bool) {
					for target := range faults.Sites(1000, nil) {
						if time.Sleep(57 * time.Millisecond); !yield(target) {
							return
						}
					}
				}
				for r := range c.Stream(t.Context(), slowly) {
					if r.Online() {
						online++
					}
					if r.Status() == checker.Offline {
						t.Errorf("%v, begun at %v; want it not Offline", r, r.Start)
					}
				}
				if online < 300 {
					t.Errorf("%d sites are Online; want more", online)
				}
				time.Sleep(time.Until(end) + time.Second)
			})
		})
	}
}

// Canaries are asked as often as it takes, and no more.
func TestCanariesSpared(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target string
		takes  time.Duration // of the site
		canary int           // the status that the canary answers with
		most   int64         // how often it is asked
		want   checker.Reason
	}{
		{"a site that answers soon", "http://live.test/", 200 * time.Millisecond, 200, 0, ""},
		{"a site that answers late", "http://live.test/", 9 * time.Second, 200, 8, ""},
		{"a dead site", "http://dead.test/", 0, 200, 15, checker.ReasonTimeout},
		{"a canary that wants to be left alone", "http://dead.test/", 0, 429, 2, checker.ReasonLocal},
		{"a canary that fails", "http://dead.test/", 0, 500, 15, checker.ReasonTimeout},
		{"R8 a canary behind a portal", "http://dead.test/", 0, 511, 15, checker.ReasonLocal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				l := &link{status: tt.canary, takes: func(host string) time.Duration {
					if host == "live.test" {
						return tt.takes
					}
					return 20 * time.Millisecond
				}}
				c := faults.NewChecker(t, checker.WithTransport(l), checker.WithMethod("GET"), checker.WithCanaries("https://canary.test/"))
				for range 3 {
					before := l.asked.Load()
					r := c.Check(t.Context(), tt.target)
					if n := l.asked.Load() - before; r.Reason() != tt.want || n > tt.most {
						t.Errorf("%v, and the canary was asked %d times; want %q and at most %d", r, n, tt.want, tt.most)
					}
					if tt.want == checker.ReasonLocal {
						faults.Hold(t, "R8", r)
					}
					time.Sleep(time.Minute)
				}
			})
		})
	}
}

// A hook that fails when it is asked for a canary ends neither the process nor the check.
func TestCanariesHook(t *testing.T) {
	for name, fail := range map[string]func(){"panics": func() { panic("a canary") }, "ends its goroutine": runtime.Goexit} {
		bubble.Test(t, func(t *testing.T) {
			l := &link{takes: func(host string) time.Duration {
				if host == "canary.test" {
					fail()
				}
				return 20 * time.Millisecond
			}}
			c := faults.NewChecker(t, checker.WithCanaries("https://canary.test/"), checker.WithTimeout(timeout),
				checker.WithTransport(l))
			if r := c.Check(t.Context(), "http://dead.test/"); r.Reason() != checker.ReasonLocal || r.Timing.Total > 2*timeout {
				t.Errorf("a transport that %s: %v in %v; want local within twice the timeout", name, r, r.Timing.Total)
			}
		})
	}
}

// An answer that this side came to late shows nothing of the time in between: neither that
// it wrote late, nor that it read late.
func TestCanariesLateSelf(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const cut, late = 10 * time.Millisecond, 60 * time.Millisecond
		start := time.Now()
		dial := func(_ context.Context, network, addr string) (net.Conn, error) {
			remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
			if time.Since(start) > cut {
				return nil, &net.OpError{Op: "dial", Net: network, Addr: remote, Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
			}
			here, there := net.Pipe()
			go hostile.Respond(hostile.OK)(t.Context(), there)
			return &lateConn{here, remote, late}, nil
		}
		c := faults.NewChecker(t, checker.WithDialContext(dial), checker.WithTimeout(timeout), checker.WithRetries(0), checker.WithCanaries("http://8.1.1.1/"))
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			if r := c.Check(t.Context(), "http://8.9.0.1/"); !r.Online() {
				t.Error(r)
			}
		})
		time.Sleep(2 * cut)
		if r := c.Check(t.Context(), "http://8.9.0.2/"); r.Reason() != checker.ReasonLocal {
			t.Errorf("while nothing gets through, Check(%q) = %v; want local", r.Target, r)
		}
	})
}

// A lateConn returns from Write long after what was written has got through.
type lateConn struct {
	net.Conn
	remote net.Addr
	late   time.Duration
}

func (c *lateConn) RemoteAddr() net.Addr { return c.remote }

func (c *lateConn) Write(b []byte) (int, error) {
	defer time.Sleep(c.late)
	return c.Conn.Write(b)
}
