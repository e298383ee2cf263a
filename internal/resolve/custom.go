package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
)

// A Hook is a resolver that is not ours: it looks up the addresses of a host in one
// family, "ip4" or "ip6". *net.Resolver is one.
type Hook interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// unknownTTL is what a Hook does not say: whoever keeps the answer has a bound of
// his own.
const unknownTTL = 24 * time.Hour

// A Custom looks names up by a Hook. It is safe for concurrent use if the Hook is.
type Custom struct{ hook Hook }

// NewCustom returns a Custom that asks h, and that tells want of descriptors if h is
// a *net.Resolver, which does not.
func NewCustom(h Hook) *Custom {
	if r, ok := h.(*net.Resolver); ok && r != nil {
		h = tellScarcity(r)
	}
	return &Custom{h}
}

// Begin does nothing: a Hook keeps what it likes.
func (*Custom) Begin() {}

// End does nothing: there is nothing to close.
func (*Custom) End() {}

// GiveUp does nothing: there is nothing to give up.
func (*Custom) GiveUp() {}

// Lookup is that of [Resolver]. Each family has a goroutine to itself, since a hook
// that calls runtime.Goexit ends the goroutine that it runs on, and since the end of
// ctx ends the lookup even if the hook does not heed it.
func (c *Custom) Lookup(ctx context.Context, name string, settled func(Answer)) {
	answers := make(chan Answer, 2)
	for _, f := range [...]Family{IP4, IP6} {
		go func() {
			err := hook.Exited("the resolver")
			var addrs []netip.Addr
			defer func() { answers <- custom(f, name, addrs, err) }()
			addrs, err = c.ask(ctx, f, name)
		}()
	}
	var known [IP6 + 1]bool
	for range 2 {
		select {
		case a := <-answers:
			known[a.Family] = true
			settled(a)
			continue
		case <-ctx.Done():
		}
		for _, f := range [...]Family{IP4, IP6} {
			if !known[f] {
				settled(custom(f, name, nil, hook.Checked(context.Cause(ctx))))
			}
		}
		return
	}
}

func (c *Custom) ask(ctx context.Context, f Family, name string) (addrs []netip.Addr, err error) {
	defer hook.Recovered(&err)
	network := "ip4"
	if f == IP6 {
		network = "ip6"
	}
	addrs, err = c.hook.LookupNetIP(ctx, network, name)
	if err = hook.Checked(err); err != nil && errors.Is(err, ctx.Err()) {
		err = hook.Checked(context.Cause(ctx))
	}
	return addrs, err
}

// custom returns what a hook's answer means. One of this module's own says itself what
// went wrong.
func custom(f Family, name string, addrs []netip.Addr, err error) Answer {
	if own, ok := err.(*Error); ok && own != nil {
		return Answer{Family: f, Err: own}
	}
	a := Answer{Family: f, TTL: unknownTTL}
	if err == nil {
		if a.Addrs = usable(addrs, f); len(a.Addrs) > 0 {
			return a
		}
	}
	e := &Error{Kind: customKind(err), Name: name, Family: f, Err: err}
	if err == nil && slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap().IsUnspecified() }) {
		e.Kind = Sinkhole
	}
	return Answer{Family: f, Err: e}
}

// usable returns the first addresses of the family, without the unspecified one,
// which leads to this very machine. An IPv4 address in its IPv6-mapped form comes as
// an answer for IPv6, and is connected to as what it is.
func usable(all []netip.Addr, f Family) (addrs []netip.Addr) {
	for _, a := range all {
		fits := a.Is4In6() || a.Is4() == (f == IP4)
		if a = a.Unmap(); fits && a.IsValid() && !a.IsUnspecified() && len(addrs) < maxAddrs {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// customKind returns the kind of a hook's error. A [net.AddrError] is how
// *net.Resolver says that a host has addresses of the other family only.
func customKind(err error) Kind {
	d, isDNS := errors.AsType[*net.DNSError](err)
	_, isAddr := errors.AsType[*net.AddrError](err)
	switch {
	case errno.Scarce(err): // first, since what was not asked was not found either
		return Scarce
	case err == nil, isAddr:
		return NoAddress
	case isDNS && d.IsNotFound:
		return NotFound
	case isTimeout(err):
		return Silent
	}
	return Foreign
}
