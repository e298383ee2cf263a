package checkertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
)

func newChecker(t *testing.T, n *checkertest.Network, opts ...checker.Option) *checker.Checker {
	t.Helper()
	c, err := checker.New(append([]checker.Option{n.Option()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// A host that is up is so by every way to it, and one that nobody told of is not there.
func TestHandle(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		n.Handle("up.test", nil)
		n.Handle("https://Gone.test:8443/x", status(http.StatusGone))
		n.Handle("192.0.2.7", nil)
		n.Handle("http://[2001:db8::7]/", nil)
		n.Handle("bücher.test", nil)
		c := newChecker(t, n)
		for target, want := range map[string]string{
			"up.test": "http 200 ", "http://up.test": "http 200 ", "https://up.test": "https 200 ",
			"up.test:8080": "http 200 ", "http://up.test:8080/": "http 200 ", "https://up.test:8443": "https 200 ",
			"gone.test/x": "http 410 ", "https://gone.test": "https 410 ",
			"192.0.2.7": "http 200 ", "https://192.0.2.7": "https 200 ", "https://[2001:db8::7]/": "https 200 ",
			"https://bücher.test/": "https 200 ", "https://xn--bcher-kva.test/": "https 200 ",
			"https://www.up.test/": "https 0 nxdomain", "http://192.0.2.8/": "http 0 ",
		} {
			r := c.Check(t.Context(), target)
			scheme, _, _ := strings.Cut(r.URL, ":")
			if got := fmt.Sprintf("%s %d %s", scheme, r.StatusCode, r.Cause()); got != want || r.Online() && r.Timing.Total != 0 {
				t.Errorf("Check(%q) = %v in %v; want %s, in no time", target, r, r.Timing.Total, want)
			}
		}
	})
}

// What a host was told last counts, and all that it was told before is forgotten.
func TestLastCounts(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		c := newChecker(t, n, checker.WithRetries(0))
		whys := []error{
			checker.ReasonTimeout, nil, checker.CauseSilent, checker.ReasonRefused, nil, checker.CauseNXDomain, checker.CauseExpired,
			nil, checker.CauseNoRoute, checker.ReasonReset, checker.CauseServFail, nil, checker.CauseNoCipher, checker.ReasonTimeout,
		}
		for i, why := range whys {
			if n.Fail("site.test", checker.CauseWeak); why == nil {
				n.Handle("site.test", nil)
			} else {
				n.Fail("site.test", why)
			}
			if r := c.Check(t.Context(), "https://site.test/"); why == nil != r.Online() || !errors.Is(r.Err, why) {
				t.Errorf("told %q in the end, the %dth check = %v", why, i, r)
			}
		}
	})
}

// A site that wants to be left alone for three seconds is, and is asked again then.
func TestBusyThenUp(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		asked := 0
		n.Handle("busy.test", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		time.AfterFunc(2900*time.Millisecond, func() { n.Handle("busy.test", nil) })
		c := newChecker(t, n, checker.WithMethod(http.MethodGet), checker.WithJudge(checker.StatusIn(200, 299)))
		start := time.Now()
		r := c.Check(t.Context(), "https://busy.test/")
		if took := time.Since(start); !r.Online() || asked != 1 || took < 3*time.Second || took > 4*time.Second {
			t.Errorf("Check() = %v after %v and %d refusals; want Online after three seconds and one", r, took, asked)
		}
	})
}

// A handler may take its time, and learns that nobody waits any more.
func TestSlowHandler(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		var left []time.Duration
		n.Handle("slow.test", http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			start := time.Now()
			select {
			case <-time.After(4 * time.Second):
			case <-req.Context().Done():
				left = append(left, time.Since(start))
			}
		}))
		for timeout, want := range map[time.Duration]checker.Reason{2 * time.Second: checker.ReasonTimeout, 5 * time.Second: ""} {
			c := newChecker(t, n, checker.WithTimeout(timeout), checker.WithMethod(http.MethodGet))
			r := c.Check(t.Context(), "https://slow.test/")
			if took := r.Timing.Total; r.Reason() != want || took != min(timeout, 4*time.Second) {
				t.Errorf("in %v: Check() = %v after %v; want %q", timeout, r, took, want)
			}
		}
		if synctest.Wait(); len(left) != 1 || left[0] != 2*time.Second {
			t.Errorf("the handler was left alone after %v; want after 2s, once", left)
		}
	})
}

