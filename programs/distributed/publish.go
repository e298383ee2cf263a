package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// batch is how many chunks are published at once.
const batch = 64

// A cursor says how far a list is published. It is kept beside the queue, so
// that a publisher that starts again goes on, on whatever machine.
type cursor struct {
	Chunks int  `json:"chunks"` // chunks in the queue, in the order of the chunker
	Done   bool `json:"done"`
}

func (c *publishCmd) do(ctx context.Context, a *app) error {
	l, err := c.source.open()
	if err != nil {
		return err
	}
	e, err := c.link.in("out").open()
	if err != nil {
		return err
	}
	defer e.close()
	q, err := c.make(ctx, e.js)
	if err != nil {
		return err
	}
	p := publisher{app: a, queue: q}
	if err := p.publish(ctx, l); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "list %s: all of %d lines are in the queue, in %d chunks\n", l.id, l.lines, p.cursor.Chunks)
	return nil
}

// A publisher puts lists into the queue.
type publisher struct {
	*app
	*queue
	cursor  cursor
	pending []chunk
}

// publish puts a list into the queue, from where an earlier call stopped.
func (p *publisher) publish(ctx context.Context, l list) error {
	if err := p.load(ctx, l.id); err != nil {
		return err
	}
	if p.cursor.Done {
		return nil
	}
	n := 0
	err := l.walk(nil, func(c chunk) error {
		if n++; n <= p.cursor.Chunks {
			return nil
		}
		p.pending = append(p.pending, c)
		return p.flush(ctx, l.id, batch)
	})
	if err == nil {
		err = p.flush(ctx, l.id, 1)
	}
	if err != nil {
		return err
	}
	p.cursor.Done = true
	return p.save(ctx, l.id)
}

// flush publishes what is pending, once there are least of it, and moves the
// cursor. A publisher that dies between the two publishes the same chunks
// again, and the server knows them.
func (p *publisher) flush(ctx context.Context, list string, least int) error {
	for len(p.pending) >= least {
		room, err := p.room(ctx)
		if err != nil {
			return err
		}
		if room == 0 {
			if !pause(ctx, 250*time.Millisecond) {
				return context.Cause(ctx)
			}
			continue
		}
		n := min(room, len(p.pending))
		if err := p.publishAll(ctx, p.pending[:n], ""); err != nil {
			return err
		}
		p.at("published a batch", p.pending[0])
		p.cursor.Chunks += n
		if err := p.save(ctx, list); err != nil {
			return err
		}
		p.pending = p.pending[n:]
	}
	return nil
}

// room returns how many chunks the queue may take: it is to be nine tenths full
// at most. The last tenth is for the halves of split chunks, which could not be
// put back into a full queue.
func (q *queue) room(ctx context.Context) (int, error) {
	info, err := q.jobs.Info(ctx)
	if err != nil {
		if ctx.Err() != nil || isFinal(err) {
			return 0, err
		}
		return 0, nil // the server is away: no room for now
	}
	return max(0, int(info.Config.MaxMsgs/10*9)-int(info.State.Msgs)), nil
}

// publishAll publishes chunks and waits until the server has them all. The
// round is empty but for chunks that are published again on purpose.
func (q *queue) publishAll(ctx context.Context, cs []chunk, round string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(batch)
	for _, c := range cs {
		g.Go(func() error {
			return q.send(ctx, jobSubject(c.id), msgID(c.id, round), roundHeader(round), c.encode())
		})
	}
	return g.Wait()
}

func (p *publisher) load(ctx context.Context, list string) error {
	entry, err := p.lists.Get(ctx, list)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(entry.Value(), &p.cursor)
}

func (p *publisher) save(ctx context.Context, list string) error {
	data, err := json.Marshal(p.cursor)
	if err != nil {
		return err
	}
	for {
		_, err := p.lists.Put(ctx, list, data)
		if err == nil || isFinal(err) {
			return err
		}
		if !pause(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}
