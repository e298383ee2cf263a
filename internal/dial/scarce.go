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

// TellScarcity returns a Resolver that looks up as r does. If a lookup fails
// while something is scarce on this machine, the error wraps the errno that says
// what; see [errno.Scarce].
//
// It is for a *net.Resolver, whose errors hide that. Any other r is returned as it
// is.
func TellScarcity(r Resolver) Resolver {
	nr, ok := r.(*net.Resolver)
	if !ok || nr == nil {
		return r
	}
	w := &scarcityResolver{nr.PreferGo, nr.StrictErrors, nr.Dial}
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

// LookupNetIP implements [Resolver]. Each lookup has a net.Resolver to itself,
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
	return addrs, errors.Join(err, ScarceFiles(1))
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

// ScarceFiles returns nil if this process can open n more files, and otherwise the
// errno that says what is scarce.
func ScarceFiles(n int) error {
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
