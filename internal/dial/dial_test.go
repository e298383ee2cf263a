package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/resolve"
)

// closedPort returns a loopback address where nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestSocket(t *testing.T) {
	l := listen(t)
	ap := l.Addr().(*net.TCPAddr).AddrPort()
	for _, d := range []Dialer{{}, {Policy: refuse()}, {DialContext: new(net.Dialer).DialContext}, {Policy: refuse(), DialContext: new(net.Dialer).DialContext}} {
		c, times, err := d.Dial(t.Context(), ap.Addr().String(), ap.Port(), false)
		if err != nil {
			t.Fatal(err)
		}
		other, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(c, "x")
		said := make([]byte, 1)
		if _, readErr := io.ReadFull(other, said); err != nil || readErr != nil || said[0] != 'x' {
			t.Errorf("Write = %v, and the other end reads %q, %v; want x", err, said, readErr)
		}
		other.Close()
		check(t, c, nil, ap.String(), "")
		if times.Connect <= 0 || times.DNS != 0 {
			t.Errorf("Times = %+v; want a connect and no lookup", times)
		}
	}
}

func TestSocketRefused(t *testing.T) {
	ap := closedPort(t)
	d := Dialer{Lookups: newLookups(zone{"ip4 h.test": {addrs: "127.0.0.1"}}, 0)}
	for _, host := range []string{"127.0.0.1", "h.test"} {
		c, _, err := d.Dial(t.Context(), host, ap.Port(), false)
		check(t, c, err, "", "refused")
	}
}

// The policy is asked before there is a socket and about the peer: one that changes
// its mind meanwhile still refuses.
func TestSocketPolicy(t *testing.T) {
	ap := listen(t).Addr().(*net.TCPAddr).AddrPort()
	for refused := range 2 {
		asked := 0
		d := Dialer{Policy: func(got netip.AddrPort) error {
			if got != ap {
				t.Errorf("policy is asked for %v; want %v", got, ap)
			}
			if asked++; asked > refused {
				return errPolicy
			}
			return nil
		}}
		c, _, err := d.Dial(t.Context(), ap.Addr().String(), ap.Port(), false)
		check(t, c, err, "", "blocked")
		if asked != refused+1 || !errors.Is(err, errPolicy) {
			t.Errorf("Dial error = %v after %d questions; want %v after %d", err, asked, errPolicy, refused+1)
		}
	}
}

// C10: a socket that connects to itself has not reached anybody.
func TestSelfConnect(t *testing.T) {
	ap := closedPort(t)
	d := Dialer{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		nd := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(ap)}
		return nd.DialContext(ctx, network, addr)
	}}
	c, _, err := d.Dial(t.Context(), ap.Addr().String(), ap.Port(), false)
	switch {
	case err == nil || errors.Is(err, errSelfConnect):
	case os.Getenv("CI") == "true":
		t.Fatalf("this system does not connect a socket to itself: %v", err)
	default:
		t.Skipf("this system does not connect a socket to itself: %v", err)
	}
	check(t, c, err, "", "refused")
}

// A connection is one to itself if both of its ends are the same TCP address.
func TestSelfConnected(t *testing.T) {
	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	for _, tt := range []struct {
		local, remote net.Addr
		want          bool
	}{
		{tcp("192.0.2.1:1024"), tcp("192.0.2.1:1024"), true},
		{tcp("192.0.2.1:1024"), tcp("[::ffff:192.0.2.1]:1024"), true},
		{tcp("192.0.2.1:1024"), tcp("192.0.2.1:1025"), false},
		{tcp("192.0.2.1:1024"), tcp("192.0.2.2:1024"), false},
		{(*net.TCPAddr)(nil), tcp(a1), false},
		{tcp(a1), (*net.TCPAddr)(nil), false},
		{tcp(a1), nil, false},
		{&net.UnixAddr{Name: "x"}, &net.UnixAddr{Name: "x"}, false},
	} {
		if got := selfConnected(ends{local: tt.local, remote: tt.remote}); got != tt.want {
			t.Errorf("selfConnected(%v, %v) = %t; want %t", tt.local, tt.remote, got, tt.want)
		}
	}
}

// ends is a connection with these.
type ends struct {
	net.Conn
	local, remote net.Addr
}

func (e ends) LocalAddr() net.Addr  { return e.local }
func (e ends) RemoteAddr() net.Addr { return e.remote }

func TestDialContextOdd(t *testing.T) {
	d := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil }}
	c, _, err := d.Dial(t.Context(), "192.0.2.1", 80, false)
	if c.Conn != nil || err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("Dial = %v, %v; want an error", c.Conn, err)
	}
	a, b := net.Pipe()
	defer b.Close()
	d.DialContext = func(context.Context, string, string) (net.Conn, error) { return ends{Conn: a}, nil }
	c, _, err = d.Dial(t.Context(), "192.0.2.1", 80, false)
	check(t, c, err, "invalid AddrPort", "")
}

