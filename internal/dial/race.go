package dial

import (
	"context"
	"net/netip"
	"time"

	"example.com/checker/internal/hook"
)

// A race connects to the addresses of one name, staggered, until the first
// connection stands.
type race struct {
	d     *Dialer
	host  string
	port  uint16
	start time.Time
	times Times

	answers [2]*answer      // of each family, as all arrays here
	over    [2]bool         // whether they are from a lookup that is over
	todo    [2][]netip.Addr // not yet tried
	used    [2]int          // how many of each have been tried
	share   [2]int          // how many tries are kept for each
	next    int             // the family whose turn it is
	tried   int
	running int
	results chan connected // unbuffered: see dial
	errs    []error
}

// connected is what became of one connect.
type connected struct {
	conn Conn
	err  error
}

func (r *race) run(ctx context.Context, fresh bool) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the connects that have not won
	f := r.lookup(ctx, fresh)
	defer func() { r.d.Lookups.leave(f) }()

	hold := time.NewTimer(stagger)
	hold.Stop()
	defer hold.Stop()
	held := false // no further connect begins before hold fires
	pause := func(d time.Duration) {
		held = true
		hold.Reset(d)
	}
	waits := [2]chan struct{}{f.answers[v6].done, f.answers[v4].done} // nil once they are known
	begun := false                                                    // IPv6 has answered, or has had its grace
	for {
		switch known := waits[v4] == nil && waits[v6] == nil; {
		case known && r.tried == 0 && r.left() == 1 && r.unknown() < 0:
			return r.only(ctx)
		case r.left() > 0 && begun && !held:
			r.dial(ctx)
			pause(stagger)
		case known && r.left() == 0 && r.unknown() >= 0 && !(held && r.running > 0):
			// What there was is not enough.
			r.d.Lookups.leave(f)
			i := r.unknown()
			f = r.lookup(ctx, true)
			waits[i] = f.answers[i].done
		case known && r.left() == 0 && r.running == 0:
			return Conn{}, r.failure()
		}
		select {
		case <-waits[v6]:
			waits[v6], begun = nil, true
			r.add(ctx, v6)
			held = held && r.tried > 0
		case <-waits[v4]:
			waits[v4] = nil
			r.add(ctx, v4)
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
			return Conn{}, r.ended(context.Cause(ctx))
		}
	}
}

// lookup begins to look the host up, or joins others who do. Of a family that is
// known already nothing is taken.
func (r *race) lookup(ctx context.Context, fresh bool) *flight {
	f, over := r.d.Lookups.join(ctx, r.host, fresh)
	for i := range f.answers {
		if r.answers[i] == nil || r.unknown() == i {
			r.answers[i], r.over[i] = &f.answers[i], over
		}
	}
	return f
}

// unknown returns the family that nobody waited for when the name was looked up,
// or -1: what is wrong with its answer may be that.
func (r *race) unknown() int {
	for i, a := range r.answers {
		if a != nil && r.over[i] && a.known() && failed(a.err) {
			return i
		}
	}
	return -1
}

// only connects to the one address of a name. It needs no goroutine.
func (r *race) only(ctx context.Context) (Conn, error) {
	c, err := r.d.connect(ctx, r.pop())
	if err != nil {
		r.errs = append(r.errs, err)
		return Conn{}, r.failure()
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
func (r *race) add(ctx context.Context, family int) {
	for _, a := range r.answers[family].addrs {
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
func (r *race) left() int { return r.room(v6) + r.room(v4) }

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
		a := connected{err: hook.Exited("the dial function")}
		defer func() {
			select {
			case r.results <- a:
			case <-ctx.Done():
				if a.err == nil {
					hook.Close(a.conn)
				}
			}
		}()
		defer hook.Recovered(&a.err) // of the connection's own methods
		a.conn, a.err = r.d.connect(ctx, addr)
	}()
}

// failure returns why no address gave a connection. If a family's lookup failed,
// the address that would have may be among those that are not known.
func (r *race) failure() error {
	r.lookedUp()
	if r.tried > 0 {
		r.doubt(nil)
	}
	if len(r.errs) > 0 {
		return joined(r.errs)
	}
	// One family that failed outweighs one that has no address: only if both
	// say so does the name not exist.
	err := r.answers[v4].err
	if !failed(err) {
		err = r.answers[v6].err
	}
	if err == nil {
		err = r.answers[v4].err
	}
	return &LookupError{Host: r.host, Err: err}
}

// ended returns the error of a race that ctx ended, with what is still awaited:
// connections, and the answer of a family that may hold other addresses. If both
// families answered at the last moment, the lookup has taken all the time.
func (r *race) ended(cause error) error {
	r.lookedUp()
	if r.running > 0 {
		r.errs = append(r.errs, cause)
	}
	r.doubt(cause)
	if len(r.errs) == 0 {
		return &LookupError{Host: r.host, Err: cause}
	}
	return joined(r.errs)
}

// doubt adds the errors of lookups that failed, or that cause has ended.
func (r *race) doubt(cause error) {
	for i, a := range r.answers {
		switch {
		case !a.known(), r.unknown() == i:
			r.errs = append(r.errs, &LookupError{Host: r.host, Err: cause})
		case failed(a.err):
			r.errs = append(r.errs, &LookupError{Host: r.host, Err: a.err})
		}
	}
}
