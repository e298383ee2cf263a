package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// Scarce reports whether errno says that this machine is short of something
// that other connections may give back: descriptors, buffers, memory, ports.
// Numbers from 10000 on are Windows', which has its own for sockets.
func Scarce(errno syscall.Errno) bool {
	const wsaEMFILE, wsaENOBUFS = 10024, 10055
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL,
		syscall.EAGAIN, // what a UDP socket's connect says if there is no port left
		wsaEMFILE, wsaEADDRNOTAVAIL, wsaENOBUFS:
		return true
	}
	return false
}

// A resolver is a net.Resolver that tells when it failed for want of something.
// Go's resolver keeps only the text of the errors that it meets, and goes on as if
// a server had not answered; so the sockets that it opens are watched.
type resolver struct {
	net.Resolver
	short atomic.Int64 // sockets that could not be had
	errno atomic.Uintptr
}

// WatchResolver returns r, or what it would do if r is a *net.Resolver, with
// errors that wrap a Scarce errno if the lookup met one.
func WatchResolver(r Resolver) Resolver {
	nr, ok := r.(*net.Resolver)
	if !ok || nr == nil {
		return r
	}
	w := &resolver{Resolver: net.Resolver{PreferGo: nr.PreferGo, StrictErrors: nr.StrictErrors}}
	dial := nr.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	w.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if errno, ok := errors.AsType[syscall.Errno](err); ok && Scarce(errno) {
			w.errno.Store(uintptr(errno))
			w.short.Add(1)
		}
		if err == nil {
			// The resolver sets a deadline of its own and then reads, whatever
			// happens to ctx meanwhile.
			context.AfterFunc(ctx, func() { c.Close() })
		}
		return c, err
	}
	return w
}

// LookupNetIP implements [Resolver]. A lookup that failed while another met the
// want is taken to have met it too: that errs towards asking again.
func (w *resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	before := w.short.Load()
	addrs, err := w.Resolver.LookupNetIP(ctx, network, host)
	if err != nil && w.short.Load() != before {
		err = errors.Join(err, syscall.Errno(w.errno.Load()))
	}
	return addrs, err
}
