package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
)

// A resolver looks up as a net.Resolver would, and tells when it failed for want
// of something. Go's resolver keeps only the text of the errors that it meets,
// and goes on as if a server had not answered; so the sockets that it opens are
// watched.
type resolver struct {
	preferGo, strictErrors bool
	dial                   func(ctx context.Context, network, address string) (net.Conn, error)
}

// WatchResolver returns r, or what does as r if that is a *net.Resolver, with
// errors that wrap a Scarce errno if the lookup met one.
func WatchResolver(r Resolver) Resolver {
	nr, ok := r.(*net.Resolver)
	if !ok || nr == nil {
		return r
	}
	w := &resolver{nr.PreferGo, nr.StrictErrors, nr.Dial}
	if w.dial == nil {
		w.dial = new(net.Dialer).DialContext
	}
	return w
}

// LookupNetIP implements [Resolver], by a net.Resolver of its own: lookups of
// one name that share one would share their fate, and whoever asks at the moment
// at which another gives up would be left waiting for the question that the
// other gave up on.
func (w *resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var cause atomic.Pointer[error] // why a socket could not be had, if that is this side's fault
	nr := &net.Resolver{PreferGo: w.preferGo, StrictErrors: w.strictErrors}
	nr.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := w.open(ctx, network, address)
		if number, _ := errno.In(err); errno.Scarce(err) {
			err = number
			cause.Store(&err)
		} else if p, ok := errors.AsType[*hook.PanicError](err); ok {
			err = p
			cause.Store(&err)
		}
		if err == nil {
			// The resolver sets a deadline of its own and then reads, whatever
			// happens to ctx meanwhile.
			context.AfterFunc(ctx, func() { hook.Close(c) })
		}
		return c, err
	}
	addrs, err := nr.LookupNetIP(ctx, network, host)
	switch c := cause.Load(); {
	case err == nil:
	case c != nil:
		err = errors.Join(err, *c)
	default:
		// The hosts file is passed over without a word if there is no descriptor.
		err = errors.Join(err, Spare(1))
	}
	return addrs, err
}

// Spare returns nil if this process can open n more files, and otherwise why it
// cannot.
func Spare(n int) error {
	files := make([]*os.File, 0, n)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for range n {
		f, err := os.Open(os.DevNull)
		if number, _ := errno.In(err); errno.Scarce(err) {
			return number
		}
		if err == nil {
			files = append(files, f)
		}
	}
	return nil
}

// open opens a socket to a server. It runs on a goroutine of package net.
func (w *resolver) open(ctx context.Context, network, address string) (c net.Conn, err error) {
	defer hook.Recovered(&err)
	return w.dial(ctx, network, address)
}
