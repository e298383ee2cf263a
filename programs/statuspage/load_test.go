package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// crowd returns a board with n sites in groups of 50.
func crowd(n int, every time.Duration) *board {
	var list strings.Builder
	for i := range n {
		if i%50 == 0 {
			fmt.Fprintf(&list, "## Region %d\n", i/50+1)
		}
		fmt.Fprintf(&list, "https://shop-%d.example.org/health Shop %d\n", i, i)
	}
	b := listed(list.String())
	for _, s := range b.sites {
		s.tracker.Every = every
	}
	return b
}

// sample returns a verdict on a site, of which one in a hundred is offline.
func sample(i int, random *rand.Rand) verdict {
	v := verdict{at: time.Now(), status: checker.Online, latency: time.Duration(float64(20+i%180) * (1 + .2*random.NormFloat64()) * 1e6)}
	v.latency = max(v.latency, time.Millisecond)
	v.expires = v.at.AddDate(0, 0, 60)
	if i%100 == 17 {
		v = verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonTimeout, text: "no answer within the timeout (connect)"}
	}
	return v
}

// round records a verdict on each site, spread over a time.
func round(b *board, over time.Duration, random *rand.Rand) {
	for i := range b.sites {
		b.record(i, sample(i, random))
		time.Sleep(over / time.Duration(len(b.sites)))
	}
}

// A counter is a response that is counted.
type counter struct {
	*httptest.ResponseRecorder
	mu sync.Mutex
	n  int
}

func (c *counter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += len(p)
	return len(p), nil
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Rows whose figures change have their turns, and none is left out.
func TestFigures(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b, random := crowd(1000, 30*time.Second), rand.New(rand.NewPCG(1, 2))
		for range 8 { // until there are states, and then turns
			round(b, 30*time.Second, random)
		}
		version, start := b.version, time.Now()
		for range 8 {
			round(b, 30*time.Second, random)
		}
		if n, most := b.version-version, uint64(time.Since(start)/figurePause); n > most || n < most*3/4 {
			t.Errorf("in %v %d rows have changed; want up to %d", time.Since(start), n, most)
		}
		for i, told := range b.told {
			if time.Since(told) > 3*time.Minute {
				t.Errorf("row %d has not changed for %v", i, time.Since(told))
			}
		}
		offline(b, 3)
		if b.fresh[3] != b.version {
			t.Error("a row that goes offline waits for its turn")
		}
	})
}

// A page with a thousand sites that are checked every 30 s gets at most 20 KB a second,
// and less if it takes them compressed.
func TestTraffic(t *testing.T) {
	for coding, most := range map[string]int{"": 20_000, "gzip": 5_000} {
		bubble.Test(t, func(t *testing.T) {
			b, random := crowd(1000, 30*time.Second), rand.New(rand.NewPCG(1, 2))
			s := newServer(options{every: 30 * time.Second}, b)
			for range kept { // charts are full; that it is the same second is no matter
				for i, s := range b.sites {
					s.record(sample(i, random))
				}
			}
			for range 6 { // until figures have their turns
				round(b, 30*time.Second, random)
			}
			ctx, cancel := context.WithCancel(t.Context())
			req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events?since="+eventID(s.boot, b.version), nil)
			req.Header.Set("Accept-Encoding", coding)
			w := &counter{ResponseRecorder: httptest.NewRecorder()}
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.ServeHTTP(w, req)
			}()
			synctest.Wait()
			before := w.count()
			for range 2 {
				round(b, 30*time.Second, random)
			}
			rate := (w.count() - before) / 60
			t.Logf("with coding %q: %d bytes a second", coding, rate)
			if rate > most || rate < 100 {
				t.Errorf("with coding %q: %d bytes a second; want at most %d", coding, rate, most)
			}
			cancel()
			<-done
		})
	}
}
