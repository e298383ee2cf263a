// Package checkertest is for the tests of programs that use package checker. They need
// neither a site nor the Internet: a [Network] has sites that do as they are told, and
// [Result] makes what a check finds of one. This is the test of a function follow that
// watches sites and says when one changes:
//
//	func TestFollow(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) { // where an hour is over at once
//			network := checkertest.NewNetwork()
//			network.Handle("shop.test", nil) // it is up
//			time.AfterFunc(30*time.Minute, func() { network.Fail("shop.test", checker.CauseExpired) })
//			c, err := checker.New(network.Option())
//			if err != nil {
//				t.Fatal(err)
//			}
//			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
//			defer cancel()
//			var told []checker.Status
//			follow(ctx, c, []string{"https://shop.test/"}, func(_ string, now checker.Status) { told = append(told, now) })
//			if want := []checker.Status{checker.Online, checker.Offline}; !slices.Equal(told, want) {
//				t.Errorf("told %q; want %q", told, want)
//			}
//		})
//	}
//
// # Time
//
// A Network waits on nothing but clocks and memory, so that in a bubble of
// [testing/synctest] a timeout of ten seconds is over at once, and every time is exact. It
// changes when it is told to, which may be in the middle of a test:
//
//	network.Handle("shop.test", busy) // an http.Handler that answers 429
//	time.AfterFunc(3*time.Second, func() { network.Handle("shop.test", nil) })
//
// Bubbles under the race detector want one processor (go test -race -cpu 1), until
// golang.org/issue/78156 is mended.
package checkertest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"

	"example.com/checker"
	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve"
)

// A Network is a network in memory with sites that do what a test tells them. A host
// that it was not told of does not exist. Checks find it by [Network.Option], other
// clients by [Network.Client].
//
// All but the network is real: names are looked up, handshakes made, certificates
// verified, requests written and answers parsed by the code that does it otherwise. A host
// has one address, which is public in the eyes of [checker.PublicOnly] and which nobody
// ever connects to. It speaks plain HTTP at port 80, TLS at port 443, and either at any
// other port. Nothing takes time but what a test says.
//
// The zero Network is not usable; use [NewNetwork]. All methods may be called from many
// goroutines at once.
type Network struct {
	net *hostile.Net
	ca  *hostile.CA

	mu    sync.Mutex
	addrs map[string]netip.Addr // by host
	next  netip.Addr            // of the next new host
}

var firstAddr = netip.AddrFrom4([4]byte{1, 0, 0, 1})

// NewNetwork returns a network without hosts. It holds no goroutine, and need not be
// closed: each connection has one, until the client closes the connection and the
// handler returns.
func NewNetwork() *Network {
	return &Network{net: hostile.NewNet(), ca: hostile.NewCA(panics{}), addrs: make(map[string]netip.Addr), next: firstAddr}
}

// panics is what hostile has of a test.
type panics struct{}

func (panics) Fatalf(format string, args ...any) {
	panic("checkertest: " + fmt.Sprintf(format, args...))
}

// Option makes a Checker use the network. It sets the resolver, the function that connects
// and the roots of TLS, in place of WithResolver, WithDialContext and WithTLSConfig: give
// one of these beside it, and the later one counts.
func (n *Network) Option() checker.Option {
	return all(
		checker.WithResolver(resolver{n.net}),
		checker.WithDialContext(n.net.DialContext),
		checker.WithTLSConfig(n.tls()),
	)
}

// all returns several options as one. What they fill has a name in package checker alone.
func all[C any](opts ...func(C) error) func(C) error {
	return func(c C) error {
		var errs []error
		for _, opt := range opts {
			errs = append(errs, opt(c))
		}
		return errors.Join(errs...)
	}
}

// Client returns a client of the network's hosts, for what a program does beside its
// checks, such as calling a webhook. It trusts their certificates and keeps no
// connections.
func (n *Network) Client() *http.Client { return &http.Client{Transport: transport{n}} }

type transport struct{ *Network }

// RoundTrip dials in the request's own context, and keeps nothing. A Transport that is there
// for longer goes on dialling for others when the request has been given up, which would
// never end at a host that is silent.
func (n transport) RoundTrip(req *http.Request) (*http.Response, error) {
	once := &http.Transport{
		DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			return n.dial(req.Context(), network, addr)
		},
		TLSClientConfig:   n.tls(),
		DisableKeepAlives: true,
	}
	return once.RoundTrip(req)
}

