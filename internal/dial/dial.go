// Package dial turns a host and a port into one connection.
//
// A name is looked up in both address families at once, connects to its addresses
// are staggered (RFC 8305, "Happy Eyeballs"), and a policy is asked about the
// literal address of every socket.
package dial

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
)

// A Dialer opens connections. The zero Dialer connects to IP addresses, whichever
// they are. A Dialer is safe for concurrent use, as long as its fields do not
// change.
type Dialer struct {
	// Lookups looks names up. Without it, to dial a name panics.
	Lookups *Lookups

	// Policy is asked about every address before a socket is connected to it,
	// and about the peer of every connection. Nil allows all.
	Policy func(netip.AddrPort) error

	// DialContext connects to "ip:port". Nil stands for a net.Dialer.
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
	Connect time.Duration // from then until there was a connection
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

// connect opens one connection to a literal address. The policy is asked twice: before
// there is a socket, so that an address that it refuses costs none, and about the peer
// that the connection has, since DialContext may connect to another.
//
// Nothing of a caller's is waited for beyond the end of ctx.
func (d *Dialer) connect(ctx context.Context, addr netip.AddrPort) (Conn, error) {
	if err := d.allow(ctx, addr); err != nil {
		return Conn{}, err
	}
	c, err := d.open(ctx, addr)
	if err != nil {
		if d.Lookups != nil && errno.Scarce(err) {
			d.Lookups.names.GiveUp() // or sockets that idle there would keep all checks from connecting
		}
		return Conn{}, err
	}
	if d.Policy != nil && !c.Peer.IsValid() {
		err = &BlockedError{Err: errNoPeer}
	} else {
		err = d.allow(ctx, c.Peer)
	}
	if err != nil {
		return Conn{}, cmp.Or(hook.Close(c), err)
	}
	return c, nil
}

// open connects to addr, with DialContext if there is one.
func (d *Dialer) open(ctx context.Context, addr netip.AddrPort) (Conn, error) {
	if d.DialContext != nil {
		dial := func() (Conn, error) {
			began := time.Now()
			nc, err := d.DialContext(ctx, "tcp", addr.String())
			if err != nil {
				return Conn{}, ExplainDirect(ctx, time.Since(began), hook.Checked(err))
			}
			return taken(nc)
		}
		return hook.Within(ctx, "the dial function", dial, func(c Conn) { hook.Close(c) })
	}
	nc, err := connectTo(ctx, addr)
	if err != nil {
		return Conn{}, err
	}
	c, err := newConn(nc)
	if err != nil {
		nc.Close()
	}
	return c, err
}

// taken returns a connection of the caller's, which is this package's to close from now
// on, whatever its methods do.
//
// Its deadline is cleared: callers set one for steps of their own, such as a proxy's
// handshake, and it would pass for the site's silence later. Not every connection has
// deadlines.
func taken(nc net.Conn) (c Conn, err error) {
	if nc == nil {
		return Conn{}, errNoConn
	}
	err = errNoConn // until all is well
	defer func() {
		if err != nil {
			hook.Close(nc)
		}
	}()
	_ = nc.SetDeadline(time.Time{})
	return newConn(nc)
}

// newConn returns nc with its peer, unless it is connected to itself.
func newConn(nc net.Conn) (Conn, error) {
	c := Conn{Conn: nc, Peer: peer(nc)}
	if selfConnected(nc) {
		err := errors.Join(syscall.ECONNREFUSED, errSelfConnect)
		return Conn{}, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(c.Peer), Err: err}
	}
	return c, nil
}

// connectByNet opens a TCP connection to addr by a net.Dialer.
func connectByNet(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	// Keep-alive probes are for connections that idle; ours do not, and the
	// probes' settings cost four system calls a connection.
	nd := net.Dialer{KeepAlive: -1}
	nc, err := nd.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, explain(ctx, addr, err)
	}
	return nc, nil
}

// allow asks the policy about an address. It fails closed: a policy that panics
// refuses. If ctx ends before the policy allows the address, that is an error of
// its own: a timeout would be put down to the site, which has not had its chance.
func (d *Dialer) allow(ctx context.Context, addr netip.AddrPort) error {
	if d.Policy == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	ask := func() (struct{}, error) {
		if err := d.Policy(addr); err != nil {
			return struct{}{}, &BlockedError{Addr: addr, Err: hook.Checked(err)}
		}
		return struct{}{}, nil
	}
	_, err := hook.Within(ctx, "the address policy", ask, func(struct{}) {})
	_, blocked := errors.AsType[*BlockedError](err)
	_, panicked := errors.AsType[*hook.PanicError](err)
	if !blocked && !panicked && ctx.Err() != nil {
		return errSlowPolicy
	}
	return err
}

// An endpoints is a connection of this package's own, whose ends are at hand.
type endpoints interface {
	peer() netip.AddrPort
	toItself() bool // both ends are one socket
}

// peer returns the address of nc's other end, zero if that has no IP address.
func peer(nc net.Conn) netip.AddrPort {
	if c, ok := nc.(endpoints); ok {
		return c.peer()
	}
	var ap netip.AddrPort
	switch a := nc.RemoteAddr().(type) {
	case nil:
	case *net.TCPAddr:
		ap = a.AddrPort() // zero of a nil *net.TCPAddr
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
	if c, ok := nc.(endpoints); ok {
		return c.toItself()
	}
	local, ok := nc.LocalAddr().(*net.TCPAddr)
	remote, ok2 := nc.RemoteAddr().(*net.TCPAddr)
	return ok && ok2 && local != nil && remote != nil && local.Port == remote.Port && local.IP.Equal(remote.IP)
}
