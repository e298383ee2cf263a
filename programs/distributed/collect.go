package main

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func (c *collectCmd) do(ctx context.Context, a *app) error {
	l, err := c.source.open()
	if err != nil {
		return err
	}
	s := store{c.Out}
	unlock, err := s.open()
	if err != nil {
		return err
	}
	defer unlock()
	e, err := c.link.in(c.Out).open(a)
	if err != nil {
		return err
	}
	defer e.close()
	q, err := openQueue(ctx, a, e.js, l.parts)
	if err != nil {
		return err
	}
	if l.run, err = q.awaitRun(ctx, a, l.id); err != nil {
		return err
	}
	k, err := newCollector(a, s, l)
	if err != nil {
		return err
	}
	stop, err := c.tell(ctx, a, e, k.measure)
	if err != nil {
		return err
	}
	defer stop()
	quiet := k.report(ctx)
	err = k.collect(ctx, q)
	quiet()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "list %s: all of %d lines have a result in %s, of %s\n", l.id, l.lines, c.Out, runName(l.run))
	return nil
}

// awaitRun returns the id of a list's last run, and waits for its first if need be.
func (q *queue) awaitRun(ctx context.Context, a *app, list string) (string, error) {
	for waiting := false; ; waiting = true {
		last, err := q.cursor(ctx, list)
		if err != nil || last.Run != "" {
			return last.Run, err
		}
		if !waiting {
			a.logf("waiting for a publisher to put list %s into the queue", list)
		}
		if !pause(ctx, time.Second) {
			return "", context.Cause(ctx)
		}
	}
}

// A collector writes the results of a run to a store. There is one at a time.
type collector struct {
	*app
	store
	list list
	have atomic.Int64 // lines that have a result
}

func newCollector(a *app, s store, l list) (*collector, error) {
	k := &collector{app: a, store: s, list: l}
	n, err := s.lines(l.run)
	k.have.Store(int64(n))
	return k, err
}

// measure tells how far the collector is.
func (k *collector) measure(into series) {
	into["distributed_list_lines"] = float64(k.list.lines)
	into["distributed_list_results"] = float64(k.have.Load())
	into["distributed_run_start_timestamp_seconds"] = float64(runBegan(k.list.run).Unix())
}

// collect ends when each line has a result.
func (k *collector) collect(ctx context.Context, q *queue) error {
	elsewhere, err := q.isCollected(ctx, k.list.run)
	if err != nil {
		return err
	}
	if have := int(k.have.Load()); elsewhere && have < k.list.lines {
		return fmt.Errorf("list %s: %s, was collected before, and %s has %d of its %d results; publish -again has them checked again, and repair those that are missing",
			k.list.id, runName(k.list.run), k.dir, have, k.list.lines)
	}
	results, err := q.js.CreateOrUpdateConsumer(ctx, resultsStream, jetstream.ConsumerConfig{
		Durable:       "collect-" + k.list.id,
		FilterSubject: resultsStream + "." + k.list.id + ".*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.ackWait,
		MaxDeliver:    -1,
		MaxAckPending: batch,
	})
	if err != nil {
		return err
	}
	for int(k.have.Load()) < k.list.lines {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := k.collectSome(ctx, results); err != nil {
			return err
		}
	}
	return q.collected(ctx, k.list.id, k.list.run)
}

// collectSome keeps what is there, and acknowledges it.
func (k *collector) collectSome(ctx context.Context, results jetstream.Consumer) error {
	got, err := results.Fetch(batch, jetstream.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		if isFinal(err) {
			return err
		}
		pause(ctx, 250*time.Millisecond) // the server is away
		return nil
	}
	for msg := range got.Messages() {
		if err := k.keep(msg); err != nil {
			return err
		}
	}
	if err := got.Error(); err != nil && !isFinal(err) {
		pause(ctx, 250*time.Millisecond)
	}
	return nil
}

// keep writes the results of a chunk and acknowledges them. Should the
// acknowledgement be lost, they come again and are not the first any more; so do those
// of an earlier run, which had all when the run began. Those of a later run are for its
// own collector.
func (k *collector) keep(msg jetstream.Msg) error {
	id, n := lastToken(msg.Subject()), bytes.Count(msg.Data(), []byte{'\n'})
	switch run, _, _, ok := splitID(id); {
	case ok && run > k.list.run:
		return fmt.Errorf("list %s: %w: %s", k.list.id, errNewRun, run)
	case ok && run < k.list.run:
		return msg.Ack()
	}
	first, err := k.put(id, n, msg.Data())
	if err != nil {
		return err
	}
	k.at("kept", chunk{id: id})
	if first {
		k.have.Add(int64(n))
	}
	if err := msg.Ack(); err != nil {
		k.logf("chunk %s: acknowledge: %v", id, err)
	}
	return nil
}
