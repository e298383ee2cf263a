//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// An interior is a network namespace in which every address is this machine's and
// listens on the ports of the web. Whatever a check connects to, it gets there.
type interior struct {
	dns     *hostile.DNS
	ca      *hostile.CA
	servers []*hostile.Server

	mu        sync.Mutex
	locations []string               // where the origin's /0, /1 and so on redirect to
	origin    hostile.Handler        // in place of that, if set
	seen      int                    // connections
	came      *sync.Cond             // there is a further one
	asked     int                    // connections to the origin
	caught    map[netip.AddrPort]int // connections to other addresses
}

// originIP is the one public address that checks may connect to here.
const originIP = "1.2.3.4"

var insidePorts = []uint16{80, 443, 8080}

func newInterior(t *testing.T) *interior {
	t.Helper()
	in := &interior{dns: hostile.ServeDNS(t), ca: hostile.NewCA(t), caught: make(map[netip.AddrPort]int)}
	in.came = sync.NewCond(&in.mu)
	systemDNS(t, in.dns, "search svc.cluster.local")
	for _, addr := range []string{"10.0.0.1/32", "169.254.169.254/32", "100.64.0.1/32", "fd00:ec2::254/128", "fe80::1/64"} {
		sh(t, "ip addr add "+addr+" dev lo")
	}
	sh(t, "ip route add local 0.0.0.0/0 dev lo")
	sh(t, "ip -6 route add local ::/0 dev lo")
	secure := hostile.TLS(in.ca.Config(hostile.Cert{Names: []string{"origin.test"}}), in.redirect)
	for _, port := range insidePorts {
		h := in.redirect
		if port == 443 {
			h = secure
		}
		in.servers = append(in.servers, hostile.Serve(t, fmt.Sprintf("[::]:%d", port), in.watch(h)))
	}
	for name, addrs := range hostile.VectorNames() {
		if name == "redis" {
			name = "redis.svc.cluster.local" // by the search list alone
		}
		in.dns.Set(name, hostile.Addrs(addrs...))
	}
	in.dns.Set("origin.test", hostile.Addrs(originIP))
	return in
}

// watch has h answer for the origin, and OK for any other address.
func (in *interior) watch(h hostile.Handler) hostile.Handler {
	ok := func(_ context.Context, conn net.Conn) {
		conn.Read(make([]byte, 4<<10)) // a request, or the first of TLS
		io.WriteString(conn, hostile.OK)
	}
	return func(ctx context.Context, conn net.Conn) {
		local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
		local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
		in.mu.Lock()
		instead := in.origin
		in.seen++
		in.came.Broadcast()
		if local.Addr() == netip.MustParseAddr(originIP) {
			in.asked++
		} else {
			in.caught[local]++
			instead = ok
		}
		in.mu.Unlock()
		if instead != nil {
			instead(ctx, conn)
			return
		}
		h(ctx, conn)
	}
}

// set says what the origin does.
func (in *interior) set(locations []string, origin hostile.Handler) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.locations, in.origin = locations, origin
}

func (in *interior) redirect(ctx context.Context, conn net.Conn) {
	hostile.RespondTo(func(_ int, head string) string {
		in.mu.Lock()
		defer in.mu.Unlock()
		var i int
		_, path, _ := strings.Cut(head, " /") // by whatever method
		if _, err := fmt.Sscanf(path, "%d ", &i); err != nil || i >= len(in.locations) {
			return hostile.OK
		}
		return "HTTP/1.1 302 Found\r\nLocation: " + in.locations[i] + "\r\n\r\n"
	})(ctx, conn)
}

// checker returns a Checker for strangers, which asks the system's resolver.
func (in *interior) checker(t *testing.T, opts ...checker.Option) *checker.Checker {
	t.Helper()
	return sane(t, append([]checker.Option{
		checker.WithAddrPolicy(checker.PublicOnly), checker.WithRedirects(10), checker.WithTimeout(10 * second), checker.WithConcurrency(50),
		checker.WithTLSConfig(&tls.Config{RootCAs: in.ca.Pool()}),
	}, opts...)...)
}

