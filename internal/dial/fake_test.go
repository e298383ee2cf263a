package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

const ms = time.Millisecond

// never is a delay that only a context's end ends.
const never = time.Duration(1) << 62

const (
	a1 = "192.0.2.1:80"
	a2 = "192.0.2.2:80"
	b1 = "[2001:db8::1]:80"
	b2 = "[2001:db8::2]:80"
)

var (
	one4, one6   = reply{addrs: "192.0.2.1"}, reply{addrs: "2001:db8::1"}
	both4, both6 = reply{addrs: "192.0.2.1 192.0.2.2"}, reply{addrs: "2001:db8::1 2001:db8::2"}
	hang         = reply{after: never}
	refused      = reply{err: errRefused}
)

var (
	notFound    = &net.DNSError{Err: "no such host", IsNotFound: true}
	errServFail = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	errSilent   = &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	errRefused  = &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
)

// A reply is what a zone or a network says to one question.
type reply struct {
	after time.Duration
	addrs string // with spaces between
	err   error
	do    func() // done in place of all else
}

func (a reply) in(d time.Duration) reply { a.after = d; return a }

func (a reply) doing(do func()) reply { a.do = do; return a }

// many returns n addresses that begin with prefix.
func many(prefix string, n int) reply {
	var addrs []string
	for i := range n {
		addrs = append(addrs, fmt.Sprintf("%s%d", prefix, i+1))
	}
	return reply{addrs: strings.Join(addrs, " ")}
}

// wait waits for d or the end of ctx. It sets no timer for no time at all, in
// which the race detector of Go 1.26 may crash within a bubble.
func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A zone is a Hook that replies by "ip4 name" and "ip6 name". There is no
// name that it does not list.
type zone map[string]reply

func (z zone) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	a, ok := z[network+" "+host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if a.do != nil {
		a.do()
	}
	if err := wait(ctx, a.after); err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for s := range strings.FieldsSeq(a.addrs) {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	return addrs, a.err
}

// counting is a Hook that logs the questions to another.
type counting struct {
	resolve.Hook
	mu    sync.Mutex
	asked []string
}

func (c *counting) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	c.mu.Lock()
	c.asked = append(c.asked, network+" "+host)
	c.mu.Unlock()
	return c.Hook.LookupNetIP(ctx, network, host)
}

// count returns how many questions there were.
func (c *counting) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// questions returns what was asked, sorted.
func (c *counting) questions() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(c.asked)), ", ")
}

// A network replies to connects by "ip:port". What it does not list accepts at
// once.
type network struct {
	replies   map[string]reply
	elsewhere net.Addr // the peer of all connections, if set

	mu    sync.Mutex
	began time.Time
	dials []string
	open  int
}

func (n *network) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, fmt.Sprint(time.Since(n.began), " ", addr))
	n.mu.Unlock()
	a := n.replies[addr]
	if a.do != nil {
		a.do()
	}
	if err := wait(ctx, a.after); err != nil {
		return nil, err
	}
	if a.err != nil {
		return nil, a.err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	c := &fakeConn{n: n, remote: n.elsewhere}
	if c.remote == nil {
		c.remote = net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	}
	return c, nil
}

// log returns all connects, and how many connections are open.
func (n *network) log() (dials []string, open int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dials), n.open
}

type fakeConn struct {
	net.Conn
	n      *network
	remote net.Addr
	closed bool
}

func (c *fakeConn) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 99), Port: 9} }
func (c *fakeConn) RemoteAddr() net.Addr { return c.remote }

func (c *fakeConn) SetDeadline(time.Time) error { return errors.ErrUnsupported }

func (c *fakeConn) Close() error {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.n.open--
	}
	return nil
}

func newLookups(r resolve.Hook, maxTTL time.Duration) *Lookups {
	return NewLookups(resolve.NewCustom(r), maxTTL)
}

// newDialer returns a Dialer on fakes. It must be made in the bubble.
func newDialer(r resolve.Hook, n *network) *Dialer {
	n.began = time.Now()
	return &Dialer{Lookups: newLookups(r, 0), DialContext: n.DialContext}
}

// dialOnce dials host and closes the connection.
func dialOnce(ctx context.Context, d *Dialer, host string, freshDNS bool) error {
	c, _, err := d.Dial(ctx, host, 80, freshDNS)
	if err == nil {
		c.Close()
	}
	return err
}

// kind names what kind of error err is.
func kind(err error) string {
	var kinds []string
	add := func(name string, is bool) {
		if is {
			kinds = append(kinds, name)
		}
	}
	_, lookup := errors.AsType[*LookupError](err)
	add("lookup", lookup)
	missing, ok := errors.AsType[*resolve.Error](err)
	add("not found", ok && missing.Kind.Missing())
	add("sinkhole", ok && missing.Kind == resolve.Sinkhole)
	_, many := errors.AsType[*AddrsError](err)
	// Whether the end of a context is seen by one connect or by several is open.
	add("several", many && !errors.Is(err, context.DeadlineExceeded))
	_, blocked := errors.AsType[*BlockedError](err)
	add("blocked", blocked)
	p, panicked := errors.AsType[*hook.PanicError](err)
	add("panic", panicked)
	if panicked && len(p.Stack) == 0 && !strings.Contains(fmt.Sprint(p.Value), "Goexit") {
		add("without a stack", true)
	}
	const wsaECONNREFUSED = syscall.Errno(10061) // Windows has a number of its own
	add("refused", errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaECONNREFUSED))
	add("deadline", errors.Is(err, context.DeadlineExceeded))
	add("canceled", errors.Is(err, context.Canceled))
	if err != nil && kinds == nil {
		return "other: " + err.Error()
	}
	return strings.Join(kinds, ", ")
}

// check closes c and checks where it leads to, and the kind of err.
func check(t *testing.T, c Conn, err error, wantPeer, wantKind string) {
	t.Helper()
	if got := kind(err); got != wantKind {
		t.Errorf("Dial error = %v, of kind %q; want %q", err, got, wantKind)
	}
	peer := ""
	if c.Conn != nil {
		peer = c.Peer.String()
		c.Close()
	}
	if peer != wantPeer {
		t.Errorf("Dial peer = %q; want %q", peer, wantPeer)
	}
}
