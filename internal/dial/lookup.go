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

// A Resolver looks up the addresses of a host in one address family: network
// is "ip4" or "ip6". *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// maxFound bounds the answers that a Lookups keeps, whatever the number of
// names in a batch.
const maxFound = 10_000

// Lookups asks a Resolver, once at a time for any name: callers that want a
// name while it is being looked up share the answer. An answer with addresses
// is reused for the TTL; a failure never is, or a hiccup of the resolver would
// be believed for as long.
//
// A Lookups is safe for concurrent use.
type Lookups struct {
	resolver Resolver
	ttl      time.Duration

	mu      sync.Mutex
	flights map[string]*flight // under way, or found and not yet expired
	found   []*flight          // those of flights that are settled, oldest first
}

// NewLookups returns a Lookups that asks r and reuses what it finds for ttl.
// With a ttl of 0 only lookups under way are shared.
func NewLookups(r Resolver, ttl time.Duration) *Lookups {
	return &Lookups{resolver: r, ttl: ttl, flights: make(map[string]*flight)}
}

// The address families, as they index arrays, in the order in which they are
// preferred.
const (
	v6 = iota
	v4
)

// A flight is the lookup of one name in both address families. A family's
// answer may be read once its channel is closed.
type flight struct {
	host    string
	answers [2]answer
	began   time.Time
	cancel  context.CancelFunc
	waiters int       // guarded by Lookups.mu
	expires time.Time // guarded by Lookups.mu; zero while under way
	left    bool      // guarded by Lookups.mu; all have gone on with one family's addresses
}

type answer struct {
	network string // "ip4" or "ip6"
	done    chan struct{}
	addrs   []netip.Addr
	err     error // non-nil if addrs is empty
}

// join returns the flight of host and counts the caller in; it must leave it.
// If fresh is set, an answer from before is not used. The lookup goes on for as
// long as anybody waits for it, so it takes ctx's values but not its end. If it is
// over, a family that failed may only have been given up.
func (l *Lookups) join(ctx context.Context, host string, fresh bool) (f *flight, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	f = l.flights[host]
	if f != nil && (fresh && f.over() || l.stale(f, now)) {
		f = nil
	}
	if f == nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{
			host:   host,
			began:  now,
			cancel: cancel,
			answers: [2]answer{
				v6: {network: "ip6", done: make(chan struct{})},
				v4: {network: "ip4", done: make(chan struct{})},
			},
		}
		l.flights[host] = f
		go l.fly(ctx, f)
	}
	f.waiters++
	return f, f.over()
}

// over reports whether f is from before: nobody waits for it any more.
func (f *flight) over() bool { return f.left || !f.expires.IsZero() }

// stale reports whether f has found something that is too old to be used. A family
// that is silent may keep a flight under way for as long as checks overlap.
func (l *Lookups) stale(f *flight, now time.Time) bool {
	if !f.expires.IsZero() {
		return !now.Before(f.expires)
	}
	return l.ttl > 0 && !now.Before(f.began.Add(l.ttl)) && (f.answers[v4].found() || f.answers[v6].found())
}

// leave counts the caller out. The last one to leave ends the lookup.
func (l *Lookups) leave(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.waiters--
	if f.waiters > 0 || !f.expires.IsZero() {
		return
	}
	f.cancel()
	// What one family found is kept also if nobody waited for the other: a
	// server that is silent about that would otherwise cost every check its
	// grace. Whoever needs the other's addresses looks up again: see race.
	if f.left = f.answers[v4].found() || f.answers[v6].found(); !f.left {
		l.forget(f)
	}
}

// settled reports whether the family's answer may be read.
func (a *answer) settled() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// found reports whether the family has settled with addresses.
func (a *answer) found() bool { return a.settled() && len(a.addrs) > 0 }

// forget drops f, unless a later flight has taken its place.
func (l *Lookups) forget(f *flight) {
	if l.flights[f.host] == f {
		delete(l.flights, f.host)
	}
}

