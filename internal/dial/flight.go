package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"example.com/checker/internal/hook"
)

// The address families, as they index arrays, in the order in which they are
// preferred.
const (
	v6 = iota
	v4
)

// A flight is one lookup of one name, in both address families at once.
type flight struct {
	host    string
	began   time.Time
	answers [2]answer // by family

	// Guarded by the mu of the Lookups that the flight belongs to.
	waiters   int
	cancel    context.CancelFunc // ends the questions; nil when kept
	abandoned bool               // all left, content with one family's addresses, before the other was known
	expires   time.Time          // zero unless kept
}

func newFlight(host string, now time.Time, cancel context.CancelFunc) *flight {
	f := &flight{host: host, began: now, cancel: cancel}
	f.answers[v6] = answer{network: "ip6", done: make(chan struct{})}
	f.answers[v4] = answer{network: "ip4", done: make(chan struct{})}
	return f
}

// kept reports whether f was looked up to its end and has addresses to reuse.
func (f *flight) kept() bool { return !f.expires.IsZero() }

// ended reports whether nobody waits for the resolver any more.
func (f *flight) ended() bool { return f.abandoned || f.kept() }

// found reports whether a family is known to have addresses.
func (f *flight) found() bool { return f.answers[v6].found() || f.answers[v4].found() }

// reusable reports whether f, whose answers are known, may be used again. The
// failure of a family speaks against it, unless all who asked were content
// without that family.
func (f *flight) reusable() bool {
	return f.found() && (f.abandoned || !failed(f.answers[v6].err) && !failed(f.answers[v4].err))
}

// resolve asks for the name as rooted in both families at once. Only if both
// say that there is no such name does it go through the resolver's search
// list, so that a wildcard there cannot answer for a name that exists. A name
// written with a trailing dot never goes there.
//
// A name of one label, such as localhost, is left to the resolver as it is: it
// is hardly ever a name of the Internet, and Go's resolver finds it in the hosts
// file only without the dot.
func (f *flight) resolve(ctx context.Context, r Resolver) {
	defer f.answers[v6].publish()
	defer f.answers[v4].publish()
	switch rooted := strings.HasSuffix(f.host, "."); {
	case rooted, !strings.Contains(f.host, "."):
		f.ask(ctx, r, f.host, true)
	case f.ask(ctx, r, f.host+".", false):
		f.ask(ctx, r, f.host, true)
	}
}

// ask asks for name in both families and reports whether there is no such name
// in either. Each has a goroutine to itself, since a resolver that calls
// runtime.Goexit ends the goroutine that it runs on.
func (f *flight) ask(ctx context.Context, r Resolver, name string, final bool) (none bool) {
	var none6, none4 bool
	var wg sync.WaitGroup
	wg.Go(func() { none4 = f.answers[v4].ask(ctx, r, name, final) })
	wg.Go(func() { none6 = f.answers[v6].ask(ctx, r, name, final) })
	wg.Wait()
	return none6 && none4
}

// An answer is what the resolver says of a name in one family. Its addrs and err
// may be read once it is known.
type answer struct {
	network string        // "ip6" or "ip4"
	done    chan struct{} // closed when the answer is known
	addrs   []netip.Addr
	err     error // non-nil if addrs is empty
}

// known reports whether the answer may be read.
func (a *answer) known() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// found reports whether the answer is known and has addresses.
func (a *answer) found() bool { return a.known() && len(a.addrs) > 0 }

// publish makes the answer known.
func (a *answer) publish() {
	if !a.known() {
		close(a.done)
	}
}

// ask asks for name and reports whether there is no such name. It publishes the
// answer, unless that is so and, name not being the final one, another is asked
// for next.
func (a *answer) ask(ctx context.Context, r Resolver, name string, final bool) (none bool) {
	a.addrs, a.err = nil, hook.Exited("the resolver")
	a.addrs, a.err = lookUp(ctx, r, a.network, name)
	none = len(a.addrs) == 0 && !failed(a.err) && !errors.Is(a.err, errSinkhole)
	if final || !none {
		a.publish()
	}
	return none
}

// lookUp asks the resolver for the addresses of name that can be connected to.
// The error is non-nil if there is none.
func lookUp(ctx context.Context, r Resolver, network, name string) (addrs []netip.Addr, err error) {
	defer hook.Recovered(&err)
	all, err := r.LookupNetIP(ctx, network, name)
	if err != nil {
		return nil, hook.Checked(err)
	}
	if addrs = usable(all, network); len(addrs) > 0 {
		return addrs, nil
	}
	none := &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	if len(all) > 0 {
		return nil, errors.Join(none, errSinkhole)
	}
	return nil, none
}

// usable returns the first addresses of the network's family, without those of a
// sinkhole: 0.0.0.0 and :: would connect to this very machine. An IPv4 address in
// its IPv6-mapped form comes as an answer for IPv6, and is connected to as what it
// is.
func usable(all []netip.Addr, network string) (addrs []netip.Addr) {
	for _, a := range all {
		fits := a.Is4In6() || a.Is4() == (network == "ip4")
		if a = a.Unmap(); fits && a.IsValid() && !a.IsUnspecified() && len(addrs) < maxAddrs {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// failed reports whether err is anything but the answer that there is no such
// name.
func failed(err error) bool {
	if err == nil {
		return false
	}
	d, ok := errors.AsType[*net.DNSError](err)
	return !ok || !d.IsNotFound
}
