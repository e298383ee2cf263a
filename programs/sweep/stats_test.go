package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

func TestRanking(t *testing.T) {
	var r ranking
	most := make(map[string]int64)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		host, v := fmt.Sprintf("h%d", rnd.IntN(100)), rnd.Int64N(1_000_000)
		r.add(host, v)
		most[host] = max(most[host], v)
	}
	var want []int64
	for _, v := range most {
		want = append(want, v)
	}
	slices.SortFunc(want, func(a, b int64) int { return int(b - a) })
	for i, got := range r {
		if got.value != want[i] || most[got.host] != got.value {
			t.Errorf("place %d = %v; want %d", i, got, want[i])
		}
	}
	if len(r) != ranks {
		t.Errorf("%d places; want %d", len(r), ranks)
	}
}

func TestStats(t *testing.T) {
	now := time.Now()
	s := newStats(now)
	for i := range 1000 {
		s.add(found(fmt.Sprintf("http://h%d.example:80/x", i), time.Duration(i+1)*time.Millisecond, ""))
	}
	for p, want := range map[float64]time.Duration{50: 500, 90: 900, 99: 990, 100: 1000} {
		want *= time.Millisecond
		if got := s.percentile(p); got < want || got > want+want/500 {
			t.Errorf("percentile(%v) = %v; want %v", p, got, want)
		}
	}
	if got := s.slowest[0]; got.host != "h999.example:80" || got.value != 1_000_000 {
		t.Errorf("the slowest is %v; want h999.example:80 with a second", got)
	}
	for i, left := range []time.Duration{-time.Second, day, 7 * day, 8 * day, 89 * day, 365 * day, 366 * day, 90_000 * day} {
		r := found(fmt.Sprintf("https://c%d/", i), time.Second, "")
		r.TLS = &checker.TLS{NotAfter: now.Add(left)}
		s.add(r)
	}
	if want := [...]int{1, 2, 1, 1, 1, 2}; s.expiry != want {
		t.Errorf("expiries %v; want %v", s.expiry, want)
	}
	if got := s.expiring[0].host; got != "c0" {
		t.Errorf("the first to expire is %s; want c0", got)
	}
}

// A certificate may say that it is valid to the year 9999.
func TestEternal(t *testing.T) {
	r := found("https://h/", time.Second, "")
	r.TLS = &checker.TLS{NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
	s := newStats(time.Now())
	s.add(r)
	if got := s.expiryText(s.expiring[0].value); !strings.HasPrefix(got, "9999-12-31, in ") {
		t.Errorf("it expires %q; want 9999-12-31", got)
	}
	r.TLS.NotAfter = time.Time{}
	s.add(r)
}

func TestSet(t *testing.T) {
	var s set
	for _, n := range []int{0, 1, 63, 64, pageSize - 1, pageSize, 1 << 40} {
		if s.has(n) || !s.add(n) || s.add(n) || !s.has(n) || s.has(n+2) {
			t.Errorf("%d is not added once", n)
		}
	}
}

func TestShow(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 9949 * time.Microsecond: "9.9 ms", 9999 * time.Microsecond: "10 ms",
		time.Second: "1.0 s", 61 * time.Second: "1m1s",
	} {
		if got := show(d); got != want {
			t.Errorf("show(%d) = %q; want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567"} {
		if got := group(n); got != want {
			t.Errorf("group(%d) = %q; want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "  0.0 %", 1: " <0.1 %", 5000: " 50.0 %", 10_000: "100.0 %"} {
		if got := share(n, 10_000); got != want {
			t.Errorf("share(%d) = %q; want %q", n, got, want)
		}
	}
}
