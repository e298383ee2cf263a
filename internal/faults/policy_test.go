package faults_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A gate is a policy and a dial function that watch each other.
type gate struct {
	n     *hostile.Net
	until int // from this question on the policy refuses; 0: never

	mu     sync.Mutex
	asked  int                         // questions so far
	events map[netip.AddrPort][]string // questions and dials
	late   int                         // reads of what came after the first refusal
}

func (g *gate) allow(addr netip.AddrPort) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	g.events[addr] = append(g.events[addr], "asked")
	if g.closed() {
		return errGate
	}
	return nil
}

func (g *gate) closed() bool { return g.until > 0 && g.asked >= g.until }

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := g.n.DialContext(ctx, network, addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	event := "connected"
	if err != nil {
		event = "failed"
	}
	ap := netip.MustParseAddrPort(addr)
	g.events[ap] = append(g.events[ap], event)
	return conn, err
}

// serve has h listen, and watches when it hears something.
func (g *gate) serve(t *testing.T, addr string, h hostile.Handler) {
	hostile.ServeListener(t, g.n.Listen(addr), func(ctx context.Context, conn net.Conn) {
		h(ctx, &watched{conn, g})
	})
}

// check fails unless the policy was asked about an address before each dial, and
// again once the connection stood.
func (g *gate) check(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for addr, events := range g.events {
		asked := 0
		for i, e := range events {
			switch {
			case e == "asked":
				asked++
				continue
			case asked < 1:
				t.Errorf("%v was dialled without a question, as event %d of %q", addr, i, events)
			}
			if asked = 0; e == "connected" {
				asked = -1 // one question is about the peer
			}
		}
		if asked < 0 {
			t.Errorf("there was no question about the peer %v in %q", addr, events)
		}
	}
}

// wind makes a check go every way to a connection that there is: a family that
// fails, GET after HEAD, a redirect, an address that fails, another attempt. It
// returns what is dialled.
func (g *gate) wind(t *testing.T) (dials []string) {
	const dead6, dead, last = "[2001:db8::80]:80", "192.0.2.90:80", "192.0.2.91:80"
	g.n.Name("site.test", "2001:db8::80", siteAddr)
	g.n.Name("last.test", "192.0.2.90", "192.0.2.91")
	g.serve(t, siteAddr+":80", hostile.ByMethod(map[string]hostile.Handler{
		"HEAD": hostile.ResetAfterRequest(),
		"GET":  hostile.Respond("HTTP/1.1 302 Found\r\nLocation: http://last.test/\r\n\r\n"),
	}))
	g.serve(t, last, hostile.Sequence(hostile.ResetAfterRequest(), hostile.ResetAfterRequest(), hostile.Respond(hostile.OK)))
	head := []string{dead6, siteAddr + ":80"}
	get := head
	hop := []string{dead, last}
	return slices.Concat(head, get, hop, hop, head, get, hop)
}

var errGate = errors.New("closed")

type watched struct {
	net.Conn
	g *gate
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	if n > 0 && c.g.closed() {
		c.g.late++
	}
	return n, err
}

func (c *watched) SetLinger(sec int) error {
	return c.Conn.(interface{ SetLinger(int) error }).SetLinger(sec)
}

// L2: the policy is asked for every socket, and from its first refusal on nobody
// hears of the check any more.
func TestPolicyIsAskedForEverySocket(t *testing.T) {
	questions := 1
	for until := 0; until <= questions; until++ {
		bubble.Test(t, func(t *testing.T) {
			g := &gate{n: hostile.NewNet(), until: until, events: make(map[netip.AddrPort][]string)}
			want := g.wind(t)
			c := faults.NewChecker(t, faults.On(g.n, checker.WithDialContext(g.dial), checker.WithAddrPolicy(g.allow), checker.WithRedirects(5))...)
			r := c.Check(t.Context(), "http://site.test/")
			synctest.Wait()
			if until > 0 {
				if r.Online() || g.late > 0 {
					t.Errorf("refused from question %d on: %v, and %d reads came late; want not Online, and none", until, r, g.late)
				}
				return
			}
			g.check(t)
			if questions = g.asked; !r.Online() || r.Attempts != 2 || !slices.Equal(g.n.Dials(), want) {
				t.Fatalf("Check(%q) = %v after %d attempts, dialled %q; want Online after 2, and %q", r.Target, r, r.Attempts, g.n.Dials(), want)
			}
		})
	}
}

