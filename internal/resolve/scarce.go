package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
)

// tellScarcity returns a Hook that looks up as r does. If a lookup fails while
// something is scarce on this machine, the error wraps the errno that says what; see
// [errno.Scarce].
func tellScarcity(r *net.Resolver) *scarcityResolver {
	w := &scarcityResolver{r.PreferGo, r.StrictErrors, r.Dial}
	if w.dial == nil {
		w.dial = new(net.Dialer).DialContext
	}
	return w
}

// A scarcityResolver looks up as a net.Resolver with the same fields. Go's resolver
// keeps only the text of the errors that it meets, and goes on as if a server had
// not answered; so it is the sockets that are watched.
type scarcityResolver struct {
	preferGo, strictErrors bool
	dial                   func(ctx context.Context, network, address string) (net.Conn, error)
}

// LookupNetIP implements [Hook]. Each lookup has a net.Resolver to itself,
// since one that several use joins those of the same name: who comes at the moment
// at which the first gives up would be left waiting for the question that the first
// gave up on.
func (w *scarcityResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var own atomic.Pointer[error] // the last ownError that a socket met
	nr := &net.Resolver{PreferGo: w.preferGo, StrictErrors: w.strictErrors}
	nr.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := w.open(ctx, network, address)
		if e := ownError(err); e != nil {
			err = e
			own.Store(&e)
		}
		if err == nil {
			// The resolver sets a deadline of its own and then reads, whatever
			// happens to ctx meanwhile.
			context.AfterFunc(ctx, func() { hook.Close(c) })
		}
		return c, err
	}
	addrs, err := nr.LookupNetIP(ctx, network, host)
	if err == nil {
		return addrs, nil
	}
	if e := own.Load(); e != nil {
		return addrs, errors.Join(err, *e)
	}
	// Without a descriptor the hosts file is passed over, and nothing says so.
	return addrs, errors.Join(err, errno.ScarceFiles(1))
}

// open opens a socket to a server. It runs on a goroutine of package net, and the
// dial function may be a caller's.
func (w *scarcityResolver) open(ctx context.Context, network, address string) (c net.Conn, err error) {
	defer hook.Recovered(&err)
	c, err = w.dial(ctx, network, address)
	return c, hook.Checked(err)
}

// ownError returns what in err is no server's fault: the errno that says what is
// scarce, or the panic of a dial function.
func ownError(err error) error {
	if number, _ := errno.In(err); errno.Scarce(err) {
		return number
	}
	if p, ok := errors.AsType[*hook.PanicError](err); ok {
		return p
	}
	return nil
}
