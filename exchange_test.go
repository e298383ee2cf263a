package checker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A judge gets the request that was sent, and what it does to it stays with it.
func TestJudgeSeesRequest(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
	var sent atomic.Value
	h := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { sent.Store(req.Host + ", " + req.Header.Get("X-A")) })
	two := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(conf, h)).URLS()
	one := httptest.NewServer(h)
	defer one.Close()
	for _, url := range []string{one.URL, two} {
		judge := func(resp *http.Response) error {
			req := resp.Request
			if req.Method != "HEAD" || req.URL.String() != url+"/" || req.Host != "virtual.test" || req.Header.Get("X-A") != "1" || req.Context().Err() != nil {
				return fmt.Errorf("%s %s, Host %s, %v", req.Method, req.URL, req.Host, req.Header)
			}
			req.Header.Set("X-A", "2")
			return nil
		}
		c := faults.NewChecker(t, checker.WithHeader("X-A", "1"), checker.WithHeader("Host", "virtual.test"),
			checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithJudge(judge))
		for range 2 {
			if r := c.Check(t.Context(), url); !r.Online() || sent.Load() != "virtual.test, 1" {
				t.Errorf("Check(%q) = %v, sent %q; want Online, virtual.test, 1", url, r, sent.Load())
			}
		}
	}
}

// A judge gets no more of a transport's body than of one of our own.
func TestBodyOfTransportIsBounded(t *testing.T) {
	m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		resp := faults.Respond(req, 200)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20)))
		return resp, nil
	}}
	read := 0
	c := faults.NewChecker(t, checker.WithTransport(m), checker.WithJudge(func(resp *http.Response) error {
		b, err := io.ReadAll(resp.Body)
		read = len(b)
		return err
	}))
	if r := c.Check(t.Context(), "http://site.test/"); !r.Online() || read != 1<<20 {
		t.Errorf("Check() = %v, and the judge read %d bytes; want Online and 1 MiB", r, read)
	}
}

// A peer that does not read cannot keep a check from ending.
func TestLastWordsAreInTime(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	bubble.Test(t, func(t *testing.T) {
		var peers sync.WaitGroup
		defer peers.Wait()
		c := faults.NewChecker(t, checker.WithTimeout(time.Second), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}),
			checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe() // which has no buffer
				peers.Go(func() {
					defer there.Close()
					s := tls.Server(there, conf)
					s.Read(make([]byte, 4096))
					io.WriteString(s, hostile.OK)
					time.Sleep(time.Minute)
				})
				return here, nil
			}))
		for _, limit := range []time.Duration{100 * time.Millisecond, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			c.Check(ctx, "https://192.0.2.1/")
			if took, want := time.Since(start), min(limit, time.Second); took != want {
				t.Errorf("Check took %v; want %v", took, want)
			}
			cancel()
		}
	})
}

// A server that was asked by HTTP/2 in vain is judged by what it did before.
func TestPhaseWithoutHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.CloseAfterRequest()))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}), checker.WithRetries(0))
	r := c.Check(t.Context(), s.URLS())
	if e, _ := errors.AsType[*checker.Error](r.Err); e == nil || e.Phase != checker.PhaseResponse || e.Reason != checker.ReasonReset {
		t.Errorf("Check(%q).Err = %v; want reset in response", s.URLS(), r.Err)
	}
}

// throttled answers 429 with a Retry-After to what its bucket has no token for.
func throttled(bucket *rate.Limiter, after string) *faults.Memory {
	return &faults.Memory{Takes: time.Millisecond, Answer: func(req *http.Request) (*http.Response, error) {
		if bucket.Allow() {
			return faults.Respond(req, 200), nil
		}
		resp := faults.Respond(req, 429)
		resp.Header.Set("Retry-After", after)
		return resp, nil
	}}
}

// F7: a host that is asked too much is left alone for as long as it says, and
// then asked no faster than it can take.
func TestRetryAfter(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := throttled(rate.NewLimiter(10, 10), "1")
		c := faults.NewChecker(t, checker.WithTransport(m))
		refused := 0
		for _, r := range c.CheckAll(t.Context(), slices.Repeat([]string{"http://site.test/"}, 200)) {
			if !r.Online() {
				t.Fatal(r)
			}
			if r.StatusCode == 429 {
				refused++
			}
		}
		if refused == 0 || refused >= 20 || m.Calls.Load() != 200 {
			t.Errorf("%d of %d requests were answered 429; want fewer than 20 of 200", refused, m.Calls.Load())
		}
	})
}