// untilQuestion is a policy that refuses from its nth question on.
func untilQuestion(n int64) checker.Option {
	var asked atomic.Int64
	return checker.WithAddrPolicy(func(netip.AddrPort) error {
		if asked.Add(1) >= n {
			return errGate
		}
		return nil
	})
}

// With sockets of the system the policy is asked before there is one, and when it is
// connected.
func TestPolicyIsAskedBeforeConnect(t *testing.T) {
	for question, accepts := range map[int64]int{1: 0, 2: 1} {
		s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
		r := faults.NewChecker(t, untilQuestion(question)).Check(t.Context(), s.URL())
		if r.Reason() != checker.ReasonBlocked {
			t.Errorf("refused at question %d: Check(%q).Err = %v; want blocked", question, r.Target, r.Err)
		}
		// A connection of our own is accepted after all that there were.
		if r := faults.NewChecker(t).Check(t.Context(), s.URL()); !r.Online() {
			t.Errorf("without a policy Check(%q) = %v; want Online", r.Target, r)
		}
		if got := s.Accepted() - 1; got != accepts {
			t.Errorf("refused at question %d: %d connections were accepted; want %d", question, got, accepts)
		}
	}
}

// A server that speaks HTTP/2 only is connected to twice, and the policy is
// asked each time.
func TestPolicyIsAskedForHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	var requests atomic.Int64
	s := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests.Add(1)
	})))
	const questions = 4 // two for each connection
	for question := int64(1); question <= questions+1; question++ {
		c := faults.NewChecker(t, untilQuestion(question), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
		r := c.Check(t.Context(), s.URLS())
		if question <= questions && (r.Reason() != checker.ReasonBlocked || requests.Load() != 0) {
			t.Errorf("refused at question %d: Check(%q).Err = %v after %d requests; want blocked after none", question, r.Target, r.Err, requests.Load())
		}
		if question > questions && (!r.Online() || requests.Load() != 1) {
			t.Errorf("not refused: Check(%q) = %v after %d requests; want Online after 1", r.Target, r, requests.Load())
		}
	}
	// Refused at question 2 and 3 there was one connection each, then two.
	if got := s.Accepted(); got != 2+2+2 {
		t.Errorf("%d connections were accepted; want 6", got)
	}
}

// A policy sees IPv4 addresses as such, and the port that is to be connected to.
func TestPolicySeesLiteralAddresses(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := vectorNet()
		var mu sync.Mutex
		questions := 0
		c := faults.NewChecker(t, faults.On(n, checker.WithAddrPolicy(func(addr netip.AddrPort) error {
			mu.Lock()
			defer mu.Unlock()
			questions++
			if a := addr.Addr(); !a.IsValid() || a.Is4In6() || a.Zone() != "" || addr.Port() == 0 {
				t.Errorf("the policy was asked about %v", addr)
			}
			return errGate
		}))...)
		for _, v := range hostile.Vectors() {
			c.Check(t.Context(), v.URL)
		}
		if questions < 100 || len(n.Dials()) > 0 {
			t.Errorf("%d questions, dialled %q; want some and none", questions, n.Dials())
		}
	})
}

// A policy that panics refuses, wherever it is asked.
func TestPolicyPanics(t *testing.T) {
	for name, fail := range map[string]func(){
		"with a text":    func() { panic("no") },
		"with an error":  func() { panic(errGate) },
		"of the runtime": func() { _ = os.Args[len(os.Args)] },
		"of net/http":    func() { panic(http.ErrAbortHandler) },
	} {
		bubble.Test(t, func(t *testing.T) {
			n := vectorNet()
			n.Name("several.test", "1.1.1.1", "8.8.8.8", "2606:4700::1")
			hostile.ServeListener(t, n.Listen(originAddr+":80"), locations([]string{"http://1.1.1.1/", "https://several.test/"}))
			c := faults.NewChecker(t, publicOn(n, checker.WithAddrPolicy(func(addr netip.AddrPort) error {
				if addr.Addr() != netip.MustParseAddr(originAddr) {
					fail()
				}
				return nil
			}))...)
			for _, r := range c.CheckAll(t.Context(), []string{
				"http://1.1.1.1/", "https://1.1.1.1/", "1.1.1.1", "http://several.test/", "https://several.test", "several.test",
				"http://origin.test/0", "http://origin.test/1",
			}) {
				if r.Reason() != checker.ReasonInternal {
					t.Errorf("a panic %s: Check(%q).Err = %v; want internal", name, r.Target, r.Err)
				}
			}
			onlyOrigin(t, n)
		})
	}
}
