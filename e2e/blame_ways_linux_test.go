//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// hosts returns a setUp after which site.test has addresses.
func hosts(setUp func(*testing.T, *router), addrs ...string) func(*testing.T, *router) {
	return func(t *testing.T, r *router) {
		r.six(t)
		var text string
		for _, a := range addrs {
			text += a + " site.test\n"
		}
		etc(t, map[string]string{"hosts": text, "nsswitch.conf": "hosts: files\n"})
		setUp(t, r)
	}
}

// gatewayOff takes the gateway away; the link stays.
func gatewayOff(t *testing.T, r *router) {
	r.sh(t, "ip addr flush dev v1", "sysctl -qw net.ipv6.conf.v1.disable_ipv6=1")
	sh(t, "ip neigh flush dev v0")
}

// soon runs commands on this side, or does something else, while the check is under way.
func soon(setUp func(*testing.T, *router), later func(*testing.T, *router)) func(*testing.T, *router) {
	return func(t *testing.T, r *router) {
		setUp(t, r)
		done := make(chan struct{})
		time.AfterFunc(300*time.Millisecond, func() { defer close(done); later(t, r) })
		t.Cleanup(func() { <-done })
	}
}

// tentative gives this side an IPv6 address that it is long in making sure of.
func tentative(t *testing.T, r *router) {
	r.sh(t, "ip addr add "+farAddr6+"/64 dev v1 nodad", "ip route add local 2001:db8:1::/64 dev lo")
	r.serve(t, "["+farAddr6+"]:80", hostile.Respond(hostile.OK))
	sh(t, "ip link set v0 down")
	sysctl(t, "net.ipv6.conf.v0.dad_transmits", "20")
	r.up(t)
	sh(t, "ip addr add "+nearAddr6+"/64 dev v0")
	sh(t, "ip route add default via "+farAddr6)
}

