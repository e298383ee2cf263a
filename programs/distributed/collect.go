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
	k := collector{app: a, store: store{c.Out}, list: l}
	unlock, err := k.open()
	if err != nil {
		return err
	}
	defer unlock()
	e, err := c.link.in(c.Out).open()
	if err != nil {
		return err
	}
	defer e.close()
	q, err := openQueue(ctx, a, e.js)
	if err != nil {
		return err
	}
	stop := k.report(ctx)
	err = k.collect(ctx, q)
	stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "list %s: all of %d lines have a result in %s\n", l.id, l.lines, c.Out)
	return nil
}

// A collector writes the results of a list to a store. There is one at a time.
type collector struct {
	*app
	store
	list list
	have atomic.Int64 // lines that have a result
}

// collect ends when each line has a result.
func (k *collector) collect(ctx context.Context, q *queue) error {
	n, err := k.store.lines(k.list.id)
	if err != nil {
		return err
	}
	k.have.Store(int64(n))
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
	return nil
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
// acknowledgement be lost, they come again and are not the first any more.
func (k *collector) keep(msg jetstream.Msg) error {
	id, n := lastToken(msg.Subject()), bytes.Count(msg.Data(), []byte{'\n'})
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