var errPolicy = errors.New("not there")

// refuse returns a policy that refuses some addresses.
func refuse(addrs ...string) func(netip.AddrPort) error {
	return func(ap netip.AddrPort) error {
		for _, a := range addrs {
			if ap.Addr() == netip.MustParseAddr(a) {
				return errPolicy
			}
		}
		return nil
	}
}

func TestPolicy(t *testing.T) {
	const h = "h.test"
	all := zone{"ip4 h.test": both4, "ip6 h.test": one6}
	elsewhere := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80} // 16 bytes: a mapped address
	for _, tt := range []struct {
		name       string
		host       string
		z          zone
		policy     func(netip.AddrPort) error
		elsewhere  net.Addr
		dials      int
		peer, kind string
	}{
		{"allowed", h, all, refuse(), nil, 1, b1, ""},
		{"one allowed", h, all, refuse("2001:db8::1", "192.0.2.1"), nil, 1, a2, ""},
		{"none allowed", h, all, refuse("2001:db8::1", "192.0.2.1", "192.0.2.2"), nil, 0, "", "several, blocked"},
		{"the only one refused", h, zone{"ip4 h.test": one4}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"refused beside a failed lookup", h, zone{"ip4 h.test": one4, "ip6 h.test": {err: errServFail}}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"literal", "192.0.2.1", nil, refuse(), nil, 1, a1, ""},
		{"literal refused", "192.0.2.1", nil, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"literal ip6 refused", "2001:db8::1", nil, refuse("2001:db8::1"), nil, 0, "", "blocked"},
		{"mapped literal is judged as ip4", "::ffff:192.0.2.1", nil, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"mapped answer is judged as ip4", h, zone{"ip4 h.test": {addrs: "::ffff:192.0.2.1"}}, refuse("192.0.2.1"), nil, 0, "", "blocked"},
		{"connects elsewhere", "192.0.2.1", nil, refuse("10.0.0.1"), elsewhere, 1, "", "blocked"},
		{"connects elsewhere by name", h, zone{"ip4 h.test": one4}, refuse("10.0.0.1"), elsewhere, 1, "", "blocked"},
		{"connects elsewhere, without a policy", "192.0.2.1", nil, nil, elsewhere, 1, "10.0.0.1:80", ""},
		{"peer without an address", "192.0.2.1", nil, refuse(), &net.UnixAddr{Name: "/run/x"}, 1, "", "blocked"},
		{"peer without an address, without a policy", "192.0.2.1", nil, nil, &net.UnixAddr{Name: "/run/x"}, 1, "invalid AddrPort", ""},
		{"policy panics", "192.0.2.1", nil, func(netip.AddrPort) error { panic("boom") }, nil, 0, "", "panic"},
		{"policy panics on all", h, all, func(netip.AddrPort) error { panic("boom") }, nil, 0, "", "several, panic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := &network{elsewhere: tt.elsewhere}
				d := newDialer(tt.z, n)
				d.Policy = tt.policy
				c, _, err := d.Dial(t.Context(), tt.host, 80, false)
				check(t, c, err, tt.peer, tt.kind)
				synctest.Wait()
				dials, open := n.log()
				if len(dials) != tt.dials || open != 0 {
					t.Errorf("%d connects, %d left open; want %d, 0", len(dials), open, tt.dials)
				}
				if b, ok := errors.AsType[*BlockedError](err); ok && tt.elsewhere == nil && !errors.Is(b, errPolicy) {
					t.Errorf("BlockedError = %v; want it to wrap what the policy said", b)
				}
			})
		})
	}
}

// frugal counts how often what it keeps is wanted elsewhere.
type frugal struct {
	*resolve.Custom
	gaveUp int
}

func (f *frugal) GiveUp() { f.gaveUp++ }

// A connect that lacks a descriptor gets those that lookups keep.
func TestScarceConnectGetsIdleSockets(t *testing.T) {
	for number, want := range map[syscall.Errno]int{syscall.EMFILE: 1, syscall.ECONNREFUSED: 0} {
		names := &frugal{Custom: resolve.NewCustom(zone{"ip4 h.test": one4})}
		n := &network{replies: map[string]reply{a1: {err: &net.OpError{Op: "dial", Err: number}}}}
		d := &Dialer{Lookups: NewLookups(names, 0), DialContext: n.DialContext}
		if err := dialOnce(t.Context(), d, "h.test", false); !errors.Is(err, number) || names.gaveUp != want {
			t.Errorf("Dial = %v, and idle sockets were given up %d times; want %v and %d", err, names.gaveUp, number, want)
		}
	}
}
