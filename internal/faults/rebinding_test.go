package faults_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A rebinding is a resolver that a stranger runs: its answers change from one
// question for a name to the next.
type rebinding struct {
	mu    sync.Mutex
	asked map[string]int
	// answer returns the addresses for the nth question for a name, from 0.
	answer func(network string, n int) []netip.Addr
}

func (b *rebinding) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	b.mu.Lock()
	if b.asked == nil {
		b.asked = make(map[string]int)
	}
	n := b.asked[network+host]
	b.asked[network+host]++
	b.mu.Unlock()
	if addrs := b.answer(network, n); addrs != nil {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// inside answers with loopback.
func inside(network string, _ int) []netip.Addr {
	if network == "ip4" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	return []netip.Addr{netip.IPv6Loopback()}
}

// after answers with a public address to the first n questions.
func after(n int) func(string, int) []netip.Addr {
	return func(network string, i int) []netip.Addr {
		switch {
		case i >= n:
			return inside(network, i)
		case network == "ip4":
			return []netip.Addr{netip.MustParseAddr(originAddr)}
		}
		return nil
	}
}

// L1: the answer that the policy has judged is the one that is connected to, however
// often the resolver changes its mind.
func TestRebinding(t *testing.T) {
	everywhere := make([]string, 11)
	for i := range everywhere {
		everywhere[i] = fmt.Sprintf("/%d", i+1)
	}
	for _, row := range []struct {
		name   string
		times  int
		answer func(network string, n int) []netip.Addr
		site   hostile.Handler // nil: refuses
		reason checker.Reason
		opts   []checker.Option
	}{
		{"within a dial", 10_000, func(network string, n int) []netip.Addr { // A is public once, AAAA is ::1
			if network == "ip4" {
				return after(1)(network, n)
			}
			return inside(network, n)
		}, nil, checker.ReasonBlocked, nil},
		{"between addresses of a family", 1_000, func(string, int) []netip.Addr {
			addrs := append(inside("ip4", 0), netip.MustParseAddr(originAddr))
			return append(addrs, inside("ip4", 0)...)
		}, nil, checker.ReasonRefused, nil},
		{"between attempts", 1_000, after(1), hostile.Close(), checker.ReasonBlocked, nil},
		{"between hops", 10_000, after(1), locations(everywhere), checker.ReasonBlocked, nil},
		{
			"between HEAD and GET", 10_000, after(1), hostile.Respond("HTTP/1.1 405 X\r\n\r\n"), checker.ReasonBlocked,
			[]checker.Option{checker.WithJudge(checker.StatusIn(200, 299))},
		},
		{"from the first question on", 1_000, after(0), hostile.Respond(hostile.OK), checker.ReasonBlocked, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble.Test(t, func(t *testing.T) {
				n := hostile.NewNet()
				if row.site != nil {
					hostile.ServeListener(t, n.Listen(originAddr+":80"), row.site)
				}
				b := &rebinding{answer: row.answer}
				c := faults.NewChecker(t, publicOn(n, append(row.opts, checker.WithResolver(b))...)...)
				others, times := 0, row.times
				if testing.Short() {
					times /= 10
				}
				for i := range times {
					target := fmt.Sprintf("http://r%d.test/0", i)
					if r := c.Check(t.Context(), target); r.Reason() != row.reason {
						others++
					}
				}
				// Two requests of one check may share a lookup that is just
				// ending, and then the second goes where the first went.
				if others > times/10 {
					t.Errorf("%d of %d checks ended otherwise than with %q", others, times, row.reason)
				}
				onlyOrigin(t, n)
			})
		})
	}
}

// L2: of a name with addresses of both kinds, the public ones alone are dialled,
// also where they fail.
func TestMixedAnswers(t *testing.T) {
	for _, inside := range []string{"10.0.0.1", "127.0.0.1", "::1", "fd00:ec2::254", "64:ff9b::7f00:1"} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("mixed.test", inside, originAddr, "169.254.169.254", "::1")
			c := faults.NewChecker(t, publicOn(n, checker.WithRetries(3))...)
			for _, scheme := range []string{"http", "https"} {
				if r := c.Check(t.Context(), scheme+"://mixed.test/"); r.Reason() != checker.ReasonRefused {
					t.Errorf("Check(%q).Err = %v with %s among the addresses; want refused", r.Target, r.Err, inside)
				}
			}
			onlyOrigin(t, n)
		})
	}
}

// A dial function is handed addresses, so that there is no name left in it that
// could be looked up anew; and what it connects to is judged before a byte is
// sent there. A peer that has no address is not what any policy has allowed.
func TestDialFunctionGoesElsewhere(t *testing.T) {
	for name, peer := range map[string]net.Addr{
		"loopback":           &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80},
		"mapped loopback":    fakeAddr("[::ffff:127.0.0.1]:80"),
		"link local":         &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 80, Zone: "lo"},
		"public with a zone": &net.TCPAddr{IP: net.ParseIP("2606:4700::1"), Port: 80, Zone: "lo"},
		"UDP":                &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80},
	} {
		checkElsewhere(t, name, peer, checker.PublicOnly)
	}
	all := func(netip.AddrPort) error { return nil }
	for name, peer := range map[string]net.Addr{
		"unix":             &net.UnixAddr{Net: "unix", Name: "/run/docker.sock"},
		"IP":               &net.IPAddr{IP: net.IPv4(1, 1, 1, 1)},
		"none":             nil,
		"a nil address":    (*net.TCPAddr)(nil),
		"an empty address": &net.TCPAddr{},
		"no address":       fakeAddr("nonsense"),
		"a name":           fakeAddr("origin.test:80"),
		"no port":          fakeAddr("1.1.1.1"),
	} {
		checkElsewhere(t, name, peer, all)
		checkElsewhere(t, name, peer, checker.PublicOnly)
	}
}

func checkElsewhere(t *testing.T, name string, peer net.Addr, policy func(netip.AddrPort) error) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		read := make(chan int)
		go func() {
			n, _ := there.Read(make([]byte, 1))
			read <- n
		}()
		dialled := 0
		dial := func(_ context.Context, network, addr string) (net.Conn, error) {
			if dialled++; network != "tcp" || addr != originAddr+":80" {
				t.Errorf("dialled %q, %q; want tcp and the address of the origin", network, addr)
			}
			return peerConn{here, peer}, nil
		}
		c := faults.NewChecker(t, publicOn(vectorNet(), checker.WithDialContext(dial), checker.WithAddrPolicy(policy))...)
		if r := c.Check(t.Context(), "http://origin.test/"); r.Reason() != checker.ReasonBlocked || dialled != 1 {
			t.Errorf("%s: Check(%q).Err = %v after %d dials; want blocked after one", name, r.Target, r.Err, dialled)
		}
		if n := <-read; n != 0 {
			t.Errorf("%s: a byte was sent", name)
		}
	})
}

// peerConn is a connection with a peer of one's choice.
type peerConn struct {
	net.Conn
	peer net.Addr
}

func (c peerConn) RemoteAddr() net.Addr { return c.peer }

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }
