package checkertest_test

import (
	"context"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
	"example.com/checker/watch"
)

// The test that the comment on the package shows, where synctest.Test takes the place of
// bubble.Test, and which docs have as well.
func TestAlarm(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := checkertest.NewNetwork()
		network.Handle("shop.test", nil)
		time.AfterFunc(time.Hour, func() { network.Fail("shop.test", checker.CauseExpired) })
		c, err := checker.New(network.Option())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour) // of the bubble: a moment
		defer cancel()
		var tracker watch.Tracker
		for r := range watch.Run(ctx, c, time.Minute, []string{"https://shop.test/"}) {
			tracker.Add(r)
		}
		if got := tracker.State().Status; got != checker.Offline {
			t.Errorf("an hour after its certificate expired the site is %q; want offline", got)
		}
	})
}
