// Package bubble runs tests in bubbles of testing/synctest. It is for tests.
package bubble

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Test is [synctest.Test], with one processor under the race detector.
//
// All timers of a bubble report to the race detector as one thread. Where two
// of them fire at once, on two processors, the detector crashes the process
// (golang.org/issue/78156). What it finds are accesses that nothing orders, and
// for that one processor will do.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if Race {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	synctest.Test(t, f)
}