// bridge makes a bridge of this machine's own, with one port that has a link, and then
// runs commands.
func bridge(commands ...string) func(*testing.T, *router) {
	return both(near("ip link add b0 type bridge", "ip addr add 10.9.0.1/24 dev b0", "ip link set b0 up",
		"ip link add c0 type veth peer name c1", "ip link set c0 master b0", "ip link set c0 up", "ip link set c1 up"),
		func(t *testing.T, _ *router) {
			for range 50 {
				if out, _ := exec.Command("ip", "link", "show", "b0").Output(); strings.Contains(string(out), "LOWER_UP") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}, near(commands...))
}

func both(all ...func(*testing.T, *router)) func(*testing.T, *router) {
	return func(t *testing.T, r *router) {
		for _, f := range all {
			f(t, r)
		}
	}
}

// R1, R2: ways to a site that are not the plain one.
func TestBlameWays(t *testing.T) {
	local := func(name, target, text string, setUp func(*testing.T, *router)) netFault {
		return netFault{name: name, target: target, text: text, setUp: setUp, reason: checker.ReasonLocal, phase: checker.PhaseConnect, upTo: second + idle}
	}
	off := func(name, target, text string, reason checker.Reason, setUp func(*testing.T, *router)) netFault {
		return netFault{name: name, target: target, text: text, setUp: setUp, reason: reason, phase: checker.PhaseConnect, upTo: second + idle}
	}
	after := func(f netFault, timeout time.Duration) netFault {
		f.opts, f.upTo = []checker.Option{checker.WithTimeout(timeout)}, timeout+idle
		return f
	}
	const name = "http://site.test/"
	drop := filtered("ip daddr "+deadSite+" drop", "ip6 daddr "+deadSite6+" drop")
	runNetFaults(t, []netFault{
		local("R1 the gateway is off, both families", name, "the gateway", hosts(gatewayOff, deadSite, deadSite6)),
		local("R1 the gateway is off, two addresses", name, "the gateway", hosts(gatewayOff, deadSite, liveSite)),
		after(off("R2 nobody has the addresses, both families", name, "nobody", checker.ReasonUnreachable, hosts(nothing, absent, "2001:db8::77")), 2*second),
		after(off("R2 nobody has the addresses, two", name, "nobody", checker.ReasonUnreachable, hosts(nothing, absent, "192.0.2.78")), 2*second),
		off("C2 silent, both families", name, "", checker.ReasonTimeout, hosts(drop, deadSite, deadSite6)),
		local("J10 the cable is pulled meanwhile", "", "no link", soon(drop, on("ip link set v1 down"))),
		local("J10 the link goes down meanwhile", "", "route", soon(drop, near("ip link set v0 down"))),
		local("J10 the cable is pulled meanwhile, both families", name, "no link", hosts(soon(drop, on("ip link set v1 down")), deadSite, deadSite6)),
		local("J10 the address is another meanwhile", "", "address", soon(drop, near("ip addr add 192.0.2.9/24 dev v0", "ip addr del "+nearAddr+"/24 dev v0", "ip addr replace 192.0.2.9/24 dev v0", "ip route replace default via "+farAddr))),
		after(local("J10 the cable is pulled meanwhile, the kernel gives up", "", "no link", both(near("sysctl -qw net.ipv4.tcp_syn_retries=1"), soon(drop, on("ip link set v1 down")))), 5*second),
		after(off("C2 silent, the kernel gives up", "", "", checker.ReasonTimeout, both(near("sysctl -qw net.ipv4.tcp_syn_retries=1"), drop)), 5*second),
		off("R2 a network by route alone", "http://203.0.113.7/", "nobody", checker.ReasonUnreachable, near("ip route add 203.0.113.0/24 dev v0")),
		after(off("R2 a network by route alone, the kernel gives up", "http://203.0.113.7/", "nobody", checker.ReasonUnreachable, near("ip route add 203.0.113.0/24 dev v0")), 5*second),
		off("R2 an address of its own of one, IPv6", "http://[2001:db8:5::7]/", "nobody", checker.ReasonUnreachable,
			near("ip addr add 2001:db8:5::1/128 dev v0 nodad", "ip route add 2001:db8:5::/64 dev v0")),
		after(off("R2 an address of its own of one, IPv6, the kernel gives up", "http://[2001:db8:5::7]/", "nobody", checker.ReasonUnreachable,
			near("ip addr add 2001:db8:5::1/128 dev v0 nodad", "ip route add 2001:db8:5::/64 dev v0")), 5*second),
		off("R2 a bridge whose last port is gone", "http://10.9.0.7/", "nobody", checker.ReasonUnreachable, bridge("ip link del c0")),
		after(off("R2 a bridge whose last port is gone, the kernel gives up", "http://10.9.0.7/", "nobody", checker.ReasonUnreachable, bridge("ip link del c0")), 5*second),
		local("J10 a bridge whose port has no link", "http://10.9.0.7/", "no link", bridge("ip link set c1 down")),
		local("R1 a gateway on a bridge whose last port is gone", "", "no link", bridge("ip route replace default via 10.9.0.2", "ip link del c0")),
		local("R1 a default route without a gateway", "http://203.0.113.7/", "the gateway", near("ip route replace default dev v0")),
		after(local("R1 a default route without a gateway, the kernel gives up", "http://203.0.113.7/", "the gateway", near("ip route replace default dev v0")), 5*second),
		local("R1 a rule for the source, whose gateway is off", "", "the gateway", near("ip route add default via "+absent+" table 100", "ip rule add from "+nearAddr+" lookup 100")),
		local("R1 a rule for the port, whose gateway is off", "", "the gateway", near("ip route add default via "+absent+" table 100", "ip rule add ipproto tcp dport 80 lookup 100")),
		local("R1 a rule for the own port, whose gateway is off", "", "the gateway", near("ip route add default via "+absent+" table 100", "ip rule add ipproto tcp sport 1024-65534 lookup 100")),
		local("R1 the same, two addresses", name, "the gateway", hosts(near("ip route add default via "+absent+" table 100", "ip rule add ipproto 6 sport 1024-65534 lookup 100"), deadSite, liveSite)),
		off("C2 silent behind a rule for the source", "", "", checker.ReasonTimeout, both(drop, func(t *testing.T, r *router) {
			sh(t, "ip route replace default via "+absent)
			sh(t, "ip route add default via "+farAddr+" table 100")
			sh(t, "ip rule add from "+nearAddr+" lookup 100")
			sh(t, "ip neigh replace "+absent+" dev v0 nud failed")
		})),
		local("R1 the gateway has a link-local address, and is off", "http://["+deadSite6+"]/", "the gateway", hosts(func(t *testing.T, r *router) {
			sh(t, "ip -6 route replace default via fe80::77 dev v0")
		})),
		local("R5 this machine's IPv6 address is not sure yet, a live site of its own network", "http://["+farAddr6+"]/", "no address", tentative),
		local("R5 the same, two addresses", name, "no address", both(tentative, func(t *testing.T, _ *router) {
			etc(t, map[string]string{"hosts": farAddr6 + " site.test\n2001:db8::3 site.test\n", "nsswitch.conf": "hosts: files\n"})
		})),
		after(local("R5 the same, the kernel gives up", "http://["+farAddr6+"]/", "no address", tentative), 5*second),
		local("R5 this machine's IPv6 address is not sure yet", "http://["+deadSite6+"]/", "no address", tentative),
		local("R4 an own filter rejects one port", "", "a filter", near("nft add table inet o", "nft add chain inet o out { type filter hook output priority 0 ; }", "nft add rule inet o out tcp dport 80 reject")),
		local("R4 an own filter rejects a loopback address that no interface has", "http://127.0.0.2/", "a filter", near("nft add table inet o", "nft add chain inet o out { type filter hook output priority 0 ; }", "nft add rule inet o out tcp dport 80 reject")),
		local("R4 an own filter rejects an address of a network of its own", "http://203.0.113.7/", "a filter", near("ip route add local 203.0.113.0/24 dev lo", "nft add table inet o", "nft add chain inet o out { type filter hook output priority 0 ; }", "nft add rule inet o out tcp dport 80 reject")),
		after(local("R1 the gateway was there a while ago, and is off", "", "the gateway", both(func(t *testing.T, r *router) {
			sysctl(t, "net.ipv4.neigh.v0.delay_first_probe_time", "1")
			r.sh(t, "ip link set v1 arp off", "ip link set v1 address 02:00:00:00:00:99")
			sh(t, "ip neigh replace "+farAddr+" lladdr 02:00:00:00:00:01 dev v0 nud stale")
		})), 3*second),
	})
}

// J10: this machine's own way goes while the site is silent on a connection that stands.
func TestBlameLostWay(t *testing.T) {
	get := []checker.Option{checker.WithMethod("GET")}
	var all []netFault
	for _, test := range []struct {
		name, target string
		begins       string // what the site says before
		opts         []checker.Option
		phase        checker.Phase
	}{
		{"HEAD", "http://" + deadSite + ":81/", "", nil, checker.PhaseResponse},
		{"GET", "http://" + deadSite + ":81/", "", get, checker.PhaseResponse},
		{"https", "https://" + deadSite + ":81/", "", nil, checker.PhaseTLS},
		{"IPv6", "http://[" + deadSite6 + "]:81/", "", nil, checker.PhaseResponse},
		{"part of an answer", "http://" + deadSite + ":81/", "HTTP/1.1 200 OK\r\nServer: a", nil, checker.PhaseResponse},
	} {
		with := func(name string, reason checker.Reason, commands ...string) {
			f := netFault{name: name + ", " + test.name, target: test.target, opts: test.opts, reason: reason, phase: test.phase, upTo: 2 * second}
			f.setUp = func(t *testing.T, r *router) {
				r.six(t)
				var once sync.Once
				r.serve(t, "[::]:81", func(ctx context.Context, conn net.Conn) {
					io.WriteString(conn, test.begins)
					once.Do(func() { near(commands...)(t, r) })
					<-ctx.Done()
				})
			}
			all = append(all, f)
		}
		with("silent", checker.ReasonTimeout)
		with("J10 the link goes down", checker.ReasonLocal, "ip link set v0 down")
		with("J10 the addresses go", checker.ReasonLocal, "ip addr flush dev v0")
		with("J10 the addresses are others", checker.ReasonLocal, "ip addr flush dev v0", "ip addr add 192.0.2.9/24 dev v0", "ip addr add 2001:db8::9/64 dev v0 nodad",
			"ip route replace default via "+farAddr, "ip route replace default via "+farAddr6)
	}
	runNetFaults(t, all)
}

// R1, R2, R3: what can be told where the caller opens connections by a net.Dialer, which
// does not keep who made a connect fail.
func TestBlameDialers(t *testing.T) {
	fault := func(name string, timeout time.Duration, reason checker.Reason, setUp func(*testing.T, *router)) netFault {
		return netFault{name: name, opts: []checker.Option{checker.WithTimeout(timeout), checker.WithDialContext(new(net.Dialer).DialContext)},
			setUp: setUp, reason: reason, phase: checker.PhaseConnect, upTo: timeout + idle}
	}
	to := func(target string, f netFault) netFault { f.target = target; return f }
	silent := filtered("ip daddr "+deadSite+" drop", "ip6 daddr "+deadSite6+" drop")
	lives := fault("lives", second, "", nothing)
	lives.phase = ""
	bound := fault("C2 silent, the dialer is bound to an interface", second, checker.ReasonTimeout, both(silent, near("ip route del default")))
	bound.opts = append(bound.opts, checker.WithDialContext((&net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		e := c.Control(func(fd uintptr) { err = syscall.BindToDevice(int(fd), "v0") })
		return errors.Join(e, err)
	}}).DialContext))
	memory := fault("C2 silent, in a network in memory", second, checker.ReasonTimeout, gatewayOff)
	memory.opts = append(memory.opts, checker.WithDialContext(func(ctx context.Context, _, addr string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr)), Err: ctx.Err()}
	}))
	carried := func(name string, reason checker.Reason, setUp func(*testing.T, *router)) netFault {
		f := fault(name, 5*second, reason, setUp)
		f.opts = []checker.Option{checker.WithTimeout(5 * second), checker.WithTransport(new(http.Transport))}
		return f
	}
	runNetFaults(t, []netFault{
		lives,
		fault("R1 the gateway is off", 100*time.Millisecond, checker.ReasonLocal, gatewayOff),
		fault("R1 the gateway is off, the kernel gives up", 5*second, checker.ReasonLocal, gatewayOff),
		to("http://["+deadSite6+"]/", fault("R1 the gateway is off, IPv6", second, checker.ReasonLocal, hosts(gatewayOff))),
		to("http://site.test/", fault("R1 the gateway is off, a name", second, checker.ReasonLocal, hosts(gatewayOff, deadSite))),
		to("http://site.test/", fault("R1 the gateway is off, both families", second, checker.ReasonLocal, hosts(gatewayOff, deadSite, deadSite6))),
		fault("J7 a route of this machine says unreachable", second, checker.ReasonLocal, near("ip route add unreachable "+deadSite)),
		fault("J10 the cable is pulled", second, checker.ReasonLocal, on("ip link set v1 down")),
		to("http://"+absent+"/", fault("R2 nobody has the address", 2*second, checker.ReasonUnreachable, nil)),
		to("http://"+absent+"/", fault("R2 nobody has the address, the kernel gives up", 5*second, checker.ReasonUnreachable, nil)),
		fault("R3 a firewall says unreachable", 2*second, checker.ReasonUnreachable, filtered("ip daddr "+deadSite+" reject with icmp host-unreachable")),
		fault("C2 silent", second, checker.ReasonTimeout, silent),
		bound, memory,
		carried("R1 the gateway is off, a transport", checker.ReasonLocal, gatewayOff),
		to("http://"+absent+"/", carried("R2 nobody has the address, a transport", checker.ReasonUnreachable, nil)),
		carried("R3 a firewall says unreachable, a transport", checker.ReasonUnreachable, filtered("ip daddr "+deadSite+" reject with icmp host-unreachable")),
	})
}
