package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A list is checked in runs, of which it has one at a time. The id of a run is
// when it began and the id of its list. It begins the ids of the run's chunks, and
// thus the names of its messages and files; those of one list ascend, whatever
// clocks do.
const (
	runTime  = "20060102T150405Z"
	runWidth = len(runTime) + len("-") + listWidth
)

// newRun returns the id of a run that begins now, after the last one.
func newRun(list, last string, now time.Time) string {
	if next := runBegan(last).Add(time.Second); now.Before(next) {
		now = next
	}
	return now.UTC().Format(runTime) + "-" + list
}

// runBegan returns when a run began; the zero time of a text that names none.
func runBegan(run string) time.Time {
	t, _ := time.Parse(runTime, run[:min(len(run), len(runTime))])
	return t
}

// listOf returns the id of a run's list.
func listOf(run string) string { return run[runWidth-listWidth:] }

// runName names a run for people.
func runName(run string) string {
	began := runBegan(run)
	return fmt.Sprintf("the run of %s, %s", began.Format(time.DateTime+" UTC"), ago(began))
}

// ago says how long ago something was.
func ago(t time.Time) string {
	switch d := max(0, time.Since(t)); {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
}

// A cursor says how far the last run of a list is published. It is kept beside the
// queue, so that a publisher that starts again goes on, on whatever machine.
type cursor struct {
	Run    string `json:"run"`
	Chunks int    `json:"chunks"` // chunks in the queue, in the order of the chunker
	Done   bool   `json:"done"`

	revision uint64 // 0 if there is none yet
}

// cursor returns the cursor of a list; the zero cursor if it never had a run.
func (q *queue) cursor(ctx context.Context, list string) (c cursor, err error) {
	entry, err := q.lists.Get(ctx, list)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return c, nil
	}
	if err == nil {
		c.revision = entry.Revision()
		err = json.Unmarshal(entry.Value(), &c)
	}
	return c, err
}

// begin returns the cursor of a list's last run, and begins a run if there was none,
// or if there is to be one more.
func (q *queue) begin(ctx context.Context, l list, again bool) (cursor, error) {
	for {
		c, err := q.cursor(ctx, l.id)
		if err != nil || c.Run != "" && (!again || !c.Done) {
			return c, err
		}
		switch left, err := q.unfinished(ctx, c); {
		case err != nil:
			return c, err
		case left != "":
			return c, fmt.Errorf("%s, is not finished: %s; work and collect it first", runName(c.Run), left)
		}
		next := cursor{Run: newRun(l.id, c.Run, time.Now()), revision: c.revision}
		if ok, err := q.put(ctx, next); err != nil || ok {
			return next, err
		}
	}
}

// unfinished says what is left to be done of a run; "" if nothing is. A run of which
// there is nothing in the queue any more is finished, though lines have no result.
func (q *queue) unfinished(ctx context.Context, c cursor) (left string, err error) {
	if c.Run == "" {
		return "", nil
	}
	if !c.Done {
		return "not all of its lines are in the queue yet", nil
	}
	if done, err := q.isCollected(ctx, c.Run); err != nil || done {
		return "", err
	}
	jobs, err := count(ctx, q.jobs, jobsStream+".*."+listOf(c.Run)+".*")
	if err != nil {
		return "", err
	}
	results, err := count(ctx, q.results, resultsStream+"."+listOf(c.Run)+".*")
	if err != nil || jobs+results == 0 {
		return "", err
	}
	return fmt.Sprintf("of its chunks, %d are to be checked and %d to be collected", jobs, results), nil
}

// count returns how many messages of a subject a stream has.
func count(ctx context.Context, s jetstream.Stream, subject string) (int, error) {
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return 0, err
	}
	return len(info.State.Subjects), nil // each has one
}

// put keeps a cursor, unless another was kept meanwhile.
func (q *queue) put(ctx context.Context, c cursor) (ok bool, err error) {
	data, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	_, err = q.lists.Update(ctx, listOf(c.Run), data, c.revision)
	if isThere(err) {
		return false, nil
	}
	return err == nil, err
}

// save keeps how far a run is published. Of two publishers of one run, who do no
// harm, the one that is further holds; one whose run is over must end.
func (q *queue) save(ctx context.Context, c cursor) error {
	for {
		last, err := q.cursor(ctx, listOf(c.Run))
		switch {
		case err != nil:
		case last.Run != c.Run:
			return fmt.Errorf("%w: %s", errNewRun, last.Run)
		case last.Done || last.Chunks > c.Chunks:
			return nil
		default:
			var ok bool
			c.revision = last.revision
			if ok, err = q.put(ctx, c); ok {
				return nil
			}
		}
		if err != nil && isFinal(err) {
			return err
		}
		if !pause(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// errNewRun is why somebody who works on a run ends.
var errNewRun = errors.New("another run of the list has begun")

// collected notes that a run has all its results, wherever its collector keeps them;
// "" takes back that the last one has.
func (q *queue) collected(ctx context.Context, list, run string) error {
	_, err := q.lists.PutString(ctx, list+".collected", run)
	return err
}

func (q *queue) isCollected(ctx context.Context, run string) (bool, error) {
	entry, err := q.lists.Get(ctx, listOf(run)+".collected")
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil && string(entry.Value()) == run, err
}
