package bubble_test

import (
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// Timers that are due when they are looked at fire on the spot, on every
// processor at once. Under the race detector this crashes within seconds
// without the care that Test takes.
func TestTimersAtOnce(t *testing.T) {
	for range 100 {
		bubble.Test(t, func(t *testing.T) {
			var wg sync.WaitGroup
			for range 300 {
				wg.Go(func() {
					for range 20 {
						timer := time.NewTimer(0)
						for due := false; !due; {
							select {
							case <-timer.C:
								due = true
							default:
							}
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
