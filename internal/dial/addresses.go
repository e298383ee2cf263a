package dial

import (
	"net/netip"

	"example.com/checker/internal/resolve"
)

// maxAddrs is how many addresses of one host are tried.
const maxAddrs = 8

// addresses are the addresses of a host, as they become known and are tried: the
// families in turns (RFC 8305, section 4).
type addresses struct {
	host     string
	families [2]family
	next     int // the family whose turn it is
}

// A family is what a host has in one address family.
type family struct {
	answer *answer

	untried []netip.Addr // of those taken from the answer
	used    int          // how many have been tried
	share   int          // how many tries are kept for this family
}

func newAddresses(host string) addresses {
	const half = maxAddrs / 2
	return addresses{host: host, families: [2]family{v6: {share: half}, v4: {share: half}}}
}

// add adds the addresses of a family's answer.
func (c *addresses) add(i int, addrs []netip.Addr) {
	f := &c.families[i]
	f.untried = addrs
	f.share = min(f.share, len(addrs))
}

// remaining returns how many addresses may still be tried.
func (c *addresses) remaining() int { return c.room(v6) + c.room(v4) }

// room returns how many addresses of one family may still be tried. Half of the
// tries are kept for the other family until it is known to need fewer.
func (c *addresses) room(i int) int {
	f, other := &c.families[i], &c.families[1-i]
	return min(len(f.untried), maxAddrs-other.share-f.used)
}

// pop returns the next address to try. There must be one.
func (c *addresses) pop() netip.Addr {
	if c.room(c.next) == 0 {
		c.next = 1 - c.next
	}
	f := &c.families[c.next]
	addr := f.untried[0]
	f.untried = f.untried[1:]
	f.used++
	c.next = 1 - c.next
	return addr
}

// tried returns how many addresses have been tried.
func (c *addresses) tried() int { return c.families[v6].used + c.families[v4].used }

// noAddr returns why neither family has an address. One that failed outweighs one
// that has none, and of two that failed the graver is told. One for which the name
// exists outweighs one for which it does not: only if both say so is that so.
func (c *addresses) noAddr() error {
	err, other := c.families[v4].answer.err, c.families[v6].answer.err
	switch {
	case failed(err) && failed(other) && kindOf(other) > kindOf(err), // SERVFAIL says more than silence
		!failed(err) && (failed(other) || kindOf(err) == resolve.NotFound):
		err = other
	}
	return &LookupError{Host: c.host, Err: err}
}
