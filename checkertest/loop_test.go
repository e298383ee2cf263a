package checkertest_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
)

// docs/comparison.md says what a loop over http.Client makes of the faults that hosts can
// have: an error is all that it gets, so that those of this side count as the site's.
func TestLoop(t *testing.T) {
	const target = "https://site.test/"
	type verdict struct {
		fault checker.Status // what it should be
		found checker.Status
		down  bool // in the loop
	}
	got := make(map[verdict]int)
	whys := all(t)
	for _, why := range whys {
		hasCauses := slices.ContainsFunc(whys, func(other error) bool { return other != why && errors.Is(other, why) })
		if hasCauses || slices.Contains(unfit, why) {
			continue
		}
		bubble.Test(t, func(t *testing.T) {
			n := checkertest.NewNetwork()
			n.Fail(target, why)
			client := n.Client()
			client.Timeout = 10 * time.Second
			resp, err := client.Head(target)
			if err == nil {
				resp.Body.Close()
			}
			found := newChecker(t, n).Check(t.Context(), target).Status()
			got[verdict{checkertest.Result(target, why).Status(), found, err != nil}]++
		})
	}
	want := map[verdict]int{
		{checker.Offline, checker.Offline, true}:  24,
		{checker.Offline, checker.Offline, false}: 1, // a head of 300 KiB, which net/http reads
		{checker.Unknown, checker.Unknown, true}:  13,
	}
	if !maps.Equal(got, want) {
		t.Errorf("the verdicts are %+v; want %+v, as docs/comparison.md has them", got, want)
	}
}
