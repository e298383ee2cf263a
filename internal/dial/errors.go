package dial

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

// A LookupError says that a name gave no address to connect to, in one family at
// least.
type LookupError struct {
	Host string
	Err  error // a [*resolve.Error], why the context ended, or that the answer was not waited for

	// Moot says that all addresses of the other family were tried, and that this
	// failure is no reason to expect others.
	Moot bool
}

func (e *LookupError) Error() string { return fmt.Sprintf("look up %q: %v", e.Host, e.Err) }

// Unwrap returns Err.
func (e *LookupError) Unwrap() error { return e.Err }

// LookupFailed reports whether err, of Dial, says that a lookup was to blame.
func LookupFailed(err error) bool {
	if many, ok := errors.AsType[*AddrsError](err); ok {
		return slices.ContainsFunc(many.Errs, LookupFailed)
	}
	l, ok := errors.AsType[*LookupError](err)
	return ok && !l.Moot
}

// A BlockedError says that the policy refused an address.
type BlockedError struct {
	Addr netip.AddrPort // zero if the peer of a connection has no IP address
	Err  error          // what the policy said
}

func (e *BlockedError) Error() string { return fmt.Sprintf("address %v blocked: %v", e.Addr, e.Err) }

// Unwrap returns Err.
func (e *BlockedError) Unwrap() error { return e.Err }

// A TurnError says that the timeout is over, and that it was this side's turn: a connection
// that stood was not noticed, what the server had sent not read, or a message of the
// handshake not written.
type TurnError struct {
	Idle time.Duration // since the server last sent something; 0 where the system does not tell
	Err  error         // what ended the connect or the exchange
}

func (e *TurnError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *TurnError) Unwrap() error { return e.Err }

// A LateError says that the server was silent until the timeout was over, and how long this
// side had taken before it sent what the server was silent on.
type LateError struct {
	Took time.Duration // since the server had last sent something
	Err  error         // what ended the exchange
}

func (e *LateError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *LateError) Unwrap() error { return e.Err }

// A RouteError says that the way to an address ends on this machine or on its
// own link. It wraps nothing: the errno of the error that said so stands for ways
// that end elsewhere as well.
type RouteError struct {
	Kind RouteKind
	Why  string
	err  error
}

// A RouteKind is what the way to an address lacks on this side.
type RouteKind uint8

const (
	NoRoute   RouteKind = iota // there is none, or no address to connect from
	Filtered                   // a filter, a security policy or a route forbids it
	NoGateway                  // the gateway does not answer
	NoLink                     // the interface has none
)

func (e *RouteError) Error() string { return e.err.Error() + ": " + e.Why }

// An AddrsError holds the errors of several addresses of one host, in the order
// in which they failed. Those of a family whose lookup failed come last.
type AddrsError struct{ Errs []error }

func (e *AddrsError) Error() string { return errors.Join(e.Errs...).Error() }

// Unwrap returns Errs.
func (e *AddrsError) Unwrap() []error { return e.Errs }

// joined returns errs as one error: an [AddrsError] if there are several.
func joined(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return &AddrsError{errs}
}

// failure returns why no address gave a connection.
func (e *happyEyeballs) failure() error {
	e.endLookup()
	if e.addrs.tried() > 0 {
		e.lookupErrors(errNotAwaited)
	}
	if len(e.errs) == 0 {
		return e.addrs.noAddr()
	}
	return joined(e.errs)
}

// interrupted returns the error when ctx ends, with what is still waited for:
// connects, and answers that may hold other addresses. If both families answered
// at the last moment, the lookup has taken all the time.
func (e *happyEyeballs) interrupted(ctx context.Context, cause error) error {
	e.endLookup()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.lastWords(cause)
	}
	for range e.running { // nobody waits for them
		e.errs = append(e.errs, cause)
	}
	e.lookupErrors(cause)
	if len(e.errs) == 0 {
		return &LookupError{Host: e.addrs.host, Err: cause}
	}
	return joined(e.errs)
}

// lastWords takes in what is known of connects that the end of the timeout has ended:
// they return at once.
func (e *happyEyeballs) lastWords(cause error) {
	for len(e.running) > 0 {
		c := <-e.results
		if c.err == nil {
			hook.Close(c.conn)
			c.err = cause
		}
		e.lost(c)
	}
}

// lookupErrors adds the errors of lookups that failed, and for those that have not
// ended yet that cause ended them.
func (e *happyEyeballs) lookupErrors(cause error) {
	for i := range e.waits {
		a := e.addrs.families[i].answer
		err := cause
		switch {
		case a.known() && !failed(a.err):
			continue
		case a.known():
			err = a.err
		}
		e.errs = append(e.errs, &LookupError{Host: e.addrs.host, Err: err, Moot: e.addrs.tried() > 0 && e.moot(i, err)})
	}
}

// moot reports whether the failed lookup of a family is no reason to expect addresses
// in it. A server that answers with an error for one family and with addresses for the
// other is common where nobody has set up the first. From silence nothing follows,
// except where this machine could not connect to what it hides.
func (e *happyEyeballs) moot(i int, err error) bool {
	if _, panicked := errors.AsType[*hook.PanicError](err); panicked {
		return false
	}
	switch k := kindOf(err); k {
	case 0, resolve.Silent:
		return !e.routed(i)
	default:
		return k.Failed()
	}
}

// routed reports whether this machine may have a way to addresses of a family.
func (e *happyEyeballs) routed(i int) bool {
	if e.routes[i] == nil {
		routed := e.d.DialContext != nil || hasAddress(i)
		e.routes[i] = &routed
	}
	return *e.routes[i]
}

var (
	errNoConn      = errors.New("the dial function returned neither a connection nor an error")
	errNoPeer      = errors.New("the peer has no IP address to ask the policy about")
	errSlowPolicy  = errors.New("the address policy did not answer in time")
	errUnwanted    = errors.New("nobody waits for the lookup any more")
	errNotAwaited  = errors.New("not waited for: this machine has no address of the family")
	errSelfConnect = errors.New("connected to itself")
)
