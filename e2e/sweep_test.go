//go:build linux

package e2e_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

const (
	live   = 2000 // hosts that nginx serves
	faulty = 50   // hosts that fail in one way
)

const nginxMany = nginxHead + `
	server {
{{range .Hosts}}
		listen {{.}}:{{$.Port "many"}};
{{end}}
		return 200 hello;
	}
}
`

// Hosts returns the addresses that are live, the place's own among them.
func (p *place) Hosts() []string {
	hosts := make([]string, live)
	for i := range hosts {
		hosts[i] = host(0, i)
	}
	return hosts
}

// host returns an address out of 127.96.0.0/12, a group for each kind of host.
func host(group, i int) string {
	return fmt.Sprintf("127.%d.%d.%d", 96+group, i/250, 1+i%250)
}

// A finding is what a check of a host is to find.
type finding struct {
	reason checker.Reason
	phase  checker.Phase
	code   int
}

// TestManyHosts checks a list of hosts that all live, and then a list in which
// others are mixed, each with its own fault. The live ones must not suffer
// from their neighbours, and nothing may be left behind.
func TestManyHosts(t *testing.T) {
	p := newPlace(t, host(0, 0))
	nginx.start(t, p, nginxMany)
	lives := make(map[string]finding)
	for _, h := range p.Hosts() {
		addr := net.JoinHostPort(h, p.Port("many"))
		if err := await(addr, nil); err != nil { // nginx begins to listen on one after the other
			t.Fatal(err)
		}
		lives["http://"+addr+"/"] = finding{code: 200}
	}
	ca := hostile.NewCA(t)
	dns := hostile.ServeDNS(t)
	mixed := faults(t, ca, dns, p.Port("many"))
	maps.Copy(mixed, lives)
	c, err := checker.New(
		checker.WithConcurrency(300), checker.WithTimeout(3*time.Second),
		checker.WithResolver(dns.Resolver()), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("live", func(t *testing.T) { sweep(t, c, lives) })
	t.Run("mixed", func(t *testing.T) { sweep(t, c, mixed) })
}

// faults starts the hosts that fail, on the port of those that live, and
// returns what is to be found of them.
func faults(t *testing.T, ca *hostile.CA, dns *hostile.DNS, port string) map[string]finding {
	const ssh = "SSH-2.0-OpenSSH_9.2p1\r\n"
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	found := make(map[string]finding)
	for i := range faulty {
		expect := func(host, scheme string, reason checker.Reason, phase checker.Phase) {
			found[scheme+"://"+net.JoinHostPort(host, port)+"/"] = finding{reason: reason, phase: phase}
		}
		serve := func(group int, h hostile.Handler) string {
			addr := host(group, i)
			hostile.Serve(t, net.JoinHostPort(addr, port), h)
			return addr
		}
		name := func(kind string, a hostile.Answer) string {
			name := fmt.Sprintf("%s%d.test", kind, i)
			dns.Set(name, a)
			return name
		}
		expired := ca.Config(hostile.Cert{Names: []string{host(5, i)}, NotAfter: past})
		expect(host(1, i), "http", checker.ReasonRefused, checker.PhaseConnect)
		expect(serve(2, hostile.ResetAfterRequest()), "http", checker.ReasonReset, checker.PhaseResponse)
		expect(serve(3, hostile.Silent()), "http", checker.ReasonTimeout, checker.PhaseResponse)
		expect(serve(4, hostile.Banner(ssh)), "http", checker.ReasonMalformed, checker.PhaseResponse)
		expect(serve(5, hostile.TLS(expired, hostile.Respond(hostile.OK))), "https", checker.ReasonCertificate, checker.PhaseTLS)
		expect(name("gone", hostile.NXDomain()), "http", checker.ReasonNotFound, checker.PhaseDNS)
		expect(name("broken", hostile.ServFail()), "http", checker.ReasonDNS, checker.PhaseDNS)
	}
	return found
}

// sweep streams all targets through a checker.
func sweep(t *testing.T, c *checker.Checker, want map[string]finding) {
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	targets := slices.Collect(maps.Keys(want)) // in no order, so that the kinds are mixed
	start := time.Now()
	seen := make([]int, len(targets))
	for r := range c.Stream(t.Context(), slices.Values(targets)) {
		if r.Target != targets[r.Index] {
			t.Errorf("result %d is of %q; want %q", r.Index, r.Target, targets[r.Index])
		}
		seen[r.Index]++
		want[r.Target].compare(t, r)
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("%q has %d results; want 1", targets[i], n)
		}
	}
	t.Logf("%d targets in %v", len(targets), time.Since(start).Round(time.Millisecond))

	// The hostile servers are in this process and learn late that a client has
	// gone.
	late := time.After(5 * time.Second)
	for runtime.NumGoroutine() > goroutines || openFiles(t) > files {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("there are %d goroutines and %d open files; want %d and %d",
				runtime.NumGoroutine(), openFiles(t), goroutines, files)
		}
	}
}

func (f finding) compare(t *testing.T, r checker.Result) {
	var phase checker.Phase
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		phase = e.Phase
	}
	if r.Reason() != f.reason || phase != f.phase || r.StatusCode != f.code || r.Online() != (f.reason == "") {
		t.Errorf("Check(%q).Err = %v (%q in %q), code %d; want %q in %q, %d",
			r.Target, r.Err, r.Reason(), phase, r.StatusCode, f.reason, f.phase, f.code)
	}
	if f.reason == "" && !strings.HasPrefix(r.Target, "http://"+r.Addr.String()+"/") {
		t.Errorf("Check(%q).Addr = %v", r.Target, r.Addr)
	}
}

// openFiles returns how many files this process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
