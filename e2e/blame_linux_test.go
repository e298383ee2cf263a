//go:build linux

package e2e_test

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

//go:embed testdata/blame.txt
var blameTable string

// A plight is what becomes of a site, or of all of them, and whose fault it is. The
// table testdata/blame.txt says what a check finds, and with what curl exits.
type plight struct {
	name string

	// Commands that bring it about for one address: in the router, and on this side.
	// ADDR stands for the address, IP for "ip" or "ip6", ICMP for "icmp" or "icmpv6". Those
	// that begin with "v4:" or "v6:" are for that family alone.
	there, here []string
	beyond      bool // the address is one that the router does not have itself
	absent      bool // the address is one of this machine's own network

	// all brings it about for all sites; a plight that has it has a world of its own.
	all      func(t *testing.T, r *router)
	nameless bool // the hosts file has no name

	only string // "v4", "v6" or "both", where it is not for all ways
}

func rejects(only, code string) plight {
	return plight{name: "the site rejects, " + code, there: []string{"nft add rule inet f in IP daddr ADDR reject with ICMP " + code}, only: only}
}

func routed(kind string) plight {
	return plight{name: "a route of this machine says " + kind, here: []string{"ip route add " + kind + " ADDR"}}
}

func filters(how string) plight {
	return plight{name: "a filter of this machine says " + how, here: []string{"nft add rule inet o out IP daddr ADDR " + how}}
}

func plights() []plight {
	all := []plight{
		{name: "the site lives"},
		{name: "the site refuses", there: []string{"nft add rule inet f in IP daddr ADDR reject with tcp reset"}},
		{name: "the site is silent", there: []string{"nft add rule inet f in IP daddr ADDR drop"}},
		{name: "the site is off behind its router", beyond: true, there: []string{"ip route add ADDR dev w0"}},
		{name: "the router has no route", beyond: true, all: nothing}, // a router says so now and then only
		{name: "a route of the router says unreachable", beyond: true, all: nothing, there: []string{"ip route add unreachable ADDR"}},
		{name: "a route of the router says prohibit", beyond: true, all: nothing, there: []string{"ip route add prohibit ADDR"}},
		{name: "nobody on the own network has the address", absent: true},
		filters("drop"), filters("reject with tcp reset"),
		routed("prohibit"), routed("unreachable"), routed("blackhole"), routed("throw"),
		{name: "the gateway is off", all: func(t *testing.T, r *router) {
			r.sh(t, "ip addr flush dev v1", "sysctl -qw net.ipv6.conf.v1.disable_ipv6=1")
			sh(t, "ip neigh flush dev v0")
		}},
		{name: "the cable is unplugged", all: func(t *testing.T, r *router) { r.sh(t, "ip link set v1 down") }},
		{name: "the link is down", all: func(t *testing.T, _ *router) { sh(t, "ip link set v0 down") }},
		{name: "this machine has no address", all: func(t *testing.T, _ *router) { sh(t, "ip addr flush dev v0") }},
		{name: "this machine has no route", all: func(t *testing.T, _ *router) { sh(t, "ip route del default"); sh(t, "ip -6 route del default") }},
	}
	nameless := plight{name: "the nameserver is silent", nameless: true, all: func(t *testing.T, r *router) { r.sh(t, "nft add rule inet f in udp dport 53 drop") }}
	all = append(append(all, nameless), mixed...)
	for _, code := range []string{"net-unreachable", "host-unreachable", "prot-unreachable", "port-unreachable", "net-prohibited", "host-prohibited", "admin-prohibited"} {
		all = append(all, rejects("v4", code))
		p := filters("reject with icmp " + code)
		p.only = "v4"
		all = append(all, p)
	}
	for _, code := range []string{"no-route", "admin-prohibited", "addr-unreachable", "port-unreachable", "policy-fail", "reject-route"} {
		all = append(all, rejects("v6", code))
		p := filters("reject with icmpv6 " + code)
		p.only = "v6"
		all = append(all, p)
	}
	return all
}

func nothing(*testing.T, *router) {}

