package hostile

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Net is a network in memory. All waiting in it is on channels and clocks, so
// a synctest bubble can tell that it waits.
type Net struct {
	mu        sync.Mutex
	listeners map[string]*listener
	served    map[string]Handler // by IP address
	faults    map[string]fault   // by address, or IP address
	names     map[string]lookup  // by family and name
	dials     []string
	open      int
	lookups   map[string]int
}

type fault struct {
	drop  bool
	err   error
	delay time.Duration
}

type lookup struct {
	addrs []netip.Addr
	err   error
	hang  bool
	delay time.Duration
}

// NewNet returns a network where nobody listens and no name exists.
func NewNet() *Net {
	return &Net{
		listeners: make(map[string]*listener),
		served:    make(map[string]Handler),
		faults:    make(map[string]fault),
		names:     make(map[string]lookup),
		lookups:   make(map[string]int),
	}
}

// Drop makes connects to addr hang: to "ip:port" or, as with the next two, where nothing
// else is said of that, to all ports of "ip".
func (n *Net) Drop(addr string) { n.fault(addr, fault{drop: true}) }

// Fail makes connects to addr fail with err; nil ends that.
func (n *Net) Fail(addr string, err error) { n.fault(addr, fault{err: err}) }

// Delay makes connects to addr take d.
func (n *Net) Delay(addr string, d time.Duration) { n.fault(addr, fault{delay: d}) }

func (n *Net) fault(addr string, f fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[addr] = f
}

// Name gives a name addresses of both families.
func (n *Net) Name(name string, addrs ...string) {
	var v4, v6 []netip.Addr
	for _, s := range addrs {
		if a := netip.MustParseAddr(s); a.Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	n.name("ip4", name, lookup{addrs: v4})
	n.name("ip6", name, lookup{addrs: v6})
}

// NameFails makes a lookup of name in one family fail with err.
func (n *Net) NameFails(network, name string, err error) { n.name(network, name, lookup{err: err}) }

// NameHangs makes a lookup of name in one family hang.
func (n *Net) NameHangs(network, name string) { n.name(network, name, lookup{hang: true}) }

// NameTakes makes a lookup of name in one family take d.
func (n *Net) NameTakes(network, name string, d time.Duration) {
	n.mu.Lock()
	l := n.names[network+" "+name]
	n.mu.Unlock()
	l.delay = d
	n.name(network, name, l)
}

func (n *Net) name(network, name string, l lookup) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[network+" "+name] = l
}

// LookupNetIP makes the Net a resolver.
func (n *Net) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	n.lookups[host]++
	l := n.names[network+" "+strings.TrimSuffix(host, ".")]
	n.mu.Unlock()
	if l.hang || !wait(ctx, l.delay) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if l.err == nil && len(l.addrs) == 0 {
		l.err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return l.addrs, l.err
}

// Lookups returns how often a name was looked up, in any family.
func (n *Net) Lookups(host string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lookups[host]
}

// Listen listens on "ip:port".
func (n *Net) Listen(addr string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{n: n, addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[addr] = l
	return l
}

// Handle serves all ports of an IP address that nobody listens on. There is no listener
// and no goroutine until somebody connects, and the connection's goroutine ends with h;
// unlike that of [Serve], its context never ends. With nil nobody serves them.
func (n *Net) Handle(ip string, h Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.served[ip] = h
}

// at returns what there is at an address.
func (n *Net) at(addr string) (f fault, l *listener, h Handler) {
	ip := netip.MustParseAddrPort(addr).Addr().String()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, addr)
	f, ok := n.faults[addr]
	if !ok {
		f = n.faults[ip]
	}
	return f, n.listeners[addr], n.served[ip]
}

// DialContext connects.
func (n *Net) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	f, l, h := n.at(addr)
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: tcpAddr(addr), Err: err}
	}
	switch {
	case f.drop:
		<-ctx.Done()
		return fail(ctx.Err())
	case !wait(ctx, f.delay):
		return fail(ctx.Err())
	case f.err != nil:
		return fail(f.err)
	case l == nil && h == nil:
		return fail(syscall.ECONNREFUSED)
	}
	here, there := n.pipe(addr)
	if l == nil {
		go func() {
			defer there.Close()
			h(context.WithoutCancel(ctx), there)
		}()
		return here, nil
	}
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return fail(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

// Dials returns the addresses that were dialled, in order.
func (n *Net) Dials() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dials...)
}

// Open returns how many connections the dialling side has not closed.
func (n *Net) Open() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open
}

type listener struct {
	n     *Net
	addr  string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return tcpAddr(l.addr) }

func tcpAddr(addr string) *net.TCPAddr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)) }
