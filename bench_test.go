//go:build !race

package checker_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// The race detector adds work and allocations of its own, so nothing here is for
// it.

func TestMain(m *testing.M) { hostile.Main(m) }

// hosts yields n URLs of distinct hosts on loopback.
func hosts(n int, port string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("http://127.%d.%d.%d:%s/", 1+i>>16&0x7f, i>>8&0xff, i&0xff, port)) {
				return
			}
		}
	}
}

// A check of a plain-HTTP site makes some 47 allocations of 3.4 KiB in all: reading
// the target, scheduling, connecting, the exchange and the Result.
func TestAllocations(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 300
	}
	port := hostile.StartPlain(t)
	c := faults.NewChecker(t, checker.WithTimeout(time.Minute)) // also for a machine that is busy and emulated
	run := func() (allocs, bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for r := range c.Stream(t.Context(), hosts(n, port)) {
			if !r.Online() {
				t.Error(r)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.Mallocs - before.Mallocs) / uint64(n), (after.TotalAlloc - before.TotalAlloc) / uint64(n)
	}
	run() // buffers and goroutines are made once
	most, mostBytes := uint64(48), uint64(3584)
	if runtime.GOOS != "linux" {
		most, mostBytes = 56, 4096 // package net connects there
	}
	if allocs, bytes := run(); allocs > most || bytes > mostBytes {
		t.Errorf("a check makes %d allocations of %d bytes in all; want at most %d of %d", allocs, bytes, most, mostBytes)
	} else {
		t.Logf("a check makes %d allocations of %d bytes in all", allocs, bytes)
	}
}

// BenchmarkHEAD compares a check of a plain-HTTP site, without and with canaries, with the
// same request by net/http without keep-alive, 100 at once.
func BenchmarkHEAD(b *testing.B) {
	port := hostile.StartPlain(b)
	for name, opts := range map[string][]checker.Option{
		"checker":  nil,
		"canaries": {checker.WithCanaries("http://127.1.1.1:"+port, "http://127.1.1.2:"+port)},
	} {
		b.Run(name, func(b *testing.B) {
			c, err := checker.New(opts...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for r := range c.Stream(b.Context(), hosts(b.N, port)) {
				if !r.Online() {
					b.Fatal(r)
				}
			}
		})
	}
	b.Run("nethttp", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		b.ReportAllocs()
		b.ResetTimer()
		var failed atomic.Int64
		var g errgroup.Group
		g.SetLimit(100)
		for u := range hosts(b.N, port) {
			g.Go(func() error {
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodHead, u, nil)
				resp, err := client.Do(req)
				if err != nil {
					failed.Add(1)
					return nil
				}
				return resp.Body.Close()
			})
		}
		if err := g.Wait(); err != nil || failed.Load() > 0 {
			b.Fatal(err, failed.Load())
		}
	})
}

// BenchmarkCheck is a single check, with nothing beside it.
func BenchmarkCheck(b *testing.B) {
	port := hostile.StartPlain(b)
	c, err := checker.New()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := c.Check(context.Background(), "http://127.0.0.1:"+port); !r.Online() {
			b.Fatal(r)
		}
	}
}