// A host that is paused holds up no other, and the pause is at most the
// timeout, whatever the host says.
func TestRetryAfterBounds(t *testing.T) {
	future := time.Date(2000, 1, 1, 0, 0, 3, 0, time.UTC) // a bubble's clock begins with the year
	for after, want := range map[string]time.Duration{
		"":                                   0,
		"0":                                  0,
		"-1":                                 0,
		"soon":                               0,
		"1.5":                                0,
		"3":                                  3 * time.Second,
		"1000000000":                         10 * time.Second,
		"18446744073709551615":               10 * time.Second,
		"99999999999999999999999":            0,
		future.Format(http.TimeFormat):       3 * time.Second,
		"Fri, 31 Dec 1999 23:59:59 GMT":      0,
		"Sun, 06 Nov 2094 08:49:37 GMT":      10 * time.Second,
		strings.Repeat("9", 1<<10):           0,
		" 3":                                 0,
		future.Format(time.RFC850):           3 * time.Second,
		"Sat, 01 Jan 2000 00:00:03 +0100":    0,
		future.Format(time.ANSIC):            3 * time.Second,
		"Sat, 32 Jan 2000 00:00:03 GMT":      0,
		"3, 4":                               0,
		"+3":                                 0,
		"3\x00":                              0,
		"３":                                  0,
		"0x3":                                0,
		"1_000":                              0,
		"Infinity":                           0,
		fmt.Sprint(uint64(1) << 40):          10 * time.Second,
		future.Add(-9e9).Format(time.RFC850): 0,
	} {
		bubble.Test(t, func(t *testing.T) {
			m := throttled(rate.NewLimiter(0, 0), after)
			m.Takes = 0
			c := faults.NewChecker(t, checker.WithTransport(m))
			for i, target := range []string{"http://site.test/", "http://other.test/", "http://site.test/"} {
				r := c.Check(t.Context(), target)
				wait := time.Duration(0)
				if i == 2 {
					wait = want
				}
				if !r.Online() || r.Timing.Wait != wait {
					t.Errorf("after Retry-After %.40q, check %d = %v waited %v; want online after %v", after, i, r, r.Timing.Wait, wait)
				}
			}
		})
	}
}

// The server's own clock counts, if it tells its time.
func TestRetryAfterDate(t *testing.T) {
	const date, later = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:39 GMT"
	for name, opts := range map[string]func(*testing.T) []checker.Option{
		"a transport": func(*testing.T) []checker.Option {
			return []checker.Option{checker.WithTransport(&faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
				resp := faults.Respond(req, 503)
				resp.Header.Set("Date", date)
				resp.Header.Set("Retry-After", later)
				return resp, nil
			}})}
		},
		"the package's own": func(t *testing.T) []checker.Option {
			return faults.On(faults.Site(t, hostile.Respond("HTTP/1.1 503 Busy\r\nDate: "+date+"\r\nretry-after: "+later+"\r\n\r\n"), nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := faults.NewChecker(t, opts(t)...)
				c.Check(t.Context(), "http://site.test/")
				if r := c.Check(t.Context(), "http://site.test/"); r.Timing.Wait != 2*time.Second {
					t.Errorf("the second check waited %v; want 2s", r.Timing.Wait)
				}
			})
		})
	}
}

// An answer to a request that was sent before its host asked for a pause tells
// nothing new of how much the host takes.
func TestRetryAfterBefore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var calls int
		var later []time.Time
		answer := func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			calls++
			n := calls
			if n > 10 {
				later = append(later, time.Now())
			}
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			if n == 10 {
				time.Sleep(100 * time.Millisecond)
			}
			if n != 9 && n != 10 {
				return faults.Respond(req, 200), nil
			}
			resp := faults.Respond(req, 429)
			resp.Header.Set("Retry-After", "1")
			return resp, nil
		}
		c := faults.NewChecker(t, checker.WithHostConcurrency(2), checker.WithTransport(&faults.Memory{Answer: answer}))
		c.CheckAll(t.Context(), slices.Repeat([]string{"http://site.test/"}, 13))
		// Eight checks in 400 ms, and a pause of a second.
		if gap := later[1].Sub(later[0]); gap > 200*time.Millisecond {
			t.Errorf("%v between two checks after the pause; want at most 200ms", gap)
		}
	})
}
