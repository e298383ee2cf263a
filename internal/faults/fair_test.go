package faults_test

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// fast is the time in which the fast hosts of a list are all done, beside some
// checks of one host.
func fast(t *testing.T, list iter.Seq[string], slow time.Duration, opts ...checker.Option) time.Duration {
	m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		d := 10 * time.Millisecond
		if req.URL.Host == "slow.test" {
			d = slow
		}
		select {
		case <-time.After(d):
			return faults.Respond(req, 200), nil
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}}
	c := faults.NewChecker(t, append(opts, checker.WithTransport(m))...)
	start := time.Now()
	var last time.Duration
	for r := range c.Stream(t.Context(), list) {
		if !r.Online() {
			t.Fatal(r)
		}
		if !strings.Contains(r.URL, "slow.test") {
			last = time.Since(start)
		}
	}
	return last
}

// list yields n URLs on one host and then as many hosts as given.
func list(slow, hosts int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range slow {
			if !yield(fmt.Sprintf("http://slow.test/%d", i)) {
				return
			}
		}
		faults.Sites(hosts, nil)(yield)
	}
}

// M5: a host that must wait, or that is slow, holds up no other.
func TestFairness(t *testing.T) {
	for _, test := range []struct {
		name        string
		slow, hosts int
		takes       time.Duration
		opts        []checker.Option
	}{
		{"a host at 5 requests a second", 1000, 1000, 10 * time.Millisecond, []checker.Option{
			checker.WithConcurrency(16), checker.WithHostRateLimit(5, 1),
		}},
		{"a host that takes 2 s", 5000, 5000, 2 * time.Second, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				alone := fast(t, list(0, test.hosts), test.takes, test.opts...)
				beside := fast(t, list(test.slow, test.hosts), test.takes, test.opts...)
				t.Logf("%d hosts take %v alone and %v beside", test.hosts, alone, beside)
				if beside > alone*3/2 {
					t.Errorf("%d hosts take %v beside %d URLs of one host; want at most 1.5 × %v", test.hosts, beside, test.slow, alone)
				}
			})
		})
	}
}