// sealed calls f and fails if anything but the origin was connected to
// meanwhile: by the kernel's count of connections that were begun, and by whom
// the listeners have accepted.
func (in *interior) sealed(t *testing.T, f func()) {
	t.Helper()
	asked, _ := in.look(t)
	begun := opens(t)
	f()
	begun = opens(t) - begun
	after, caught := in.look(t)
	if asked = after - asked - len(insidePorts); begun != asked || len(caught) > 0 {
		t.Errorf("%d connections were begun and %d to the origin accepted, others %v; want none but to the origin", begun, asked, caught)
	}
}

// look returns how many connections there were to the origin, and those that
// there were to other addresses since the last time.
func (in *interior) look(t *testing.T) (asked int, caught map[netip.AddrPort]int) {
	t.Helper()
	accepted := 0
	for i, port := range insidePorts {
		// A connection of our own is accepted after all that there were.
		conn, err := net.Dial("tcp", net.JoinHostPort(originIP, strconv.Itoa(int(port))))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "BYE\r\n\r\n")
		io.Copy(io.Discard, conn)
		conn.Close()
		accepted += in.servers[i].Accepted()
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.seen < accepted {
		in.came.Wait()
	}
	caught = in.caught
	in.caught = make(map[netip.AddrPort]int)
	return in.asked, caught
}

// opens returns how many TCP connections were begun in this namespace.
func opens(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		switch {
		case fields[0] != "Tcp:":
		case names == nil:
			names = fields
		default:
			n, err := strconv.Atoi(fields[slices.Index(names, "ActiveOpens")])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("the kernel does not count connections")
	return 0
}

// wants returns the reasons that a vector may end with.
func wants(v hostile.Vector) []checker.Reason {
	all := []checker.Reason{checker.Reason(v.Want)}
	_, rest, _ := strings.Cut(v.URL, "://")
	name, _, _ := strings.Cut(strings.TrimRight(rest, "/"), ".:8080")
	for _, addr := range hostile.VectorNames()[name] {
		if netip.MustParseAddr(addr).Is4In6() {
			all = append(all, checker.ReasonDNS) // Go's resolver does not hand such an answer on
		}
	}
	return all
}

// A namespace where every address listens: with the policy nothing inside is
// connected to, whatever a stranger writes; without it, all of it is.
func TestPolicy(t *testing.T) {
	namespaced(t, func(t *testing.T) {
		in := newInterior(t)
		t.Run("reached without a policy", in.testReached)
		t.Run("targets", in.testTargets)
		t.Run("targets without a scheme", in.testBare)
		t.Run("redirects", in.testRedirects)
		t.Run("public addresses", in.testPublic)
		t.Run("rebinding", in.testRebinding)
	})
}

// testReached makes sure of the honeypots, or the other tests would prove
// nothing.
func (in *interior) testReached(t *testing.T) {
	var targets []string
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "[fd00:ec2::254]", "[::1]"} {
		for _, port := range insidePorts {
			targets = append(targets, fmt.Sprintf("http://%s:%d/", addr, port))
		}
	}
	in.look(t)
	for _, r := range sane(t).CheckAll(t.Context(), targets) {
		if !r.Online() {
			t.Errorf("without a policy Check(%q) = %v; want Online", r.Target, r)
		}
	}
	if _, caught := in.look(t); len(caught) != len(targets) {
		t.Errorf("connected to %v; want all of %q", caught, targets)
	}
	// Of the vectors too, most arrive: those not that no address is fit for.
	reached := 0
	for _, v := range hostile.Vectors() {
		if v.Want != "blocked" {
			continue
		}
		sane(t).Check(t.Context(), v.URL)
		if _, caught := in.look(t); len(caught) > 0 {
			reached++
		}
	}
	if reached < 200 {
		t.Errorf("%d vectors lead to a listener; want at least 200", reached)
	}
}