// mixed are plights in which the families differ.
var mixed = []plight{
	{name: "IPv4 lives, IPv6 is rejected", only: "both", there: []string{"v6:nft add rule inet f in ip6 daddr ADDR reject with icmpv6 admin-prohibited"}},
	{name: "IPv6 lives, a route of this machine prohibits IPv4", only: "both", here: []string{"v4:ip route add prohibit ADDR"}},
	{
		name: "IPv4 refuses, a route of this machine prohibits IPv6", only: "both",
		there: []string{"v4:nft add rule inet f in ip daddr ADDR reject with tcp reset"}, here: []string{"v6:ip route add prohibit ADDR"},
	},
	{
		name: "IPv6 refuses, a route of this machine is a blackhole for IPv4", only: "both",
		there: []string{"v6:nft add rule inet f in ip6 daddr ADDR reject with tcp reset"}, here: []string{"v4:ip route add blackhole ADDR"},
	},
	{
		name: "IPv4 refuses, IPv6 is rejected", only: "both",
		there: []string{"v4:nft add rule inet f in ip daddr ADDR reject with tcp reset", "v6:nft add rule inet f in ip6 daddr ADDR reject with icmpv6 no-route"},
	},
	{
		name: "a firewall rejects IPv4 and IPv6", only: "both",
		there: []string{"v4:nft add rule inet f in ip daddr ADDR reject with icmp host-prohibited", "v6:nft add rule inet f in ip6 daddr ADDR reject with icmpv6 admin-prohibited"},
	},
	{
		name: "IPv4 is silent, a route of this machine says unreachable for IPv6", only: "both",
		there: []string{"v4:nft add rule inet f in ip daddr ADDR drop"}, here: []string{"v6:ip route add unreachable ADDR"},
	},
	{
		name: "the site rejects IPv4, a filter of this machine IPv6", only: "both",
		there: []string{"v4:nft add rule inet f in ip daddr ADDR reject with icmp port-unreachable"},
		here:  []string{"v6:nft add rule inet o out ip6 daddr ADDR reject with icmpv6 port-unreachable"},
	},
	{
		name: "filters of this machine reject IPv4 and IPv6", only: "both",
		here: []string{"v4:nft add rule inet o out ip daddr ADDR reject", "v6:nft add rule inet o out ip6 daddr ADDR reject"},
	},
}

// A blameSite is a site in a plight, by one family or by both.
type blameSite struct {
	plight
	way          string // "v4", "v6" or "both"
	host         string
	addr4, addr6 string
}

func (s blameSite) key() string { return s.name + " | " + s.way }

// newBlameSites gives addresses to plights.
func newBlameSites(all []plight) (list []blameSite) {
	n := 0
	for _, p := range all {
		for _, way := range []string{"v4", "v6", "both"} {
			if p.only != "" && p.only != way {
				continue
			}
			n++
			s := blameSite{plight: p, way: way, host: fmt.Sprintf("s%d.test", n)}
			net4, net6 := "198.51.100.", "2001:db8:1::"
			switch {
			case p.absent:
				net4, net6 = "192.0.2.", "2001:db8::"
			case p.beyond:
				net4, net6 = "203.0.113.", "2001:db8:3::"
			}
			if way != "v6" {
				s.addr4 = fmt.Sprint(net4, 100+n)
			}
			if way != "v4" {
				s.addr6 = fmt.Sprint(net6, 100+n)
			}
			list = append(list, s)
		}
	}
	return list
}

// about returns a command for one of the site's addresses, if it is for that.
func (s blameSite) about(addr, command string) []string {
	way, ip, icmp := "v4:", "ip", "icmp"
	if addr == s.addr6 {
		way, ip, icmp = "v6:", "ip6", "icmpv6"
	}
	rest, mine := strings.CutPrefix(command, way)
	if !mine && strings.HasPrefix(command, "v") {
		return nil
	}
	return []string{strings.NewReplacer("ADDR", addr, "IP", ip, "ICMP", icmp).Replace(rest)}
}

