// Package resolve finds the addresses of names as the system's files say, and
// says why if it finds none.
//
// The model is getaddrinfo of the GNU C library: what that finds with the same
// hosts, resolv.conf and nsswitch.conf, this finds, and by no more questions. It
// differs where the library says "not found" though somebody failed to answer,
// or had not been asked: here that is a failure. e2e/resolve_linux_test.go holds
// both beside each other, and has the list of differences.
//
// # Forgery
//
// An answer is believed if it comes from the address and port that were asked,
// with the ID and the question that were sent. Who cannot see the questions has
// to guess the ID, which is random, and the port of ours. A socket is used for up
// to 32 questions and ten seconds, and a forger who has found out its port has that
// many chances instead of one; then there is a new port. No ID is in use twice on a socket,
// and a socket on which an answer may yet come is not used by another lookup.
package resolve

import (
	"context"
	crand "crypto/rand"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A Family is an address family.
type Family uint8

const (
	IP4 Family = 4
	IP6 Family = 6
)

// record returns the type of the records that have addresses of the family.
func (f Family) record() string {
	if f == IP4 {
		return "A"
	}
	return "AAAA"
}

// An Answer is what a lookup has found in one family: addresses, at most eight,
// or an error. An address of the other family that came as an IPv4-mapped one is
// told as what it is.
type Answer struct {
	Family Family
	Addrs  []netip.Addr
	TTL    time.Duration // for how long the addresses may be kept; 0 for those of the hosts file
	Err    error         // nil if there are addresses, and otherwise an *Error
}

// A Resolver looks up names. It keeps what the files say, looking for changes
// once a second at most.
//
// A Resolver is safe for concurrent use. It has no goroutines.
type Resolver struct {
	files files
	pool  pool
	turn  atomic.Uint32 // of the nameservers, where they rotate

	mu     sync.Mutex
	random *rand.ChaCha8
}

// New returns a Resolver with the files of c. It does no I/O.
func New(c Config) *Resolver {
	r := &Resolver{files: files{Config: c.withDefaults()}}
	var seed [32]byte
	crand.Read(seed[:]) // never fails
	r.random = rand.NewChaCha8(seed)
	r.turn.Store(uint32(r.random.Uint64()))
	return r
}

// Begin says that a call has begun that may look names up. From then on to its
// [Resolver.End], sockets are kept for the next lookup. Without them, each lookup
// has its own.
func (r *Resolver) Begin() { r.pool.begin() }

// End says that a call is over. With the last one all sockets are closed that are
// not in use, and those in use as soon as they are not.
func (r *Resolver) End() { r.pool.end() }

// GiveUp closes the sockets that are not in use, since descriptors are scarce.
func (r *Resolver) GiveUp() { r.pool.giveUp() }

// ids returns two IDs that differ and that nobody can guess.
func (r *Resolver) ids() (a, b uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a == b {
		n := r.random.Uint64()
		a, b = uint16(n), uint16(n>>16)
	}
	return a, b
}

// Lookup finds the addresses of name in both families. It calls settled once for
// each, in the order in which they become known, so that connecting may begin
// with the first; both calls are made by the goroutine that called Lookup, before
// it returns. The end of ctx ends the lookup, and what is not yet known by then
// fails with what was heard until then.
//
// A name with a dot at its end is not looked for in the search list. The text of
// an address is that address. Localhost and the names below it are loopback, and
// nobody is asked (RFC 6761).
func (r *Resolver) Lookup(ctx context.Context, name string, settled func(Answer)) {
	l := lookups.Get().(*lookup)
	l.begin(r, name, settled)
	defer l.end()
	l.run(ctx)
}
