package dial

import (
	"errors"
	"fmt"
	"net/netip"
)

// A LookupError says that a name gave no address to connect to.
type LookupError struct {
	Host string
	Err  error // the resolver's, a context's, or that a hook panicked
}

func (e *LookupError) Error() string { return fmt.Sprintf("look up %q: %v", e.Host, e.Err) }

// Unwrap returns Err.
func (e *LookupError) Unwrap() error { return e.Err }

// A BlockedError says that the policy refused an address.
type BlockedError struct {
	Addr netip.AddrPort // zero if the peer of a connection has no IP address
	Err  error          // what the policy said
}

func (e *BlockedError) Error() string { return fmt.Sprintf("address %v blocked: %v", e.Addr, e.Err) }

// Unwrap returns Err.
func (e *BlockedError) Unwrap() error { return e.Err }

// A RouteError says that the way to an address ends on this machine or on its
// own link. It wraps nothing: the errno of the error that said so stands for ways
// that end elsewhere as well.
type RouteError struct {
	Why string // what to look at
	err error
}

func (e *RouteError) Error() string { return e.err.Error() + ": " + e.Why }

// An AddrsError holds the errors of several addresses of one host, in the order
// in which they failed. Those of a family whose lookup failed come last: a
// lookup that failed may have missed an address that works.
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

// failure returns why no address gave a connection. If a family's lookup failed,
// that is told as well: it may have missed an address that works.
func (e *happyEyeballs) failure() error {
	e.endLookup()
	if e.addrs.tried() > 0 {
		e.errs = e.addrs.appendErrors(e.errs, nil)
	}
	if len(e.errs) == 0 {
		return e.addrs.noAddr()
	}
	return joined(e.errs)
}

// interrupted returns the error when ctx ends, with what is still waited for:
// connects, and answers that may hold other addresses. If both families answered
// at the last moment, the lookup has taken all the time.
func (e *happyEyeballs) interrupted(cause error) error {
	e.endLookup()
	if e.running > 0 {
		e.errs = append(e.errs, cause)
	}
	e.errs = e.addrs.appendErrors(e.errs, cause)
	if len(e.errs) == 0 {
		return &LookupError{Host: e.addrs.host, Err: cause}
	}
	return joined(e.errs)
}

var (
	errNoConn      = errors.New("the dial function returned neither a connection nor an error")
	errNoPeer      = errors.New("the peer has no IP address to ask the policy about")
	errSlowPolicy  = errors.New("the address policy did not answer in time")
	errSelfConnect = errors.New("connected to itself")
	errSinkhole    = errors.New("the resolver answered with the unspecified address")
)
