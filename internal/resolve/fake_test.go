package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/checker/internal/resolve/dnstest"
)

// The words of package dnstest that nearly every test needs.
type (
	query = dnstest.Query
	reply = dnstest.Reply
	zone  = dnstest.Zone
)

var (
	addrs    = dnstest.Addrs
	per      = dnstest.Per
	nodata   = dnstest.NoData
	nxdomain = dnstest.NXDomain
	servfail = dnstest.ServFail
	refused  = dnstest.Refused
)

func silent(*query) [][]byte { return nil }

// A world is what a resolver finds: files, and nameservers 127.0.0.1, .2, .3.
type world struct {
	resolv, hosts, nsswitch string
	system                  map[string]string // what the system's own resolver finds
	servers                 []*dnstest.Server
}

func (w world) config(t testing.TB) Config {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if text == "" {
			return path
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	resolv := w.resolv
	for i := range w.servers {
		resolv += fmt.Sprintf("\nnameserver 127.0.0.%d\n", i+1)
	}
	return Config{
		Hosts: write("hosts", w.hosts), ResolvConf: write("resolv.conf", resolv), NSSwitch: write("nsswitch.conf", w.nsswitch), Run: dir,
		System: func(_ context.Context, name string) ([]netip.Addr, error) {
			if addr, ok := w.system[name]; ok {
				return []netip.Addr{netip.MustParseAddr(addr)}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		},
		Server: func(a netip.Addr) netip.AddrPort { return w.servers[a.As4()[3]-1].Addr },
	}
}

func (w world) resolver(t testing.TB) *Resolver {
	t.Helper()
	r := New(w.config(t))
	r.Begin()
	t.Cleanup(r.End)
	return r
}

// look looks name up and returns the answers for IPv4 and for IPv6.
func look(t testing.TB, r *Resolver, name string) (a4, a6 Answer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return lookIn(ctx, t, r, name)
}

func lookIn(ctx context.Context, t testing.TB, r *Resolver, name string) (a4, a6 Answer) {
	t.Helper()
	n := 0
	r.Lookup(ctx, name, func(a Answer) {
		if n++; a.Family == IP4 {
			a4 = a
		} else {
			a6 = a
		}
		if (len(a.Addrs) > 0) != (a.Err == nil) {
			t.Errorf("Lookup(%q) settled %v", name, a)
		}
	})
	if n != 2 || a4.Family != IP4 || a6.Family != IP6 {
		t.Errorf("Lookup(%q) settled %d families: %v, %v; want both, each once", name, n, a4, a6)
	}
	return a4, a6
}

// why returns the error of an answer, with the zero Kind if there is none.
func why(a Answer) *Error {
	if e, ok := errors.AsType[*Error](a.Err); ok {
		return e
	}
	return new(Error)
}

// say returns an answer as a short text: its addresses or its kind.
func say(a Answer) string {
	if a.Err != nil {
		return why(a).Kind.String()
	}
	s := make([]string, len(a.Addrs))
	for i, addr := range a.Addrs {
		s[i] = addr.String()
	}
	return strings.Join(s, " ")
}
