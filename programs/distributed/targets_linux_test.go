package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// targets are sites on loopback addresses that write down who was there when.
type targets struct {
	port  int
	hosts []string
	stay  time.Duration // how long a request takes

	mu     sync.Mutex
	visits []visit
	seen   chan visit // gets each visit, if a test listens
}

// A visit is a request.
type visit struct {
	host, agent string
	index       int
	start, end  time.Time
}

// newTargets starts sites on n addresses. Nets of tests that run at once
// differ.
func newTargets(t *testing.T, net24 string, n int, stay time.Duration) *targets {
	t.Helper()
	s := &targets{stay: stay, seen: make(chan visit, 10000)}
	var wg sync.WaitGroup
	srv := &http.Server{Handler: s}
	for i := range n {
		l, err := net.Listen("tcp", fmt.Sprintf("%s.%d:%d", net24, i+1, s.port))
		if err != nil {
			t.Fatalf("listen: %v", err)
		}
		s.port = l.Addr().(*net.TCPAddr).Port
		s.hosts = append(s.hosts, l.Addr().String())
		wg.Go(func() { srv.Serve(l) })
	}
	t.Cleanup(func() {
		srv.Close()
		wg.Wait()
	})
	return s
}

func (s *targets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := visit{host: r.Host, agent: r.UserAgent(), start: time.Now()}
	v.index, _ = strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	select {
	case s.seen <- v:
	default:
	}
	time.Sleep(s.stay)
	v.end = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits = append(s.visits, v)
}

// urls returns n targets, round the hosts.
func (s *targets) urls(n int) []string {
	urls := make([]string, n)
	for i := range urls {
		urls[i] = fmt.Sprintf("http://%s/%d", s.hosts[i%len(s.hosts)], i)
	}
	return urls
}

func (s *targets) all() []visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	vs := slices.Clone(s.visits)
	slices.SortFunc(vs, func(a, b visit) int { return a.start.Compare(b.start) })
	return vs
}

// checkPolite fails the test if two workers were on one host at a time, or if a
// host had more requests in any stretch of time than the rate allows: one at
// its beginning, and those of 0.7 s, for which a machine that is busy with other
// tests may hold requests up on their way and then let them come together.
func (s *targets) checkPolite(t *testing.T, rate float64) {
	t.Helper()
	byHost := make(map[string][]visit)
	for _, v := range s.all() {
		byHost[v.host] = append(byHost[v.host], v)
	}
	for host, vs := range byHost {
		for i, v := range vs {
			for _, w := range vs[i+1:] {
				if w.start.Before(v.end) && w.agent != v.agent {
					t.Errorf("%s: %s came while %s was there", host, w.agent, v.agent)
				}
			}
			for n, w := range vs[i:] {
				if allowed := rate*(w.start.Sub(v.start).Seconds()+0.7) + 1; rate > 0 && float64(n+1) > allowed+0.01 {
					t.Errorf("%s: %d requests in %v; want %.1f at most", host, n+1, w.start.Sub(v.start), allowed)
				}
			}
		}
	}
}
