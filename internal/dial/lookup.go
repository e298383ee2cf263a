package dial

import (
	"context"
	"sync"
	"time"

	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

// Names finds the addresses of names. [*resolve.Resolver] and [*resolve.Custom] are
// Names.
type Names interface {
	// Lookup calls settled once for each address family, in the order in which they
	// become known, on the goroutine that called Lookup and before that returns.
	// The end of ctx ends the lookup.
	Lookup(ctx context.Context, name string, settled func(resolve.Answer))

	// Begin and End enclose a call that may look names up. Between them Names may
	// keep what serves the next lookup, until GiveUp says that it is wanted elsewhere.
	Begin()
	End()
	GiveUp()
}

const (
	maxKept = 10_000 // flights that a Lookups keeps, whatever the number of names in a batch

	// A flight that all have left, since one family's addresses were enough for them,
	// goes on for the other family for a while: most are there a moment later.
	lingerTime = time.Second

	// A flight that has found nothing for so long is not joined any more: its
	// questions may be lost, and while checks overlap somebody always waits for it.
	maxShared = 2 * time.Second

	maxLingering = 64 // at once, since each holds a socket
)

// Lookups asks Names, once at a time for any name: callers that want a name while
// it is being looked up share the answer. Addresses are reused for as long as the
// answer allows, and for maxTTL at most; a failure never is, or a hiccup of the
// resolver would be believed for as long.
//
// A Lookups is safe for concurrent use.
type Lookups struct {
	names  Names
	maxTTL time.Duration

	mu        sync.Mutex
	flights   map[string]*flight // guarded by mu; by host: those that may be joined
	kept      []*flight          // guarded by mu; those that have ended, oldest first
	lingering int                // guarded by mu; flights whose lingerTime is running
}

// NewLookups returns a Lookups that asks names and reuses what it finds for maxTTL
// at most. With a maxTTL of 0 only lookups under way are shared.
func NewLookups(names Names, maxTTL time.Duration) *Lookups {
	return &Lookups{names: names, maxTTL: maxTTL, flights: make(map[string]*flight)}
}

// join returns the flight of host and counts one more waiter, which must leave it.
// With freshDNS it is one that has nothing from before, whatever that was.
// A flight goes on for as long as anybody waits for it, so it takes ctx's values but
// not its end.
func (l *Lookups) join(ctx context.Context, host string, freshDNS bool) *flight {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, now := l.flights[host], time.Now()
	if f == nil || !f.joinable(now) || freshDNS && f.past(now) {
		if f != nil && f.waiters == 0 && !f.ended {
			f.cancel(errUnwanted) // it lingers, and nobody will come
		}
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		f = newFlight(host, now, cancel)
		l.flights[host] = f
		go l.run(ctx, f)
	}
	f.waiters++
	return f
}

// leave counts a waiter out, who leaves because of cause. The last one to leave ends
// the flight, at once or soon. It reports whether the flight is at its end.
func (l *Lookups) leave(f *flight, cause error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.waiters--; f.waiters > 0 || f.ended || f.lingers {
		return f.ended
	}
	if !f.found || l.flights[f.host] != f || l.lingering == maxLingering || !time.Now().Before(f.expires) {
		l.end(f, cause)
		return true
	}
	f.lingers = true
	l.lingering++
	time.AfterFunc(lingerTime, func() { l.lingered(f) })
	return false
}

// lingered ends a flight, unless somebody has joined it meanwhile.
func (l *Lookups) lingered(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.lingers = false
	l.lingering--
	if f.waiters == 0 && !f.ended {
		l.end(f, errUnwanted)
	}
}

// end ends a flight that nobody waits for. Nobody joins it any more: a family that
// is not known yet will have failed for want of patience.
func (l *Lookups) end(f *flight, cause error) {
	f.cancel(hook.Checked(cause)) // a caller's, who may panic when it is asked what it is
	l.forget(f)
}

// Begin says that a call has begun that may look names up. Its end is to be told by
// [Lookups.End].
func (l *Lookups) Begin() { l.names.Begin() }

// End says that a call is over. It ends the flights that nobody waits for.
func (l *Lookups) End() {
	l.names.End()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lingering == 0 {
		return
	}
	for _, f := range l.flights {
		if f.waiters == 0 && !f.ended {
			l.end(f, errUnwanted)
		}
	}
}

// run looks f's name up and keeps f if what it found may be reused.
func (l *Lookups) run(ctx context.Context, f *flight) {
	defer f.cancel(nil)
	l.names.Lookup(ctx, f.host, func(a resolve.Answer) { l.settle(f, a) })

	l.mu.Lock()
	defer l.mu.Unlock()
	f.ended = true
	now := time.Now()
	if l.flights[f.host] != f || !f.found || f.failed() || !now.Before(f.expires) {
		l.forget(f)
		return
	}
	l.kept = append(l.kept, f)
	for len(l.kept) > maxKept || !now.Before(l.kept[0].expires) { // ends at f, which has not expired
		l.forget(l.kept[0])
		l.kept[0] = nil
		l.kept = l.kept[1:]
	}
}

// settle makes a family's answer known to all who wait for it.
func (l *Lookups) settle(f *flight, a resolve.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(a.Addrs) > 0 {
		if expires := now.Add(min(a.TTL, l.maxTTL)); !f.found || expires.Before(f.expires) {
			f.found, f.expires = true, expires
		}
	}
	f.answer(a.Family).publish(a, now)
}

// forget drops f, unless a later flight has taken its place.
func (l *Lookups) forget(f *flight) {
	if l.flights[f.host] == f {
		delete(l.flights, f.host)
	}
}
