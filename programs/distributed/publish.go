package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// batch is how many chunks are published at once.
const batch = 64

func (c *publishCmd) do(ctx context.Context, a *app) error {
	l, err := c.source.open()
	if err != nil {
		return err
	}
	e, err := c.link.in("out").open(a)
	if err != nil {
		return err
	}
	defer e.close()
	q, err := c.make(ctx, a, e.js, l.parts)
	if err != nil {
		return err
	}
	p := publisher{app: a, queue: q}
	if p.cursor, err = q.begin(ctx, l, c.Again); err != nil {
		return fmt.Errorf("list %s: %w", l.id, err)
	}
	l.run = p.cursor.Run
	if p.cursor.Done {
		fmt.Fprintf(a.out, "list %s: nothing was published: all of its lines were, in %s; -again has them checked again\n", l.id, runName(l.run))
		return nil
	}
	if p.cursor.Chunks > 0 {
		a.logf("list %s: going on with %s", l.id, runName(l.run))
	}
	if err := p.publish(ctx, l); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "list %s: all of %d lines are in the queue, in %d chunks; run %s\n", l.id, l.lines, p.cursor.Chunks, l.run)
	return nil
}

// A publisher puts a run of a list into the queue.
type publisher struct {
	*app
	*queue
	cursor  cursor
	pending []chunk
}

// publish puts the list of the cursor's run into the queue, from where an earlier
// publisher stopped.
func (p *publisher) publish(ctx context.Context, l list) error {
	if p.cursor.Done {
		return nil
	}
	n := 0
	err := l.walk(nil, func(c chunk) error {
		if n++; n <= p.cursor.Chunks {
			return nil
		}
		p.pending = append(p.pending, c)
		return p.flush(ctx, batch)
	})
	if err == nil {
		err = p.flush(ctx, 1)
	}
	if err != nil {
		return err
	}
	p.cursor.Done = true
	return p.save(ctx, p.cursor)
}

// flush publishes what is pending, once there are least of it, and moves the
// cursor. A publisher that dies between the two publishes the same chunks
// again, and the server knows them.
func (p *publisher) flush(ctx context.Context, least int) error {
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
		if err := p.save(ctx, p.cursor); err != nil {
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
