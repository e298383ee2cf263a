package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Ids of runs ascend, also within a second and when a clock is set back.
func TestRunIDs(t *testing.T) {
	now := time.Date(2026, 1, 31, 2, 0, 0, 0, time.UTC)
	for _, test := range []struct{ last, want string }{
		{"", testRun},
		{"20260130T020000Z-0123456789ab", testRun},
		{testRun, "20260131T020001Z-0123456789ab"},
		{"20270101T000000Z-0123456789ab", "20270101T000001Z-0123456789ab"},
	} {
		if got := newRun("0123456789ab", test.last, now.In(time.FixedZone("", 3600))); got != test.want {
			t.Errorf("newRun after %q = %q; want %q", test.last, got, test.want)
		}
	}
	if got := listOf(testRun); got != "0123456789ab" {
		t.Errorf("listOf(%q) = %q; want 0123456789ab", testRun, got)
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 s ago", 59 * time.Second: "59 s ago", 90 * time.Second: "1 min ago",
		119 * time.Minute: "1 h ago", 47 * time.Hour: "47 h ago", 50 * time.Hour: "2 days ago",
	} {
		if got := ago(time.Now().Add(-d)); got != want {
			t.Errorf("ago(%v) = %q; want %q", d, got, want)
		}
	}
}

// A list has a run after the other: none begins while there is something to be done of
// the last.
func TestBegin(t *testing.T) {
	e := inside(t, t.TempDir())
	q, err := testShape.make(t.Context(), quiet(), e.js, 64)
	if err != nil {
		t.Fatal(err)
	}
	l, err := source{File: writeList(t, "a.test"), Chunk: 500, Partitions: 64}.open()
	if err != nil {
		t.Fatal(err)
	}
	begin := func(again bool) (cursor, string) {
		c, err := q.begin(t.Context(), l, again)
		if err != nil {
			return c, err.Error()
		}
		return c, ""
	}
	first, failed := begin(true) // of what was never checked
	if c, _ := begin(true); failed != "" || c.Run != first.Run {
		t.Errorf("begin = %v, %v, and again %v; want one run until all is published", first, failed, c)
	}
	l.run = first.Run
	p := publisher{app: quiet(), queue: q, cursor: first}
	if err := p.publish(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, failed := begin(true); !strings.Contains(failed, "1 are to be checked and 0 to be collected") {
		t.Errorf("begin with a chunk in the queue: %q; want it refused", failed)
	}
	if c, failed := begin(false); failed != "" || c.Run != first.Run || !c.Done {
		t.Errorf("begin = %v, %v; want the run that is published", c, failed)
	}
	if err := q.collected(t.Context(), l.id, first.Run); err != nil {
		t.Fatal(err)
	}
	second, failed := begin(true)
	if failed != "" || second.Run <= first.Run || second.Done || second.Chunks != 0 {
		t.Errorf("begin once all is collected = %v, %v; want a run after %s", second, failed, first.Run)
	}
	// A publisher of the first run that comes late must not undo that.
	if err := q.save(t.Context(), first); !errors.Is(err, errNewRun) {
		t.Errorf("save of a run that is over = %v; want %v", err, errNewRun)
	}
	// One of two that publish the same run does not take back what the other did.
	for _, n := range []int{5, 3} {
		second.Chunks = n
		if err := q.save(t.Context(), second); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := q.cursor(t.Context(), l.id); err != nil || c.Chunks != 5 {
		t.Errorf("the cursor is %v, %v; want 5 chunks", c, err)
	}
}
