//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// A netFault is a way in which a network or a resolver fails, and what a check
// finds then. Names are those of the table of faults in the checker's own tests.
type netFault struct {
	name   string
	setUp  func(t *testing.T, r *router)
	target string // default: the site that the fault befalls, deadSite
	opts   []checker.Option

	reason checker.Reason // "": Online
	phase  checker.Phase
	from   time.Duration // a check takes at least this
	upTo   time.Duration // and at most this
	text   string        // is part of the error's text
}

// run checks. A check that is right but slow is made again, up to three times:
// other programs may have had the processors.
func (f netFault) run(t *testing.T) {
	r := newRouter(t)
	ok := hostile.Respond(hostile.OK)
	for _, addr := range []string{liveSite, deadSite} {
		r.serve(t, addr+":80", ok)
	}
	if f.setUp != nil {
		f.setUp(t, r)
	}
	target := f.target
	if target == "" {
		target = "http://" + deadSite + "/"
	}
	c := sane(t, f.opts...)
	var took time.Duration
	for range 3 {
		start := time.Now()
		res := c.Check(t.Context(), target)
		took = time.Since(start)
		wantResult(t, res, f.reason, f.phase)
		if f.text != "" && !strings.Contains(fmt.Sprint(res.Err), f.text) {
			t.Errorf("Check(%q).Err = %v; want %q in it", target, res.Err, f.text)
		}
		if t.Failed() || took <= f.upTo {
			break
		}
	}
	t.Logf("Check(%q) took %v", target, took.Round(100*time.Microsecond))
	if took < f.from || took > f.upTo {
		t.Errorf("Check(%q) took %v; want between %v and %v", target, took, f.from, f.upTo)
	}
}

func runNetFaults(t *testing.T, faults []netFault) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { namespaced(t, f.run) })
	}
}

// on returns a setUp that gives the router commands.
func on(commands ...string) func(*testing.T, *router) {
	return func(t *testing.T, r *router) { r.sh(t, commands...) }
}

// near returns a setUp that runs commands on this side.
func near(commands ...string) func(*testing.T, *router) {
	return func(t *testing.T, _ *router) {
		for _, c := range commands {
			sh(t, c)
		}
	}
}

// filtered returns a setUp that gives the router rules for what comes in.
func filtered(rules ...string) func(*testing.T, *router) {
	return func(t *testing.T, r *router) { r.filter(t, rules...) }
}

func with2s(opts ...checker.Option) []checker.Option {
	return append(opts, checker.WithTimeout(2*second))
}

func TestNetworkConnect(t *testing.T) {
	// The kernel overlooks what a router says while connect(2) is still on its
	// way, and hears it when the SYN is sent again a second later.
	const told = second + 250*time.Millisecond
	syn := "ip daddr " + deadSite + " tcp flags & (syn|ack) == syn "
	local := func(name, route string) netFault {
		return netFault{
			name: name, setUp: near("ip route add " + route + " " + deadSite),
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: idle,
		}
	}
	runNetFaults(t, []netFault{
		{name: "lives", upTo: idle},
		{
			name: "C1 refused by a firewall", setUp: filtered("ip daddr " + deadSite + " tcp dport 80 reject with tcp reset"),
			reason: checker.ReasonRefused, phase: checker.PhaseConnect, upTo: idle,
		},
		{
			name: "C2 silent drop", setUp: filtered("ip daddr " + deadSite + " drop"),
			reason: checker.ReasonTimeout, phase: checker.PhaseConnect, from: second, upTo: second + idle,
		},
		{
			name: "C7 host unreachable", setUp: on("ip route del local "+sites+" dev lo", "ip route add unreachable "+sites),
			opts: with2s(), reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: told,
		},
		{
			name: "C7 host unreachable by a firewall", setUp: filtered("ip daddr " + deadSite + " reject with icmp host-unreachable"),
			opts: with2s(), reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: told,
		},
		{
			name: "C8 admin-prohibited", setUp: on("ip route del local "+sites+" dev lo", "ip route add prohibit "+sites),
			opts: with2s(), reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: told,
		},
		{
			name: "C8 admin-prohibited by a firewall", setUp: filtered("ip daddr " + deadSite + " reject with icmp admin-prohibited"),
			opts: with2s(), reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: told,
		},
		{
			name: "C7 network unreachable", setUp: filtered("ip daddr " + deadSite + " reject with icmp net-unreachable"),
			opts: with2s(), reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: told, text: "net unreachable",
		},
		{
			// No router says this, but this machine's own kernel.
			name: "C9, R2 nobody has that address on the link", target: "http://" + absent + "/",
			opts:   []checker.Option{checker.WithTimeout(5 * second)},
			reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, upTo: 3*second + 250*time.Millisecond, text: "nobody on this machine's network",
		},
		{
			name: "R2 the same, and a timeout before the kernel gives up", target: "http://" + absent + "/",
			reason: checker.ReasonUnreachable, phase: checker.PhaseConnect, from: second, upTo: second + idle, text: "nobody on this machine's network",
		},
		{
			name: "R1 nobody is the gateway", setUp: near("ip route replace default via " + absent),
			opts:   []checker.Option{checker.WithTimeout(5 * second)},
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: 3*second + 250*time.Millisecond, text: "the gateway",
		},
		{
			name: "R1 the same, and a timeout before the kernel gives up", setUp: near("ip route replace default via " + absent),
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, from: second, upTo: second + idle, text: "the gateway",
		},
		{
			name: "C11 the first SYN is lost", setUp: filtered(syn + "numgen inc mod 1000 == 0 drop"),
			opts: with2s(), from: second - idle, upTo: second + 4*idle,
		},
		{
			name: "J6 no route at all", setUp: near("ip route del default"),
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: idle, text: "no route",
		},
		{
			name: "J6 not even loopback", setUp: near("ip link set v0 down", "ip addr flush dev lo"), target: "http://127.0.0.1/",
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: idle, text: "no route",
		},
		local("J7 a route of this machine says unreachable", "unreachable"),
		local("J7 a route of this machine says throw", "throw"),
		local("J8 a route of this machine prohibits", "prohibit"),
		local("J9 a route of this machine is a blackhole", "blackhole"),
	})
}

