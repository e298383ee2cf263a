package checker

import (
	"context"
	"iter"
	"sync"
	"time"

	"example.com/checker/internal/pace"
)

const (
	window  = 10_000                // targets that may be parked in one call
	addrTTL = 30 * time.Second      // for which an address found in a batch is used again
	grace   = 50 * time.Millisecond // after its context's end a batch waits for its sequence
)

// A batch is one call of CheckAll or Stream.
type batch struct {
	engine *engine
	checks *confirmer
	emit   func(*Result)
	queue  *pace.Queue[*task]
}

// run checks targets and emits the Result of each that it pulled. It returns when
// all are done, or soon after ctx has ended.
func (b *batch) run(ctx context.Context, targets iter.Seq[string]) {
	var workers sync.WaitGroup
	b.queue = b.engine.pacer.Queue(window, func(t pace.Turn[*task]) {
		workers.Go(func() { b.queue.Work(t, func(t pace.Turn[*task]) { b.check(ctx, t) }) })
	})
	if ctx.Err() != nil {
		b.queue.Stop()
	}
	defer context.AfterFunc(ctx, b.queue.Stop)()

	fed := make(chan struct{})
	go func() {
		defer close(fed)
		b.feed(targets)
	}()
	b.queue.Wait()
	over := time.After(grace)
	workers.Wait()
	b.drain(ctx)
	select {
	case <-fed:
	case <-over: // the sequence may block for as long as it likes
	}
	b.queue.Close()
	b.drain(ctx)
}

// drain delivers what got no turn.
func (b *batch) drain(ctx context.Context) {
	for _, t := range b.queue.Drain() {
		r := b.engine.unstarted(t, context.Cause(ctx))
		b.emit(&r)
	}
}

// feed pulls targets and parks them until their turn. A hook that ends the
// goroutine ends the sequence with it.
func (b *batch) feed(targets iter.Seq[string]) {
	defer b.queue.Close()
	if !b.queue.Wanted() {
		return
	}
	index, last, reading := 0, "", false
	defer func() {
		if reading {
			t := &task{index: index, target: last, asked: time.Now()}
			t.err = errExited(PhaseTarget)
			b.queue.Push(t)
		}
	}()
	for text := range targets {
		last, reading = text, true
		t := b.engine.newTask(index, text)
		reading = false
		b.queue.Push(t)
		index++
		if !b.queue.Wanted() {
			return
		}
	}
}

// check checks one target. Its Result is delivered even if a hook ends the
// goroutine; the queue then starts another worker in its place.
func (b *batch) check(ctx context.Context, turn pace.Turn[*task]) {
	var r *Result
	defer func() {
		if r == nil {
			defer b.queue.Gone()
			r = turn.Item.exited(PhaseJudge)
		}
		b.done(turn, r)
	}()
	r = b.checks.check(ctx, turn.Item)
}

// done delivers a Result, unless it only says that this machine is too short of
// something: then the queue tries the check again, and says when that is of no
// use any more.
func (b *batch) done(turn pace.Turn[*task], r *Result) {
	if scarce(r) && b.queue.Retry(turn, turn.Item.short(b.engine.conf.timeout)) {
		return
	}
	if !scarce(r) {
		b.queue.Done(turn)
	}
	b.emit(r)
}