// The options of a program count beside that of the network.
func TestOption(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		n.Handle("up.test", http.RedirectHandler("http://10.0.0.1/", http.StatusFound))
		n.Handle("10.0.0.1", nil)
		n.Handle("canary.test", nil)
		n.Fail("down.test", checker.ReasonTimeout)
		guarded := newChecker(t, n, checker.WithAddrPolicy(checker.PublicOnly), checker.WithRedirects(3))
		watched := newChecker(t, n, checker.WithCanaries("canary.test"))
		for _, test := range []struct {
			c      *checker.Checker
			target string
			want   checker.Reason
		}{
			{newChecker(t, n, checker.WithRedirects(3)), "up.test", ""},
			{newChecker(t, n, checker.WithHeader("Authorization", "Bearer x")), "up.test", ""},
			{guarded, "up.test", checker.ReasonBlocked},
			{guarded, "10.0.0.1", checker.ReasonBlocked},
			{watched, "down.test", checker.ReasonTimeout},
		} {
			if r := test.c.Check(t.Context(), test.target); r.Reason() != test.want {
				t.Errorf("Check(%q) = %v; want %q", test.target, r, test.want)
			}
		}
		n.Fail("canary.test", checker.ReasonTimeout)
		if r := watched.Check(t.Context(), "down.test"); !errors.Is(r.Err, checker.CauseNetwork) {
			t.Errorf("Check() with the canary down = %v; want %q", r, checker.CauseNetwork)
		}
	})
	if _, err := checker.New(checkertest.NewNetwork().Option(), checker.WithTransport(http.DefaultTransport)); !errors.Is(err, checker.ErrInvalidOption) {
		t.Errorf("New with a transport beside the network = %v; want %v", err, checker.ErrInvalidOption)
	}
}

// A client finds the same hosts, and fails as they do.
func TestClient(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := checkertest.NewNetwork()
		echo := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			fmt.Fprint(w, req.Method, req.TLS != nil, " ")
			io.Copy(w, req.Body)
		})
		n.Handle("hook.test", echo)
		n.Handle("192.0.2.7", echo)
		n.Fail("down.test", checker.ReasonRefused)
		n.Fail("bad.test", checker.CauseExpired)
		client := n.Client()
		client.Timeout = time.Minute
		for url, want := range map[string]string{
			"http://hook.test/": "POSTfalse text", "https://hook.test/": "POSTtrue text", "https://hook.test:8443/": "POSTtrue text",
			"https://192.0.2.7/": "POSTtrue text",
			"http://down.test/":  "refused", "https://bad.test/": "expired", "http://none.test/": "NXDOMAIN",
		} {
			resp, err := client.Post(url, "text/plain", strings.NewReader("text"))
			got := fmt.Sprint(err)
			if err == nil {
				body, _ := io.ReadAll(resp.Body)
				got = string(body)
				resp.Body.Close()
			}
			if !strings.Contains(got, want) {
				t.Errorf("POST %s: %s; want %s", url, got, want)
			}
		}
	})
}

// What cannot be is a mistake in the test.
func TestPanics(t *testing.T) {
	n := checkertest.NewNetwork()
	for name, f := range map[string]func(){
		"no host":                   func() { n.Handle("", nil) },
		"a foreign scheme":          func() { n.Handle("ftp://site.test/", nil) },
		"no host to fail":           func() { n.Fail("http://:80/", checker.ReasonRefused) },
		"a judge's":                 func() { n.Fail("site.test", checker.CauseStatus) },
		"nothing":                   func() { n.Fail("site.test", nil) },
		"another error":             func() { n.Fail("site.test", io.EOF) },
		"one that is no map's key":  func() { n.Fail("site.test", uncomparable{}) },
		"no Reason":                 func() { checkertest.Result("site.test", io.EOF) },
		"one of no later version":   func() { checkertest.Result("site.test", checker.Cause("new")) },
		"the zero Reason":           func() { checkertest.Result("site.test", checker.Reason("")) },
		"a Result of no site":       func() { checkertest.Result("ftp://site.test/", checker.ReasonRefused) },
		"one of nothing":            func() { checkertest.Result("", nil) },
		"one that cannot be equal":  func() { checkertest.Result("site.test", uncomparable{}) },
		"a target that is too long": func() { n.Handle(strings.Repeat("a", 9000), nil) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "checkertest: ") {
					t.Errorf("%s: recovered %q; want a panic of checkertest", name, text)
				}
			}()
			f()
		}()
	}
}

type uncomparable []error

func (uncomparable) Error() string { return "uncomparable" }

// All may be called at once, while checks run, and nothing is left over, in a bubble or
// not: that would be a deadlock there.
func TestConcurrent(t *testing.T) {
	for name, run := range map[string]func(*testing.T, func(*testing.T)){
		"in a bubble": bubble.Test,
		"on a clock":  func(t *testing.T, f func(*testing.T)) { f(t) },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T) {
				n := checkertest.NewNetwork()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c := newChecker(t, n, checker.WithRetries(0))
				var wg sync.WaitGroup
				for i := range 4 {
					n.Handle(fmt.Sprintf("h%d.test", i), nil)
				}
				for i := range 8 {
					host := fmt.Sprintf("h%d.test", i%4)
					wg.Go(func() {
						for ctx.Err() == nil {
							n.Handle(host, nil)
							time.Sleep(time.Millisecond)
							n.Fail(host, checker.CauseExpired)
							time.Sleep(time.Millisecond)
						}
					})
					wg.Go(func() {
						defer cancel()
						time.Sleep(time.Duration(i) * 100 * time.Microsecond)
						for range 20 {
							time.Sleep(300 * time.Microsecond)
							if r := c.Check(context.WithoutCancel(ctx), "https://"+host); !r.Online() && r.Reason() != checker.ReasonCertificate {
								t.Errorf("Check(%q) = %v; want it Online or certificate", host, r)
							}
						}
					})
				}
				wg.Wait()
			})
		})
	}
}
