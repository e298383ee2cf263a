package checkertest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
	"example.com/checker/watch"
)

// The README shows these two, and the comment on the package the second; there
// synctest.Test stands for bubble.Test.

// follow says when a site goes down and when it comes back.
func follow(ctx context.Context, c *checker.Checker, sites []string, say func(site string, now checker.Status)) {
	trackers := make([]watch.Tracker, len(sites))
	for r := range watch.Run(ctx, c, time.Minute, sites) {
		if state, changed := trackers[r.Index].Add(r); changed {
			say(sites[r.Index], state.Status)
		}
	}
}

func TestFollow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) { // where an hour is over at once
		network := checkertest.NewNetwork()
		network.Handle("shop.test", nil) // it is up
		time.AfterFunc(30*time.Minute, func() { network.Fail("shop.test", checker.CauseExpired) })
		c, err := checker.New(network.Option())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var told []checker.Status
		follow(ctx, c, []string{"https://shop.test/"}, func(_ string, now checker.Status) { told = append(told, now) })
		if want := []checker.Status{checker.Online, checker.Offline}; !slices.Equal(told, want) {
			t.Errorf("told %q; want %q", told, want)
		}
	})
}