// C10: a socket that is given the very port to connect to connects to itself,
// if nobody listens there. Each port does that once: then it is in TIME-WAIT.
func TestNetworkSelfConnect(t *testing.T) {
	t.Run("C10 self-connect", func(t *testing.T) {
		namespaced(t, func(t *testing.T) {
			only := func(port int) { sysctl(t, "net.ipv4.ip_local_port_range", fmt.Sprintf("%d %d", port, port+1)) }
			for port := 50_000; port < 50_200; port += 2 {
				if only(port); !selfConnects(t, port) {
					t.Fatalf("%d does not connect to itself", port)
				}
			}
			c := sane(t)
			for port := 30_000; port < 32_000 && !t.Failed(); port += 2 {
				only(port)
				r := c.Check(t.Context(), fmt.Sprintf("http://127.0.0.1:%d/", port))
				wantResult(t, r, checker.ReasonRefused, checker.PhaseConnect)
			}
		})
	})
}

// selfConnects reports whether a socket can be connected to a port of 127.0.0.1
// that nobody listens on. There is no net.Dialer here, since it tries again.
func selfConnects(t *testing.T, port int) bool {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}) == nil
}

// C12: the link goes down once the site has accepted.
func TestNetworkPeerVanishes(t *testing.T) {
	t.Run("C12 the peer vanishes after connect", func(t *testing.T) {
		namespaced(t, func(t *testing.T) {
			r := newRouter(t)
			r.serve(t, deadSite+":80", func(ctx context.Context, _ net.Conn) {
				r.sh(t, "ip link set v1 down")
				<-ctx.Done()
			})
			start := time.Now()
			res := sane(t).Check(t.Context(), "http://"+deadSite+"/")
			wantResult(t, res, checker.ReasonTimeout, checker.PhaseResponse)
			if took := time.Since(start); took > second+idle {
				t.Errorf("took %v; want at most %v", took, second+idle)
			}
		})
	})
}

// C12: the kernel itself gives up, which ends HEAD and is not its being slow. No
// packet with data gets there.
func TestNetworkKernelTimeout(t *testing.T) {
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		const userTimeout = 18 // TCP_USER_TIMEOUT, in milliseconds
		c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, 300) })
		return err
	}}
	runNetFaults(t, []netFault{{
		name: "C12 the kernel gives up", setUp: filtered("ip daddr " + deadSite + " tcp flags & psh == psh drop"),
		opts:   []checker.Option{checker.WithTimeout(5 * second), checker.WithDialContext(dialer.DialContext)},
		reason: checker.ReasonTimeout, phase: checker.PhaseResponse, from: 300 * time.Millisecond, upTo: 5 * second / 3,
	}})
}

