package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

// follow checks the sites of a board, each once in an interval, until ctx ends. What
// is wrong meanwhile it says on stderr.
func follow(ctx context.Context, c *checker.Checker, b *board, db *store, every time.Duration, stderr io.Writer) {
	var broken error
	for r := range watch.Run(ctx, c, every, b.targets()) {
		if r.Reason() == checker.ReasonCanceled {
			continue // says that we stop, and nothing about the site
		}
		err := db.save(b.record(r.Index, newVerdict(r)))
		if err != nil && broken == nil { // once: a full disk would fill the log as well
			fmt.Fprintln(stderr, "statuspage: the history is not being kept:", err)
		}
		broken = err
	}
}
