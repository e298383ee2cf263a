package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

func (c *repairCmd) do(ctx context.Context, a *app) error {
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
	q, err := c.make(ctx, a, e.js, l.parts)
	if err != nil {
		return err
	}
	if l.run, err = q.adopt(ctx, l, s); err != nil {
		return err
	}
	n, lines, err := repair(ctx, q, l, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "list %s: %d lines are in the queue again, in %d chunks\n", l.id, lines, n)
	return nil
}

// adopt returns the id of a list's last run: the one that the queue knows, or else, as
// with a new queue, the one that the store has. The run is not collected any more, nor
// to be published.
func (q *queue) adopt(ctx context.Context, l list, s store) (run string, err error) {
	c, err := q.cursor(ctx, l.id)
	if err == nil && c.Run == "" {
		c.Run, err = s.lastRun(l.id)
	}
	if err != nil {
		return "", err
	}
	c.Run, c.Done = cmp.Or(c.Run, newRun(l.id, "", time.Now())), true
	if ok, err := q.put(ctx, c); err != nil || !ok {
		return "", cmp.Or(err, errNewRun)
	}
	return c.Run, q.collected(ctx, l.id, "")
}

// repair puts the chunks back into the queue of which a line has no result. A
// file that does not have what its name says goes aside first: to the same name
// with .damaged after it. The chunks are of a round of their own; under their
// old names the server would drop them as duplicates.
func repair(ctx context.Context, q *queue, l list, s store) (chunks, lines int, err error) {
	round := strconv.FormatInt(time.Now().UnixNano(), 36)
	p := publisher{queue: q, app: &app{}}
	err = l.walk(nil, func(c chunk) error {
		if err := s.setAside(c); err != nil {
			return err
		}
		cs, err := s.missing(c)
		if err != nil {
			return err
		}
		for _, c := range cs {
			chunks++
			lines += len(c.lines)
			if err := p.again(ctx, c, round); err != nil {
				return err
			}
		}
		return nil
	})
	return chunks, lines, err
}

// again publishes a chunk once there is room.
func (p *publisher) again(ctx context.Context, c chunk, round string) error {
	for {
		room, err := p.room(ctx)
		if err != nil {
			return err
		}
		if room > 0 {
			return p.publishAll(ctx, []chunk{c}, round)
		}
		if !pause(ctx, 250*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// setAside renames the pieces of a chunk if they have not its lines, each once.
// A line without a result is no reason: its piece is not there.
func (s store) setAside(c chunk) error {
	pieces, err := s.find(c.id)
	if err != nil {
		return err
	}
	lines := make(map[int]bool, len(c.lines))
	for _, l := range c.lines {
		lines[l.index] = true
	}
	for _, p := range pieces {
		if sound, err := p.take(lines); err != nil || sound {
			if err != nil {
				return err
			}
			continue
		}
		if err := os.Rename(p.path, p.path+".damaged"); err != nil {
			return err
		}
	}
	return nil
}

// take reports whether a piece has as many lines as its name says, all of them
// among those of its chunk that no other piece has had, which it takes.
func (p piece) take(lines map[int]bool) (sound bool, err error) {
	r, t := reader{pieces: []piece{p}}, newTally()
	defer r.close()
	var taken []int
	for {
		if err := r.advance(t); err != nil {
			return false, err
		}
		if r.text == nil {
			break
		}
		if i := r.next.Index; lines[i] {
			delete(lines, i)
			taken = append(taken, i)
		} else {
			t.extra++
		}
	}
	if t.extra == 0 && len(taken) == p.lines {
		return true, nil
	}
	for _, i := range taken {
		lines[i] = true
	}
	return false, nil
}