func (n *Network) tls() *tls.Config { return &tls.Config{RootCAs: n.ca.Pool()} }

// dial connects to a name or an address.
func (n *Network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		addrs, err := resolver{n.net}.LookupNetIP(ctx, "ip4", host)
		if err != nil {
			return nil, err
		}
		ip = addrs[0]
	}
	return n.net.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
}

// Handle lets a host answer by h from now on, over http and https, whatever it did before.
// Where h is nil it answers 200 with an empty page. A slow site is one whose handler sleeps.
// If it may sleep for longer than a check waits, it has to end with the request, since a
// bubble whose test is over takes what still sleeps for a deadlock:
//
//	select {
//	case <-time.After(time.Minute):
//	case <-req.Context().Done():
//	}
//
// The host is named as a target does it: by itself or by a URL, of which no more than the
// host matters. Handle panics where there is none.
func (n *Network) Handle(host string, h http.Handler) {
	if h == nil {
		h = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	}
	name := nameOf(host)
	plain := hostile.HTTP(h)
	n.set(name, way{plain: plain, secure: n.behind(hostile.Cert{Names: []string{name}}, plain)})
}

// Fail lets a host fail from now on, so that a check of its https URL fails with why,
// whatever the host did before:
//
//	errors.Is(c.Check(ctx, "https://shop.test/").Err, why)
//
// The reasons that it takes, by themselves or as one of their causes, are not_found,
// refused, unreachable, reset, timeout, certificate, tls, malformed and dns, and of local
// the causes descriptors, ports, memory, no_route, firewall and network. The host does what
// that fault is in life. What is silent is so until the timeout; what this machine is short
// of is tried again until then. Where only TLS fails, port 80 refuses.
//
// Fail panics for what is not a host's doing. What depends on an option is in the answer:
// say it by Handle, as a redirect to itself, a status that a judge refuses, a header of a
// challenge. All the rest can be had from [Result]. It panics as well where host names no
// host, as with Handle.
func (n *Network) Fail(host string, why error) {
	name := nameOf(host)
	var f func(*Network, string) way
	switch why.(type) {
	case checker.Reason, checker.Cause:
		f = faults[why]
	}
	if f == nil {
		panic(fmt.Sprintf("checkertest: no host can fail with %q", why))
	}
	n.set(name, f(n, name))
}

// nameOf returns the host that a target names.
func nameOf(target string) string {
	name, err := checker.Host(target)
	if err != nil {
		panic(fmt.Sprintf("checkertest: %v", err))
	}
	return name
}

// set lets a host go a way.
func (n *Network) set(name string, w way) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ip := n.addr(name).String()
	n.net.Name(name, ip)
	if w.lookup != nil {
		n.net.NameFails("ip4", name, w.lookup(resolve.IP4))
		n.net.NameFails("ip6", name, w.lookup(resolve.IP6))
	}
	if w.mute {
		n.net.NameHangs("ip4", name)
		n.net.NameHangs("ip6", name)
	}
	n.net.Handle(ip, w.serve)
	for _, addr := range []string{ip, net.JoinHostPort(ip, "80"), net.JoinHostPort(ip, "443")} {
		switch {
		case w.drop:
			n.net.Drop(addr)
		case w.plain == nil && addr == net.JoinHostPort(ip, "80"):
			n.net.Fail(addr, cmp.Or[error](w.connect, syscall.ECONNREFUSED))
		default:
			n.net.Fail(addr, w.connect)
		}
	}
}

// addr returns the address of a host, a new one for one that has none.
func (n *Network) addr(name string) netip.Addr {
	ip, err := netip.ParseAddr(name)
	if err == nil {
		return ip
	}
	if known, ok := n.addrs[name]; ok {
		return known
	}
	ip = n.next
	n.next = ip.Next()
	n.addrs[name] = ip
	return ip
}

// A resolver knows the names of a network. It says of others, in the words of package
// resolve, that there are none.
type resolver struct{ net *hostile.Net }

func (r resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	addrs, err := r.net.LookupNetIP(ctx, network, host)
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		err = lookupError(resolve.NotFound, host)(resolve.IP4)
	}
	return addrs, err
}
