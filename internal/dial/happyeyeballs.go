package dial

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"example.com/checker/internal/hook"
)

const (
	resolutionDelay = 50 * time.Millisecond  // "Resolution Delay" (RFC 8305, section 3)
	attemptDelay    = 250 * time.Millisecond // "Connection Attempt Delay" (RFC 8305, section 5)
)

// happyEyeballs connects to the addresses of one name until the first connection
// stands, as RFC 8305 ("Happy Eyeballs Version 2") has it: both families are
// looked up at once, their addresses are tried in turns, and a connect that is slow
// to fail does not keep the next one waiting. It is a state machine, driven by run.
type happyEyeballs struct {
	d    *Dialer
	port uint16

	// The addresses to connect to.
	addrs  addresses
	flight *flight            // the lookup that tells them
	routes [2]*bool           // by family: whether this machine has a way to it; nil if it has not been looked at
	waits  [2]<-chan struct{} // by family: closed once its answer is known, nil once that is taken in

	// When the next connect begins.
	state state
	delay *time.Timer // ends inResolutionDelay and inAttemptDelay

	// What became of the connects.
	running []netip.AddrPort // to which connects have not ended
	results chan connected   // unbuffered: see connect
	over    chan struct{}    // closed when run returns; made by the first of them
	errs    []error          // of connects that failed and of addresses that the policy refused

	start    time.Time
	resolved bool // times.DNS stands
	times    Times
}

// A state says whether the next connect may begin, and if not, what it waits for.
type state uint8

const (
	// resolving waits for an answer: any of IPv6, or one of IPv4 with addresses.
	resolving state = iota
	// inResolutionDelay has addresses of IPv4, and waits for IPv6 to answer or for
	// the Resolution Delay to pass.
	inResolutionDelay
	// ready waits for nothing. In this state alone connects begin and all ends in
	// failure: see run.
	ready
	// inAttemptDelay has begun a connect, and waits for one to fail or for the
	// Connection Attempt Delay to pass.
	inAttemptDelay
)

// connected is what became of one connect.
type connected struct {
	addr netip.AddrPort
	conn Conn
	err  error
}

func newHappyEyeballs(d *Dialer, host string, port uint16, start time.Time) *happyEyeballs {
	return &happyEyeballs{d: d, port: port, addrs: newAddresses(host), results: make(chan connected), start: start}
}

// run ends with the first connection, with ctx, or when there is nothing left to
// try or to wait for.
func (e *happyEyeballs) run(ctx context.Context, freshDNS bool) (Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { // ends the connects that have not won
		cancel()
		if e.over != nil {
			close(e.over)
		}
	}()
	e.lookUp(ctx, freshDNS)
	defer func() { e.leave(errUnwanted) }()
	e.delay = time.NewTimer(attemptDelay)
	e.delay.Stop()
	defer e.delay.Stop()
	for i := range e.waits { // those who share a lookup may come late
		if e.addrs.families[i].answer.known() {
			e.answered(ctx, i)
		}
	}
	for {
		switch {
		case e.state != ready:
			// The next connect has to wait.
		case e.onlyOne():
			return e.connectOnly(ctx)
		case e.addrs.remaining() > 0:
			e.connectNext(ctx)
		case len(e.running) == 0 && !e.expecting():
			return Conn{}, e.failure()
		}
		select {
		case <-e.waits[v6]:
			e.answered(ctx, v6)
		case <-e.waits[v4]:
			e.answered(ctx, v4)
		case <-e.delay.C:
			e.state = ready
		case c := <-e.results:
			if c.err == nil {
				return e.won(c.conn), nil
			}
			e.lost(c)
		case <-ctx.Done():
			cause := context.Cause(ctx)
			e.leave(cause)
			return Conn{}, e.interrupted(ctx, cause)
		}
	}
}

// lookUp looks the host up, or joins others who do.
func (e *happyEyeballs) lookUp(ctx context.Context, freshDNS bool) {
	e.flight = e.d.Lookups.join(ctx, e.addrs.host, freshDNS)
	for i := range e.waits {
		a := &e.flight.answers[i]
		e.waits[i], e.addrs.families[i].answer = a.done, a
	}
}

