package pace

import "time"

// A claim is that of a queue to start checks on a host, in the order in which they were
// pushed. Those of an origin that has a brake on make a claim of their own. It is there
// as long as there are such checks, and in one of these lists:
//
//   - the line of its origin, while that takes no check
//   - the line of its host, while that has no place, no token, or others who came before
//   - ready of its queue, where it waits for a slot and a token of all hosts together
//
// Pacer.mu guards it.
type claim[T Item] struct {
	q *Queue[T]
	h *host[T]
	o *origin[T] // nil for checks whose origins have no brake on

	items []T
	one   [1]T // where items begins: most claims never have more
	node  node[*claim[T]]

	place  bool // it holds a place of h
	pass   bool // it holds the next start of o
	senior bool // it was called, and is the first if it has to wait again
}

// wait lets c, which is in no list, wait for what it lacks.
func (c *claim[T]) wait(now time.Time) {
	if c.o == nil {
		c.arrive(now)
		return
	}
	c.enqueue(&c.o.line)
	c.o.serve(now)
}

// arrive is wait for the host alone.
func (c *claim[T]) arrive(now time.Time) {
	if c.h.free(now) {
		c.ready()
		return
	}
	c.enqueue(&c.h.line)
	c.h.serve(now)
}

func (c *claim[T]) enqueue(line *list[*claim[T]]) {
	if c.senior {
		line.pushFront(&c.node)
	} else {
		line.pushBack(&c.node)
	}
}

// passed lets c go on from the line of its origin.
func (c *claim[T]) passed(now time.Time) {
	if c.q.able() && !c.o.off() {
		c.pass, c.o.held = true, true
		c.q.holds++
	} else {
		c.senior = true
	}
	c.arrive(now)
}

// called lets c go on from the line of its host.
func (c *claim[T]) called(now time.Time) {
	c.senior = true
	if c.q.able() {
		c.place = true
		c.h.active++
		c.h.held++
		c.q.holds++
	} else if c.pass {
		c.yield(now)
	}
	c.ready()
}

func (c *claim[T]) ready() {
	c.q.ready.pushBack(&c.node)
	c.q.join()
}

// release gives back what c holds.
func (c *claim[T]) release() {
	c.leavePlace()
	if c.pass {
		c.pass, c.o.held = false, false
		c.q.holds--
	}
}

// leavePlace gives back the place that c holds on its host, if it does.
func (c *claim[T]) leavePlace() {
	if c.place {
		c.place = false
		c.h.active--
		c.h.held--
		c.q.holds--
	}
}

// yield is release for the good of others.
func (c *claim[T]) yield(now time.Time) {
	c.release()
	if c.o != nil {
		c.o.serve(now)
	}
	c.h.serve(now)
}

// admit reports whether the first check of c, which is in no list, may start now. If it
// may not, c waits for what it lacks.
func (c *claim[T]) admit(now time.Time) bool {
	for o := c.blocked(now); o != nil; o = c.blocked(now) {
		other := c.q.claim(c.h, o)
		other.items = append(other.items, c.shift())
		if other.node.in == nil {
			other.wait(now)
		}
		if len(c.items) == 0 {
			c.drop(now)
			return false
		}
	}
	switch {
	case c.o != nil && !c.mayPass(now):
		c.senior = c.senior || c.pass
		c.release()
		c.enqueue(&c.o.line)
		c.yield(now)
	case !c.place && !c.h.free(now), !c.h.meter.has(1, now):
		c.leavePlace()
		c.enqueue(&c.h.line)
		c.h.serve(now)
	default:
		return true
	}
	return false
}

// blocked returns an origin whose claim the first check of c should be in.
func (c *claim[T]) blocked(now time.Time) *origin[T] { return c.q.p.braked(c.items[0], c.o, now) }

// mayPass reports whether the origin of c takes its first check now.
func (c *claim[T]) mayPass(now time.Time) bool {
	if c.pass {
		return c.o.ready(now)
	}
	return c.o.free(now)
}

// shift takes the first check out of c.
func (c *claim[T]) shift() (item T) {
	var none T
	item, c.items[0] = c.items[0], none
	c.items = c.items[1:]
	return item
}

// drop removes c, and lets others have what it held.
func (c *claim[T]) drop(now time.Time) {
	q, h, o := c.q, c.h, c.o
	c.node.leave()
	c.yield(now)
	delete(q.claims, claimKey[T]{h, o})
	if o != nil {
		o.refs--
	}
	h.refs--
	q.p.hosts.release(h, now)
	*c = claim[T]{}
	q.p.spare.Put(c)
}