// fly does the lookup and settles what becomes of the answer.
func (l *Lookups) fly(ctx context.Context, f *flight) {
	defer f.cancel()
	l.resolve(ctx, f)

	l.mu.Lock()
	defer l.mu.Unlock()
	found := len(f.answers[v4].addrs)+len(f.answers[v6].addrs) > 0
	whole := f.left || !failed(f.answers[v4].err) && !failed(f.answers[v6].err)
	now := time.Now()
	if !found || !whole || l.ttl == 0 || l.flights[f.host] != f || l.stale(f, now) {
		l.forget(f)
		return
	}
	f.expires = now.Add(l.ttl)
	f.cancel = nil // nobody needs it any more, and it holds on to all that the first check had
	l.found = append(l.found, f)
	for len(l.found) > maxFound || !now.Before(l.found[0].expires) { // which f never is
		l.forget(l.found[0])
		l.found[0] = nil
		l.found = l.found[1:]
	}
}

// resolve asks for the name as rooted in both families at once. Only if both
// say that there is no such name does it go through the resolver's search
// list, so that a wildcard there cannot answer for a name that exists. A name
// written with a trailing dot never goes there.
//
// A name of one label, such as localhost, is left to the resolver as it is: it
// is hardly ever a name of the Internet, and Go's resolver finds it in the hosts
// file only without the dot.
func (l *Lookups) resolve(ctx context.Context, f *flight) {
	defer f.answers[v6].settle()
	defer f.answers[v4].settle()
	switch rooted := strings.HasSuffix(f.host, "."); {
	case rooted, !strings.Contains(f.host, "."):
		l.askBoth(ctx, f, f.host, true)
	case l.askBoth(ctx, f, f.host+".", false):
		l.askBoth(ctx, f, f.host, true)
	}
}

// askBoth asks for name in both families and reports whether there is no such
// name in either. Each has a goroutine to itself, since a resolver that calls
// runtime.Goexit ends the goroutine that it runs on.
func (l *Lookups) askBoth(ctx context.Context, f *flight, name string, final bool) (none bool) {
	var none4, none6 bool
	var wg sync.WaitGroup
	wg.Go(func() { none4 = l.ask(ctx, &f.answers[v4], name, final) })
	wg.Go(func() { none6 = l.ask(ctx, &f.answers[v6], name, final) })
	wg.Wait()
	return none4 && none6
}

// ask looks name up in one family and settles the family, unless there is no
// such name and a further name may yet be asked for. It reports whether there
// is no such name.
func (l *Lookups) ask(ctx context.Context, a *answer, name string, final bool) (none bool) {
	a.addrs, a.err = nil, hook.Exited("the resolver")
	a.addrs, a.err = l.lookup(ctx, a.network, name)
	none = len(a.addrs) == 0 && !failed(a.err) && !errors.Is(a.err, errSinkhole)
	if final || !none {
		a.settle()
	}
	return none
}

func (a *answer) settle() {
	if !a.settled() {
		close(a.done)
	}
}

// lookup asks the resolver and drops what is no address to connect to: a
// sinkhole's 0.0.0.0 or :: would connect to this very machine. The error is
// non-nil if no address is left.
func (l *Lookups) lookup(ctx context.Context, network, name string) (addrs []netip.Addr, err error) {
	defer hook.Recovered(&err)
	all, err := l.resolver.LookupNetIP(ctx, network, name)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		// An IPv4 address in its IPv6-mapped form comes as an answer for IPv6, and
		// is connected to as what it is.
		fits := a.Is4In6() || a.Is4() == (network == "ip4")
		if a = a.Unmap(); fits && a.IsValid() && !a.IsUnspecified() && len(addrs) < maxAddrs {
			addrs = append(addrs, a)
		}
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	none := &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	if len(all) > 0 {
		return nil, errors.Join(none, errSinkhole)
	}
	return nil, none
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