// leave leaves the lookup, once. Who ends it by that waits for what there is to tell
// of it, which takes no time.
func (e *happyEyeballs) leave(cause error) {
	if e.flight == nil {
		return
	}
	if e.d.Lookups.leave(e.flight, cause) {
		for i := range e.flight.answers {
			<-e.flight.answers[i].done
		}
	}
	e.flight = nil
}

// expecting reports whether an answer is worth waiting for once nothing else is left:
// where one family's addresses have all failed, those of the other are of use only if
// this machine could reach them.
func (e *happyEyeballs) expecting() bool {
	for i, wait := range e.waits {
		if wait != nil && (e.addrs.tried() == 0 || e.routed(i)) {
			return true
		}
	}
	return false
}

// answered takes in a family's answer.
func (e *happyEyeballs) answered(ctx context.Context, i int) {
	e.waits[i] = nil
	a := e.addrs.families[i].answer
	e.addrs.add(i, e.allowed(ctx, a.addrs))
	if e.addrs.remaining() > 0 {
		e.endLookup()
	}
	switch {
	case i == v6 && e.state != inAttemptDelay:
		e.state = ready
	case e.state == resolving && e.addrs.remaining() > 0:
		e.enter(inResolutionDelay, resolutionDelay-time.Since(a.at))
	}
}

// allowed drops the addresses that the policy refuses, before there is a socket.
func (e *happyEyeballs) allowed(ctx context.Context, addrs []netip.Addr) (allowed []netip.Addr) {
	if e.d.Policy == nil {
		return addrs
	}
	for _, a := range addrs {
		if err := e.d.allow(ctx, netip.AddrPortFrom(a, e.port)); err != nil {
			e.errs = append(e.errs, err)
			continue
		}
		allowed = append(allowed, a)
	}
	return allowed
}

// enter begins a state that delay ends, unless something else does before.
func (e *happyEyeballs) enter(s state, delay time.Duration) {
	e.state = s
	e.delay.Reset(delay)
}

// onlyOne reports whether the host has one address, which has not been tried.
func (e *happyEyeballs) onlyOne() bool {
	return e.waits[v6] == nil && e.waits[v4] == nil && e.addrs.tried() == 0 && e.addrs.remaining() == 1
}

// connectOnly connects to the one address of a host. It needs no goroutine.
func (e *happyEyeballs) connectOnly(ctx context.Context) (Conn, error) {
	c, err := e.d.connect(ctx, netip.AddrPortFrom(e.addrs.pop(), e.port))
	if err != nil {
		e.errs = append(e.errs, err)
		return Conn{}, e.failure()
	}
	return e.won(c), nil
}

// connectNext begins to connect to the next address.
func (e *happyEyeballs) connectNext(ctx context.Context) {
	addr := netip.AddrPortFrom(e.addrs.pop(), e.port)
	e.running = append(e.running, addr)
	if e.over == nil {
		e.over = make(chan struct{})
	}
	go e.connect(ctx, addr)
	e.enter(inAttemptDelay, attemptDelay)
}

// connect connects to addr and tells run. When run is over nobody listens any
// more, so a connection that comes too late is closed by the one who opened it.
func (e *happyEyeballs) connect(ctx context.Context, addr netip.AddrPort) {
	c := connected{addr: addr, err: hook.Exited("the dial function")}
	defer func() {
		select {
		case e.results <- c:
		case <-e.over:
			if c.err == nil {
				hook.Close(c.conn)
			}
		}
	}()
	defer hook.Recovered(&c.err) // of the connection's own methods
	c.conn, c.err = e.d.connect(ctx, addr)
}

// lost takes in that a connect failed, for which the next one need not wait.
func (e *happyEyeballs) lost(c connected) {
	e.running = slices.DeleteFunc(e.running, func(addr netip.AddrPort) bool { return addr == c.addr })
	e.errs = append(e.errs, c.err)
	e.state = ready
}

// won returns the connection that came first.
func (e *happyEyeballs) won(c Conn) Conn {
	e.times.Connect = time.Since(e.start) - e.times.DNS
	c.Times = e.times
	return c
}

// endLookup notes when there was an address to connect to, or that there is none.
func (e *happyEyeballs) endLookup() {
	if !e.resolved {
		e.resolved, e.times.DNS = true, time.Since(e.start)
	}
}
