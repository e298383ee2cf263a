package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
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
	ap := listen(t).Addr().(*net.TCPAddr).AddrPort()
	for _, policy := range []func(netip.AddrPort) error{nil, refuse()} {
		d := Dialer{Policy: policy}
		c, times, err := d.Dial(t.Context(), ap.Addr().String(), ap.Port(), false)
		check(t, c, err, ap.String(), "")
		if times.Connect <= 0 || times.DNS != 0 {
			t.Errorf("Times = %+v; want a connect and no lookup", times)
		}
	}
}

func TestSocketRefused(t *testing.T) {
	ap := closedPort(t)
	d := Dialer{Lookups: NewLookups(zone{"ip4 h.test.": {addrs: "127.0.0.1"}}, 0)}
	for _, host := range []string{"127.0.0.1", "h.test"} {
		c, _, err := d.Dial(t.Context(), host, ap.Port(), false)
		check(t, c, err, "", "refused")
	}
}

// The policy is asked by the dialer, for the socket, and about the peer: one
// that changes its mind meanwhile still refuses.
func TestSocketPolicy(t *testing.T) {
	ap := listen(t).Addr().(*net.TCPAddr).AddrPort()
	for refused := range 3 {
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

func TestDialContextOdd(t *testing.T) {
	d := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil }}
	c, _, err := d.Dial(t.Context(), "192.0.2.1", 80, false)
	if c.Conn != nil || err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("Dial = %v, %v; want an error", c.Conn, err)
	}
	a, b := net.Pipe()
	defer b.Close()
	d.DialContext = func(context.Context, string, string) (net.Conn, error) { return noAddr{a}, nil }
	c, _, err = d.Dial(t.Context(), "192.0.2.1", 80, false)
	check(t, c, err, "invalid AddrPort", "")
}

// noAddr is a connection that has no addresses at all.
type noAddr struct{ net.Conn }

func (noAddr) LocalAddr() net.Addr  { return nil }
func (noAddr) RemoteAddr() net.Addr { return nil }

func TestErrorText(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	ap := netip.MustParseAddrPort(a1)
	for _, tt := range []struct {
		err  error
		want string
		is   error
	}{
		{&LookupError{Host: "h\n.test", Err: one}, `look up "h\n.test": one`, one},
		{&BlockedError{Addr: ap, Err: one}, "address 192.0.2.1:80 blocked: one", one},
		{joined([]error{one}), "one", one},
		{joined([]error{one, two}), "one\ntwo", two},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%T.Error() = %q; want %q", tt.err, got, tt.want)
		}
		if tt.is != nil && !errors.Is(tt.err, tt.is) {
			t.Errorf("%T does not wrap %v", tt.err, tt.is)
		}
	}
}
