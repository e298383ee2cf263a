package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"example.com/checker/internal/hostile"
)

const canaryName = "canary.soak.test"

// A fleet is the servers of all sites of one seed: one on every address of
// loopback, and a resolver's. They belong to the process that does not check.
type fleet struct {
	ledger
	server   *hostile.Server
	canary   *hostile.Server // which lives
	dns      *hostile.DNS
	closed   uint16 // a port where nobody listens
	configs  map[string]*tls.Config
	root     []byte // what signed the certificates that are to be trusted, in DER
	deck     *deck
	handlers map[*kind]hostile.Handler
	cleanups []func()
	ctx      context.Context // of the run; the fleet is the program's *testing.T
}

// A ledger counts what was asked of each site. Connections count by the address
// that they came to, requests by the number in their path, both as soon as they
// are there: what a site answers has been counted before.
type ledger struct {
	conns, requests []atomic.Uint32
	astray          atomic.Int64 // requests that no target asks for
}

// errSetup wraps what keeps a fleet from being set up.
var errSetup = errors.New("set up the servers")

// newFleet starts the servers; close ends them.
func newFleet(ctx context.Context, n int, d *deck) (f *fleet, err error) {
	f = &fleet{ctx: ctx, deck: d, handlers: make(map[*kind]hostile.Handler)}
	f.conns, f.requests = make([]atomic.Uint32, n), make([]atomic.Uint32, n)
	defer func() {
		if e, ok := recover().(error); ok {
			f.close()
			if err = e; !errors.Is(e, errSetup) {
				panic(e)
			}
		}
	}()
	f.certify()
	for _, k := range d.all {
		if k.serve != nil {
			f.handlers[k] = k.serve(f)
		}
	}
	// All of 127/8 is on loopback, but a socket can be bound to one address or
	// to all, the machine's others included.
	f.server = hostile.Serve(f, "0.0.0.0:0", f.serve)
	f.canary = hostile.Serve(f, "127.0.0.1:0", hostile.TLS(f.configs["good"], hostile.Respond(hostile.OK)))
	f.closed = hostile.ClosedPort(f).Port()
	f.dns = hostile.ServeDNS(f)
	for i := range n {
		if k := d.kind(i); k.dns != nil {
			s := newSite(i, 0, 0)
			f.dns.Set(s.name, k.dns(s)...)
		}
	}
	f.dns.Set(canaryName, hostile.Addrs("127.0.0.1"))
	for i := range hotHosts {
		f.dns.Set(hotName(i), hostile.Addrs(fmt.Sprintf("127.0.1.%d", i+1)))
	}
	return f, nil
}

// certify makes the certificates. Names that begin with "i" are all of one
// domain, so one certificate is good for all.
func (f *fleet) certify() {
	const names = "*.soak.test"
	ca, other := hostile.NewCA(f), hostile.NewCA(f)
	good := hostile.Cert{Names: []string{names}}
	alert := ca.Config(good)
	alert.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no such name") }
	f.configs = map[string]*tls.Config{
		"good":       ca.Config(good),
		"expired":    ca.Config(hostile.Cert{Names: good.Names, NotAfter: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}),
		"untrusted":  other.Config(good),
		"wrong host": ca.Config(hostile.Cert{Names: []string{"other.test"}}),
		"alert":      alert,
	}
	for _, conf := range f.configs {
		conf.SessionTicketsDisabled = true
	}
	chain := ca.Issue(hostile.Cert{Names: good.Names, Via: ca}).Certificate
	f.root = chain[len(chain)-1]
}

// serve serves a connection as the kind of its site says.
func (f *fleet) serve(ctx context.Context, conn net.Conn) {
	addr := conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr()
	if !addr.Unmap().IsLoopback() {
		return
	}
	index := indexOf(addr)
	if index < 0 { // a host that many sites share, all of which are well
		f.asked(func(_ context.Context, c net.Conn, _ request) { write(c, hostile.OK) })(ctx, conn)
		return
	}
	if index >= len(f.conns) {
		f.astray.Add(1)
		return
	}
	f.conns[index].Add(1)
	h := f.handlers[f.deck.kind(index)]
	if h == nil {
		return // the ledger shows that somebody came
	}
	h(ctx, conn)
}

// A request is what the servers look at of one.
type request struct {
	method string
	index  int
}

// asked reads a request, counts it and has it answered.
func (f *fleet) asked(answer func(context.Context, net.Conn, request)) hostile.Handler {
	return func(ctx context.Context, conn net.Conn) {
		head, err := hostile.ReadHead(conn)
		if err != nil {
			return
		}
		var r request
		if _, err := fmt.Sscanf(head, "%s /%d HTTP/1.1\r\n", &r.method, &r.index); err != nil || r.index < 0 || r.index >= len(f.requests) {
			f.astray.Add(1)
			return
		}
		f.requests[r.index].Add(1)
		answer(ctx, conn, r)
	}
}

func (f *fleet) close() {
	for len(f.cleanups) > 0 {
		last := len(f.cleanups) - 1
		f.cleanups[last]()
		f.cleanups = f.cleanups[:last]
	}
}

// The methods of a hostile.TB.

func (f *fleet) Helper()                  {}
func (f *fleet) Cleanup(cleanup func())   { f.cleanups = append(f.cleanups, cleanup) }
func (f *fleet) Context() context.Context { return f.ctx }
func (f *fleet) Fatalf(format string, args ...any) {
	panic(fmt.Errorf("%w: %s", errSetup, strings.TrimSpace(fmt.Sprintf(format, args...))))
}
func (f *fleet) Skipf(format string, args ...any) { f.Fatalf(format, args...) }
