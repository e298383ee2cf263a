package dial

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A Resolver looks up the addresses of a host in one address family: network
// is "ip4" or "ip6". *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// maxKept bounds the flights that a Lookups keeps, whatever the number of
// names in a batch.
const maxKept = 10_000

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
	flights map[string]*flight // guarded by mu; by host: those under way, abandoned or kept
	kept    []*flight          // guarded by mu; oldest first
}

// NewLookups returns a Lookups that asks r and reuses what it finds for ttl.
// With a ttl of 0 only lookups under way are shared.
func NewLookups(r Resolver, ttl time.Duration) *Lookups {
	return &Lookups{resolver: r, ttl: ttl, flights: make(map[string]*flight)}
}

// join returns the flight of host and counts one more waiter, which must leave it.
// With freshDNS it is one that still asks, whatever is known from before. A flight
// goes on for as long as anybody waits for it, so it takes ctx's values but not
// its end.
//
// If the flight has ended, a family that failed in it may have failed only
// because nobody waited for its answer.
func (l *Lookups) join(ctx context.Context, host string, freshDNS bool) (f *flight, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	f = l.flights[host]
	if f == nil || freshDNS && f.ended() || l.stale(f, now) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = newFlight(host, now, cancel)
		l.flights[host] = f
		go l.run(ctx, f)
	}
	f.waiters++
	return f, f.ended()
}

// stale reports whether what f has found is too old to be used. That may be so
// while f is under way: for as long as calls overlap, somebody waits for a family
// that is silent.
func (l *Lookups) stale(f *flight, now time.Time) bool {
	if f.kept() {
		return !now.Before(f.expires)
	}
	return l.ttl > 0 && !now.Before(f.began.Add(l.ttl)) && f.found()
}

// leave counts a waiter out. The last one to leave ends the flight.
func (l *Lookups) leave(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.waiters--
	if f.waiters > 0 || f.kept() {
		return
	}
	f.cancel()
	// What one family found is kept even if nobody waited for the other: a server
	// that is silent about that would otherwise cost every check the Resolution
	// Delay. Who needs the other's addresses looks the name up again.
	if f.abandoned = f.found(); !f.abandoned {
		l.forget(f)
	}
}

// run looks f's name up and keeps f if what it found may be reused.
func (l *Lookups) run(ctx context.Context, f *flight) {
	defer f.cancel()
	f.resolve(ctx, l.resolver)

	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.ttl == 0 || !f.reusable() || l.flights[f.host] != f || l.stale(f, now) {
		l.forget(f)
		return
	}
	f.expires = now.Add(l.ttl)
	f.cancel = nil // or f would keep alive the context of whoever began it
	l.kept = append(l.kept, f)
	for len(l.kept) > maxKept || !now.Before(l.kept[0].expires) { // ends at f, which has not expired
		l.forget(l.kept[0])
		l.kept[0] = nil
		l.kept = l.kept[1:]
	}
}

// forget drops f, unless a later flight has taken its place.
func (l *Lookups) forget(f *flight) {
	if l.flights[f.host] == f {
		delete(l.flights, f.host)
	}
}