// blameWorld is a world with a router, both families and no limit of ICMP.
func blameWorld(t *testing.T, sites []blameSite) *router {
	t.Helper()
	r := newRouter(t)
	r.six(t)
	r.sh(t, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.all.forwarding=1",
		"ip link add w0 type veth peer name w1", "ip link set w0 up", "ip link set w1 up", "ip addr add 203.0.113.1/32 dev w0")
	sh(t, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0")
	r.filter(t)
	sh(t, "nft add table inet o")
	sh(t, "nft add chain inet o out { type filter hook output priority 0 ; }")
	r.serve(t, "[::]:80", hostile.Respond(hostile.OK))
	var hosts strings.Builder
	for _, s := range sites {
		for _, addr := range []string{s.addr4, s.addr6} {
			if addr == "" {
				continue
			}
			if !s.nameless {
				fmt.Fprintln(&hosts, addr, s.host)
			}
			for _, c := range s.there {
				r.sh(t, s.about(addr, c)...)
			}
			for _, c := range s.here {
				for _, c := range s.about(addr, c) {
					sh(t, c)
				}
			}
		}
	}
	etc(t, map[string]string{"hosts": hosts.String(), "nsswitch.conf": "hosts: files dns\n", "resolv.conf": "nameserver " + farAddr + "\n"})
	return r
}

// A blameLine is what the table says of a site.
type blameLine struct {
	verdict string
	guarded string // the verdict with a canary
	curl    string
}

func (l blameLine) String() string { return l.verdict + " | " + l.guarded + " | " + l.curl }

const blameTimeout = 5 * second

// askBlame asks the library and curl about all sites at once.
func askBlame(t *testing.T, sites []blameSite) map[string]blameLine {
	t.Helper()
	c := sane(t, checker.WithTimeout(blameTimeout))
	guarded := sane(t, checker.WithTimeout(blameTimeout), checker.WithCanaries("http://"+liveSite+"/"))
	verdict := func(r checker.Result) string {
		text := strings.TrimSpace(fmt.Sprint(r.Status(), " ", r.Reason()))
		if cause := r.Cause(); cause != "" {
			text += " (" + string(cause) + ")"
		}
		return text
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	found := make(map[string]blameLine)
	for _, s := range sites {
		wg.Go(func() {
			url := "http://" + s.host + "/"
			exit := curlExit(url)
			r := c.Check(t.Context(), url)
			beside := guarded.Check(t.Context(), url)
			if r.Online() && exit != 0 {
				exit = curlExit(url) // it may have come too late to a busy processor
			}
			mu.Lock()
			defer mu.Unlock()
			found[s.key()] = blameLine{verdict(r), verdict(beside), fmt.Sprint(exit)}
			t.Logf("%s: %v; with a canary %v", s.key(), r, beside)
		})
	}
	wg.Wait()
	return found
}

// curlExit returns curl's exit status.
func curlExit(url string) int {
	err := exec.Command("curl", "-q", "-s", "-o", "/dev/null", "--max-time", fmt.Sprint(blameTimeout.Seconds()), url).Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

// R1, R2, R3, R4, R5: whose fault it is that nobody answers, in every plight, by IPv4, IPv6 and
// both, as a table says that people have read.
func TestBlame(t *testing.T) {
	needTool(t, "curl", "curl")
	var each, all []plight
	for _, p := range plights() {
		if p.all == nil {
			each = append(each, p)
		} else {
			all = append(all, p)
		}
	}
	t.Run("one address each", func(t *testing.T) {
		namespaced(t, func(t *testing.T) {
			sites := newBlameSites(each)
			blameWorld(t, sites)
			compareBlame(t, sites)
		})
	})
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			namespaced(t, func(t *testing.T) {
				sites := newBlameSites([]plight{p})
				p.all(t, blameWorld(t, sites))
				compareBlame(t, sites)
			})
		})
	}
	for key := range blameLines(t) {
		name, _, _ := strings.Cut(key, " | ")
		if !slices.ContainsFunc(plights(), func(p plight) bool { return p.name == name }) {
			t.Errorf("the table has %q, which is no plight", name)
		}
	}
}

// blameLines reads the table.
func blameLines(t *testing.T) map[string]blameLine {
	t.Helper()
	lines := make(map[string]blameLine)
	for text := range strings.Lines(blameTable) {
		if text = strings.TrimSpace(text); text == "" || text[0] == '#' {
			continue
		}
		f := strings.Split(text, " | ")
		if len(f) != 5 {
			t.Fatalf("the table has %q; want five columns", text)
		}
		lines[f[0]+" | "+f[1]] = blameLine{f[2], f[3], f[4]}
	}
	return lines
}

// compareBlame holds what is found against the table. What it says can be read and
// put there.
func compareBlame(t *testing.T, sites []blameSite) {
	t.Helper()
	table := blameLines(t)
	found := askBlame(t, sites)
	// Some plights take the kernel three of the five seconds. What other programs may
	// have kept from its time is asked for again, with the machine to itself.
	late := slices.DeleteFunc(slices.Clone(sites), func(s blameSite) bool { return found[s.key()] == table[s.key()] })
	maps.Copy(found, askBlame(t, late))
	for key, got := range found {
		if want := table[key]; got != want {
			t.Errorf("%s | %v; the table has %v", key, got, want)
		}
	}
}
