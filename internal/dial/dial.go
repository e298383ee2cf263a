// Package dial turns a host and a port into one connection.
//
// Both address families are looked up separately and at once, connects are
// staggered over the addresses as they come in (RFC 8305, "Happy Eyeballs"),
// and a policy is asked about the literal address of every socket.
package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"example.com/checker/internal/hook"
)

// A Dialer opens connections. Its fields must not change while it is used; a
// Dialer is safe for concurrent use.
type Dialer struct {
	Lookups *Lookups

	// Policy is asked about every address before a socket is connected to it,
	// and about the peer of every connection. Nil allows all.
	Policy func(netip.AddrPort) error

	// DialContext connects to "ip:port" in place of a net.Dialer, if set.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// A Conn is a connection and how it came about.
type Conn struct {
	net.Conn
	Peer  netip.AddrPort // zero if the connection has no IP address
	Times Times
}

// Times says how long the steps took.
type Times struct {
	DNS     time.Duration // until there was an address to connect to
	Connect time.Duration // from then to the connection
}

// Dial connects to host, an IP address or a name. With freshDNS a name is looked
// up anew, whatever Lookups has kept.
//
// The error is a [LookupError] if the lookup gave no address; otherwise it is
// that of the one address, or an [AddrsError] of several. That of an address which
// the policy refuses is a [BlockedError].
func (d *Dialer) Dial(ctx context.Context, host string, port uint16, freshDNS bool) (Conn, Times, error) {
	start := time.Now()
	if addr, err := netip.ParseAddr(host); err == nil {
		c, err := d.connect(ctx, netip.AddrPortFrom(addr.Unmap(), port))
		c.Times.Connect = time.Since(start)
		return c, c.Times, err
	}
	e := newHappyEyeballs(d, host, port, start)
	c, err := e.run(ctx, freshDNS)
	return c, e.times, err
}

// connect opens one connection to a literal address. The policy is asked three
// times: before there is a socket, so that a refused address costs none; by
// the dialer, about the address that the socket is being connected to; and
// about the peer that the connection turns out to have, which a DialContext
// may have chosen otherwise.
func (d *Dialer) connect(ctx context.Context, addr netip.AddrPort) (Conn, error) {
	if err := d.allow(ctx, addr); err != nil {
		return Conn{}, err
	}
	nc, err := d.open(ctx, addr)
	if err != nil {
		return Conn{}, err
	}
	c := Conn{Conn: nc, Peer: peer(nc)}
	switch {
	case d.Policy != nil && !c.Peer.IsValid():
		err = &BlockedError{Err: errNoPeer}
	case selfConnected(nc):
		err = &net.OpError{Op: "dial", Net: "tcp", Addr: nc.RemoteAddr(), Err: errors.Join(syscall.ECONNREFUSED, errSelfConnect)}
	default:
		err = d.allow(ctx, c.Peer)
	}
	if err != nil {
		nc.Close()
		return Conn{}, err
	}
	return c, nil
}

// open dials with the caller's function or with a net.Dialer.
func (d *Dialer) open(ctx context.Context, addr netip.AddrPort) (nc net.Conn, err error) {
	if d.DialContext != nil {
		defer hook.Recovered(&err)
		nc, err = d.DialContext(ctx, "tcp", addr.String())
		if err == nil && nc == nil {
			err = errors.New("the dial function returned neither a connection nor an error")
		}
		if err == nil {
			err = noDeadline(nc)
		}
		return nc, err
	}
	// Keep-alive probes are for connections that idle; ours do not, and the
	// probes' settings cost four system calls a connection.
	nd := net.Dialer{KeepAlive: -1}
	if d.Policy != nil {
		nd.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return &BlockedError{Err: err}
			}
			return d.allow(ctx, ap)
		}
	}
	if nc, err = nd.DialContext(ctx, "tcp", addr.String()); err != nil {
		return nil, explain(ctx, addr, err)
	}
	return nc, nil
}

// noDeadline takes away a deadline that the caller's function has left on nc for
// what it did itself, and that would pass for the site's. Not every connection has
// deadlines.
func noDeadline(nc net.Conn) (err error) {
	defer func() {
		if err != nil {
			hook.Close(nc)
		}
	}()
	defer hook.Recovered(&err)
	_ = nc.SetDeadline(time.Time{})
	return nil
}

// allow asks the policy. It fails closed: a policy that panics refuses. One that
// is still thinking when the time is over has kept the site from its chance.
func (d *Dialer) allow(ctx context.Context, addr netip.AddrPort) (err error) {
	if d.Policy == nil {
		return nil
	}
	defer hook.Recovered(&err)
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	inTime := ctx.Err() == nil
	if err := d.Policy(addr); err != nil {
		return &BlockedError{Addr: addr, Err: err}
	}
	if inTime && ctx.Err() != nil {
		return errSlowPolicy
	}
	return nil
}

// peer returns the address of the other end, zero if it has none.
func peer(nc net.Conn) netip.AddrPort {
	var ap netip.AddrPort
	switch a := nc.RemoteAddr().(type) {
	case nil:
	case *net.TCPAddr:
		ap = a.AddrPort() // also of a nil one
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// selfConnected reports whether both ends of nc are one socket. Linux may pick
// the port that is being connected to as the local one, if nobody listens
// there; a net.Dialer tries again twice and then lets it pass
// (golang.org/issue/2690).
func selfConnected(nc net.Conn) bool {
	local, ok := nc.LocalAddr().(*net.TCPAddr)
	remote, ok2 := nc.RemoteAddr().(*net.TCPAddr)
	return ok && ok2 && local != nil && remote != nil && local.Port == remote.Port && local.IP.Equal(remote.IP)
}
