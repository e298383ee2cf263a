package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A race connects to the addresses of one name, staggered, until the first
// connection stands.
type race struct {
	d     *Dialer
	port  uint16
	start time.Time
	times Times

	todo    [2][]netip.Addr // not yet tried: IPv6, IPv4
	used    [2]int          // how many of each have been tried
	share   [2]int          // how many tries are kept for each
	next    int             // the family whose turn it is
	tried   int
	running int
	results chan attempt // unbuffered: see dial
	errs    []error
}

type attempt struct {
	conn Conn
	err  error
}

func (r *race) run(ctx context.Context, host string, fresh bool) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the connects that have not won
	f := r.d.Lookups.join(ctx, host, fresh)
	defer r.d.Lookups.leave(f)

	hold := time.NewTimer(stagger)
	hold.Stop()
	defer hold.Stop()
	held := false // no further connect begins before hold fires
	pause := func(d time.Duration) {
		held = true
		hold.Reset(d)
	}
	wait6, wait4 := f.v6.done, f.v4.done
	begun := f.half // IPv6 has answered, or has had its grace
	for {
		switch known := wait4 == nil && wait6 == nil; {
		case known && r.tried == 0 && r.left() == 1:
			return r.only(ctx, f)
		case r.left() > 0 && begun && !held:
			r.dial(ctx)
			pause(stagger)
		case known && r.left() == 0 && r.running == 0:
			return Conn{}, r.failure(f)
		}
		select {
		case <-wait6:
			wait6, begun = nil, true
			r.add(ctx, 0, f.v6.addrs)
			held = held && r.tried > 0
		case <-wait4:
			wait4 = nil
			r.add(ctx, 1, f.v4.addrs)
			if !begun && r.left() > 0 {
				pause(grace)
			}
		case <-hold.C:
			begun, held = true, false
		case a := <-r.results:
			r.running--
			if a.err == nil {
				return r.won(a.conn), nil
			}
			r.errs = append(r.errs, a.err)
			held = false
		case <-ctx.Done():
			return Conn{}, r.ended(f, context.Cause(ctx))
		}
	}
}

// only connects to the one address of a name. It needs no goroutine.
func (r *race) only(ctx context.Context, f *flight) (Conn, error) {
	c, err := r.d.connect(ctx, r.pop())
	if err != nil {
		r.errs = append(r.errs, err)
		return Conn{}, r.failure(f)
	}
	return r.won(c), nil
}

func (r *race) won(c Conn) Conn {
	r.times.Connect = time.Since(r.start) - r.times.DNS
	c.Times = r.times
	return c
}

// add takes in the answer of one family. Addresses that the policy refuses are
// dropped here, before there is a socket.
func (r *race) add(ctx context.Context, family int, addrs []netip.Addr) {
	for _, a := range addrs {
		if err := r.d.allow(ctx, netip.AddrPortFrom(a, r.port)); err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		r.todo[family] = append(r.todo[family], a)
	}
	r.share[family] = min(r.share[family], len(r.todo[family]))
	if r.left() > 0 {
		r.lookedUp()
	}
}

// lookedUp notes the end of the first phase.
func (r *race) lookedUp() {
	if r.times.DNS == 0 {
		r.times.DNS = time.Since(r.start)
	}
}

// left returns how many addresses may still be tried.
func (r *race) left() int { return r.room(0) + r.room(1) }

// room returns how many addresses of one family may still be tried. Half of
// the tries are kept for the other family until it is known to need fewer.
func (r *race) room(family int) int {
	return min(len(r.todo[family]), maxAddrs-r.share[1-family]-r.used[family])
}

// pop returns the next address to try, taking the families in turns.
func (r *race) pop() netip.AddrPort {
	if r.room(r.next) == 0 {
		r.next = 1 - r.next
	}
	addr := r.todo[r.next][0]
	r.todo[r.next] = r.todo[r.next][1:]
	r.used[r.next]++
	r.tried++
	r.next = 1 - r.next
	return netip.AddrPortFrom(addr, r.port)
}

// dial begins the next connect. When the race is over nobody receives any more,
// so a connection that comes too late is closed by the one who opened it.
func (r *race) dial(ctx context.Context) {
	addr := r.pop()
	r.running++
	go func() {
		a := attempt{err: &PanicError{Value: "the dial function called runtime.Goexit"}}
		defer func() {
			select {
			case r.results <- a:
			case <-ctx.Done():
				if a.err == nil {
					drop(a.conn)
				}
			}
		}()
		defer Recovered(&a.err) // of the connection's own methods
		a.conn, a.err = r.d.connect(ctx, addr)
	}()
}

// drop closes a connection that nobody wants any more. It is a caller's and may
// panic, on a goroutine where nobody else would recover.
func drop(c net.Conn) {
	var err error
	defer Recovered(&err)
	c.Close()
}

// failure returns why no address gave a connection. If a family's lookup failed,
// the address that would have may be among those that are not known.
func (r *race) failure(f *flight) error {
	r.lookedUp()
	if r.tried > 0 {
		r.doubt(f, nil)
	}
	if len(r.errs) > 0 {
		return attempts(r.errs)
	}
	// One family that failed outweighs one that has no address: only if both
	// say so does the name not exist.
	err := f.v4.err
	if !failed(err) {
		err = f.v6.err
	}
	if err == nil {
		err = f.v4.err
	}
	return &LookupError{Host: f.host, Err: err}
}

// ended returns the error of a race that ctx ended, with what is still awaited:
// connections, and the answer of a family that may hold other addresses. If both
// families answered at the last moment, the lookup has taken all the time.
func (r *race) ended(f *flight, cause error) error {
	r.lookedUp()
	if r.running > 0 {
		r.errs = append(r.errs, cause)
	}
	r.doubt(f, cause)
	if len(r.errs) == 0 {
		return &LookupError{Host: f.host, Err: cause}
	}
	return attempts(r.errs)
}

// doubt adds the errors of lookups that failed, or that cause has ended.
func (r *race) doubt(f *flight, cause error) {
	for _, fam := range []*family{&f.v6, &f.v4} {
		switch {
		case !fam.settled():
			r.errs = append(r.errs, &LookupError{Host: f.host, Err: cause})
		case failed(fam.err):
			r.errs = append(r.errs, &LookupError{Host: f.host, Err: fam.err})
		}
	}
}