func TestNetworkResolver(t *testing.T) {
	resolvConf := func(content string) func(*testing.T, *router) {
		return func(t *testing.T, _ *router) { etc(t, map[string]string{"resolv.conf": content}) }
	}
	dns := func(name string, setUp func(*testing.T, *router), upTo time.Duration) netFault {
		return netFault{
			name: name, setUp: setUp, target: "http://site.test/",
			reason: checker.ReasonDNS, phase: checker.PhaseDNS, upTo: upTo,
		}
	}
	silent := dns("B5 the resolver is silent", func(t *testing.T, r *router) {
		r.filter(t, "udp dport 53 drop", "tcp dport 53 drop")
		resolvConf("nameserver "+farAddr+"\n")(t, r)
	}, second+idle)
	silent.from = second
	// search is a hostile resolver behind a resolv.conf with a search list, where
	// the name exists only with the suffix.
	search := func(t *testing.T, _ *router) {
		d := hostile.ServeDNS(t)
		d.Set("dead.test.corp.test", hostile.Addrs(liveSite))
		systemDNS(t, d, "search corp.test")
	}
	runNetFaults(t, []netFault{
		silent,
		dns("B6 the resolver's port is closed", resolvConf("nameserver 127.0.0.1\n"), idle),
		dns("B6 no route to the resolver", func(t *testing.T, r *router) {
			sh(t, "ip route del default")
			resolvConf("nameserver 203.0.113.53\n")(t, r)
		}, idle),
		dns("B7 resolv.conf is empty", resolvConf(""), idle),
		dns("B7 resolv.conf cannot be read", resolvConf("/"), idle),
		dns("B7 there is no resolv.conf", func(t *testing.T, _ *router) { etc(t, nil) }, idle),
		{name: "B21 through the search list", setUp: search, target: "http://dead.test/", upTo: idle},
		{
			name: "B21 a trailing dot keeps it out", setUp: search, target: "http://dead.test./",
			reason: checker.ReasonNotFound, phase: checker.PhaseDNS, upTo: idle,
		},
	})
}

// The addresses of one name, some of which are dead.
func TestNetworkAddresses(t *testing.T) {
	name := func(addrs ...string) func(*testing.T) {
		return func(t *testing.T) {
			d := hostile.ServeDNS(t)
			d.Set("site.test", hostile.Addrs(addrs...))
			systemDNS(t, d)
		}
	}
	const soon = 400 * time.Millisecond
	runNetFaults(t, []netFault{
		{
			name: "B18 the first address is dead", target: "http://site.test/", opts: with2s(), from: 200 * time.Millisecond, upTo: soon,
			setUp: func(t *testing.T, r *router) {
				r.filter(t, "ip daddr "+deadSite+" drop")
				name(deadSite, liveSite)(t)
			},
		},
		{
			name: "B19 IPv6 is dead", target: "http://site.test/", opts: with2s(), from: 200 * time.Millisecond, upTo: soon,
			setUp: func(t *testing.T, r *router) {
				r.six(t)
				r.filter(t, "ip6 daddr "+deadSite6+" drop")
				name(deadSite6, liveSite)(t)
			},
		},
		{
			name: "B19 no route to IPv6", target: "http://site.test/", opts: with2s(), upTo: idle,
			setUp: func(t *testing.T, _ *router) { name(deadSite6, liveSite)(t) },
		},
		{
			name: "B20 only IPv6, and no route", target: "http://site.test/",
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: idle, text: "IPv6",
			setUp: func(t *testing.T, _ *router) { name(deadSite6)(t) },
		},
		{
			name: "B20 only IPv6, and IPv6 is off", target: "http://site.test/",
			reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: idle, text: "IPv6",
			setUp: func(t *testing.T, _ *router) {
				sysctl(t, "net.ipv6.conf.all.disable_ipv6", "1")
				name(deadSite6)(t)
			},
		},
		{
			name: "B20 IPv6 is off, and IPv4 lives", target: "http://site.test/", upTo: idle,
			setUp: func(t *testing.T, _ *router) {
				sysctl(t, "net.ipv6.conf.all.disable_ipv6", "1")
				name(deadSite6, liveSite)(t)
			},
		},
		{
			name: "B20 IPv6 is off, and IPv4 refuses", target: "http://site.test:81/",
			reason: checker.ReasonRefused, phase: checker.PhaseConnect, upTo: idle,
			setUp: func(t *testing.T, _ *router) {
				sysctl(t, "net.ipv6.conf.all.disable_ipv6", "1")
				name(deadSite6, liveSite)(t)
			},
		},
	})
}