func (in *interior) testTargets(t *testing.T) {
	vectors := hostile.Vectors()
	var targets []string
	for _, v := range vectors {
		targets = append(targets, v.URL)
	}
	in.sealed(t, func() {
		for i, r := range in.checker(t).CheckAll(t.Context(), targets) {
			if !slices.Contains(wants(vectors[i]), r.Reason()) {
				t.Errorf("Check(%q).Err = %v; want %q", r.Target, r.Err, wants(vectors[i]))
			}
		}
	})
}

func (in *interior) testBare(t *testing.T) {
	var targets []string
	for _, v := range hostile.Vectors() {
		if rest, ok := strings.CutPrefix(v.URL, "http://"); ok {
			targets = append(targets, rest)
		}
	}
	in.sealed(t, func() {
		for _, r := range in.checker(t).CheckAll(t.Context(), targets) {
			if r.Status() != checker.Unknown && r.Reason() != checker.ReasonNotFound {
				t.Errorf("Check(%q).Err = %v; want blocked or invalid", r.Target, r.Err)
			}
		}
	})
}

func (in *interior) testRedirects(t *testing.T) {
	vectors := hostile.Vectors()
	var locations []string
	for _, v := range vectors {
		locations = append(locations, v.URL)
	}
	in.set(locations, nil)
	for _, scheme := range []string{"http", "https"} {
		var targets []string
		for i := range vectors {
			targets = append(targets, fmt.Sprintf("%s://origin.test/%d", scheme, i))
		}
		in.sealed(t, func() {
			for i, r := range in.checker(t).CheckAll(t.Context(), targets) {
				want := wants(vectors[i])
				if want[0] == checker.ReasonInvalid {
					// As a Location, some of what is no target leads inside, or to a path of the origin.
					want = []checker.Reason{checker.ReasonRedirect, checker.ReasonBlocked}
					if r.Online() && strings.HasPrefix(r.URL, scheme+"://origin.test/") {
						continue
					}
				}
				if !slices.Contains(want, r.Reason()) {
					t.Errorf("Check(%q).Err = %v with a redirect to %q; want %q", r.Target, r.Err, vectors[i].URL, want)
				}
			}
		})
	}
}

// testPublic has addresses that pass: among them NAT64 of one that is public,
// but not of one that is not.
func (in *interior) testPublic(t *testing.T) {
	targets := append(hostile.PublicURLs(), "http://[64:ff9b::1.2.3.4]/")
	for _, r := range in.checker(t).CheckAll(t.Context(), targets) {
		if !r.Online() {
			t.Errorf("Check(%q) = %v; want Online", r.Target, r)
		}
	}
	in.look(t)
	in.sealed(t, func() {
		for _, target := range []string{"http://[64:ff9b::10.0.0.1]/", "https://[64:ff9b::7f00:1]/"} {
			wantResult(t, in.checker(t).Check(t.Context(), target), checker.ReasonBlocked, checker.PhaseConnect)
		}
	})
}

// testRebinding has names whose answers change from the origin to loopback from
// one lookup to the next, and an origin that has every check ask again: for
// another method, another attempt.
func (in *interior) testRebinding(t *testing.T) {
	const times = 2_000
	in.set(nil, hostile.CloseAfterRequest())
	defer in.set(nil, nil)
	targets := func(yield func(string) bool) {
		for i := range times {
			name := fmt.Sprintf("r%d.test", i)
			in.dns.Set(name, hostile.Addrs(originIP).For(dnsmessage.TypeA).Once(), hostile.Addrs("127.0.0.1", "::1"))
			if !yield("http://" + name + "/") {
				return
			}
		}
	}
	others := 0
	in.sealed(t, func() {
		for r := range in.checker(t, checker.WithRetries(1)).Stream(t.Context(), targets) {
			if r.Reason() != checker.ReasonBlocked {
				others++
			}
		}
	})
	// A question that is lost is asked again, and then the answer that was to
	// come first is used up.
	if others > times/10 {
		t.Errorf("%d of %d checks ended otherwise than with blocked", others, times)
	}
}
