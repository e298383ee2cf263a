//go:build !race

package checker_test

import (
	"runtime"
	"testing"

	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A check of a plain-HTTP site makes some 41 allocations of 2.9 KiB in all: reading
// the target, scheduling, connecting, the exchange and the Result. The race
// detector adds its own, so this is not for it.
func TestAllocations(t *testing.T) {
	const n = 3000
	port := hostile.StartPlain(t)
	c := faults.NewChecker(t)
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
	if allocs, bytes := run(); allocs > 48 || bytes > 3584 {
		t.Errorf("a check makes %d allocations of %d bytes in all; want at most 48 of 3584", allocs, bytes)
	} else {
		t.Logf("a check makes %d allocations of %d bytes in all", allocs, bytes)
	}
}