// J5: four local ports for everything. Checks wait for one, or there is no verdict.
func TestNetworkPorts(t *testing.T) {
	const n = 2000
	namespacedPorts := func(t *testing.T, targets func(port uint16) []string, opts ...checker.Option) {
		namespaced(t, func(t *testing.T) {
			s := hostile.Serve(t, "0.0.0.0:30000", hostile.Respond(hostile.OK))
			list := targets(s.Port())
			d := hostile.ServeDNS(t)
			for i := range n {
				d.Set(fmt.Sprintf("h%d.test", i), hostile.Addrs(loopback(i)))
			}
			sysctl(t, "net.ipv4.ip_local_port_range", "40000 40003")
			opts = append(opts, checker.WithTimeout(10*second), checker.WithConcurrency(100), checker.WithResolver(d.Resolver()))
			start := time.Now()
			results := sane(t, opts...).CheckAll(t.Context(), list)
			counts := tally(results)
			t.Logf("%v in %v", counts, time.Since(start).Round(time.Millisecond))
			neverOffline(t, results)
			if got := counts[""] + counts[checker.ReasonLocal]; got != n {
				t.Errorf("%v; want %d Online or %q", counts, n, checker.ReasonLocal)
			}
		})
	}
	t.Run("J5 no ports for one host", func(t *testing.T) {
		namespacedPorts(t, func(port uint16) []string {
			return slices.Repeat([]string{fmt.Sprintf("http://127.0.0.1:%d/", port)}, n)
		}, checker.WithHostConcurrency(100))
	})
	t.Run("J5 no ports for the resolver", func(t *testing.T) {
		namespacedPorts(t, func(port uint16) (list []string) {
			for i := range n {
				list = append(list, fmt.Sprintf("http://h%d.test:%d/", i, port))
			}
			return list
		})
	})
}

// loopback returns one of a great many addresses of this machine.
func loopback(i int) string {
	return netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}).String()
}

// J10: the network is cut in the middle of a run, and restored.
func TestNetworkCut(t *testing.T) {
	own := func(t *testing.T, r *router) (off, on func()) {
		return func() { sh(t, "ip link set v0 down") }, func() { r.up(t) }
	}
	beyond := func(t *testing.T, r *router) (off, on func()) {
		return func() { r.sh(t, "ip link set v1 down") }, func() { r.sh(t, "ip link set v1 up") }
	}
	canaries := []checker.Option{checker.WithCanaries("http://"+liveSite+"/", "http://"+deadSite+"/")}
	local, timeout := checker.ReasonLocal, checker.ReasonTimeout
	for _, test := range []struct {
		name   string
		cut    func(*testing.T, *router) (off, on func())
		opts   []checker.Option
		during []checker.Reason
		across []checker.Reason
	}{
		{"J10 own link down", own, nil, []checker.Reason{local}, []checker.Reason{local, timeout}},
		{"J10 own link down, with canaries", own, canaries, []checker.Reason{local}, []checker.Reason{local}},
		// Without canaries, nothing tells this from sites that drop packets.
		// Some have no token left for GET beside a silent HEAD.
		{"J10 link down at the router", beyond, nil, []checker.Reason{timeout, local}, []checker.Reason{timeout, local}},
		{"J10 link down at the router, with canaries", beyond, canaries, []checker.Reason{local}, []checker.Reason{local}},
	} {
		t.Run(test.name, func(t *testing.T) {
			namespaced(t, func(t *testing.T) {
				r := newRouter(t)
				r.serve(t, "0.0.0.0:80", hostile.Respond(hostile.OK))
				off, on := test.cut(t, r)
				// The kernel keeps only so many packets for a neighbour that it does
				// not know yet.
				meet := func() {
					for !connects(t.Context(), liveSite+":80") && t.Context().Err() == nil {
					}
				}
				meet()
				cut{
					target: func(i int) string { return fmt.Sprintf("http://198.51.100.%d/", i%200+1) },
					opts:   test.opts,
					off:    off, during: test.during, across: test.across,
					on: func() { on(); meet() },
				}.run(t)
			})
		})
	}
}

// connects reports whether addr can be connected to.
func connects(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		if errors.Is(err, syscall.ENETUNREACH) {
			<-ctx.Done()
		}
		return false
	}
	conn.Close()
	return true
}
