//go:build !race

package checker_test

import (
	"runtime"
	"testing"
)

// A check of a plain-HTTP site makes at most 64 allocations of 5 KiB, everything
// included: reading the target, scheduling, connecting, the exchange and the
// Result. The race detector adds its own, so this is not for it.
func TestAllocations(t *testing.T) {
	const n = 3000
	port, _ := startServer(t, "plain")
	c := newChecker(t)
	run := func() (allocs, bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for r := range c.Stream(t.Context(), hosts(n, port)) {
			if !r.Online() {
				t.Error(r)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.Mallocs - before.Mallocs) / n, (after.TotalAlloc - before.TotalAlloc) / n
	}
	run() // buffers and goroutines are made once
	if allocs, bytes := run(); allocs > 64 || bytes > 5<<10 {
		t.Errorf("a check makes %d allocations of %d bytes; want at most 64 of 5120", allocs, bytes)
	} else {
		t.Logf("a check makes %d allocations of %d bytes", allocs, bytes)
	}
}
