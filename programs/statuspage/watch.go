package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"example.com/checker"
)

// watch checks the sites of a board, each once in an interval, until ctx ends.
// It is one Stream that never ends: the sequence of targets sleeps until the
// next one is due, and the Index of a Result tells its site.
func watch(ctx context.Context, c *checker.Checker, b *board, db *store, every time.Duration) {
	targets := b.targets()
	var broken error
	for r := range c.Stream(ctx, schedule(ctx, targets, every)) {
		if r.Reason() == checker.ReasonCanceled {
			continue // says that we stop, and nothing about the site
		}
		err := db.save(b.record(r.Index%len(targets), newVerdict(r)))
		if err != nil && broken == nil { // once: a full disk would fill the log as well
			fmt.Fprintln(os.Stderr, "Error: the history is not being kept:", err)
		}
		broken = err
	}
}

// schedule yields the targets in turn, spread evenly over the interval, until
// ctx ends. The first round takes a sixth of it, so that a new page soon has
// something to show. A target that could not be taken in time makes the ones
// after it later; none is hurried.
func schedule(ctx context.Context, targets []string, every time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := time.Duration(len(targets))
		gap := every / 6 / n
		for next := time.Now(); ; gap = every / n {
			for _, target := range targets {
				if !sleepUntil(ctx, next) || !yield(target) {
					return
				}
				if next = next.Add(gap); next.Before(time.Now()) {
					next = time.Now()
				}
			}
		}
	}
}

// sleepUntil reports whether t came before the end of ctx.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
