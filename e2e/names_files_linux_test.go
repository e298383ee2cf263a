//go:build linux

package e2e_test

import (
	"strings"
	"time"

	"example.com/checker"
	"example.com/checker/internal/resolve/dnstest"
)

// hostsRows are of names that nobody is asked for, and of those that are asked for
// whatever they look like.
func hostsRows() (rows []nameRow) {
	world := []dnstest.Zone{{"*": dnstest.Addrs("127.0.0.80", "::1")}}
	none := []dnstest.Zone{{"*": dnsNX}}
	silent := []dnstest.Zone{{"*": dnstest.Silent}}
	public := []checker.Option{checker.WithAddrPolicy(checker.PublicOnly)}
	for _, name := range []string{
		"foo-.test", "-foo.test", "-.test", "foo-.bar-.test", "a_b.test", "_foo._tcp.test", "a--b.test", "ab--c.test",
		dnsLong + ".test", "123.test", "xn--bcher-kva.test", "xn--55qx5d.test", "xn--0.test", "xn--a.test", "xn--99zzzzzz.test",
	} {
		rows = append(rows,
			nameRow{name: "O4 " + name + ", which lives", servers: []dnstest.Zone{{name: here4, "*": dnsNX}}, target: "http://" + name + "/"},
			nameRow{name: "O4 " + name + ", which does not exist", servers: none, target: "http://" + name + "/", reason: checker.ReasonNotFound, text: "NXDOMAIN for " + name},
		)
	}
	for _, name := range []string{"localhost", "localhost.", "app.localhost", "app.localhost.", "a.b.localhost", "LocalHost"} {
		url := "http://" + name
		rows = append(rows,
			nameRow{name: "O5 " + name + " lives", servers: none, target: url + "/", unasked: true},
			nameRow{name: "O5 " + name + " is closed", servers: none, target: url + ":81/", reason: checker.ReasonRefused, unasked: true},
			nameRow{name: "O5 " + name + " and a policy", servers: none, target: url + "/", opts: public, reason: checker.ReasonBlocked, unasked: true},
		)
	}
	return append(rows,
		nameRow{name: "O3 IPv4 alone", hosts: "127.0.0.81 a.test\n", servers: silent, link: aRoute, target: "http://a.test:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 IPv6 alone", hosts: "::1 a.test\n", servers: silent, link: aRoute, target: "http://a.test:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 IPv4 alone, DNS has more", hosts: "127.0.0.81 a.test\n", servers: world, link: aRoute, target: "http://a.test:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 the second name of a line, in capitals", hosts: "127.0.0.81 b.test A.Test # c\n", servers: silent, target: "http://a.test:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 it lives", hosts: "127.0.0.80 a.test\n", servers: silent, link: aRoute, unasked: true},
		nameRow{name: "O3 IPv6 alone, which lives", hosts: "::1 a.test\n", servers: silent, link: aRoute, unasked: true},
		nameRow{name: "O3 localhost, IPv4 alone", hosts: "127.0.0.1 localhost\n", servers: silent, link: aRoute, target: "http://localhost:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 localhost, IPv6 alone", hosts: "::1 localhost\n", servers: silent, link: aRoute, target: "http://localhost:81/", reason: checker.ReasonRefused, unasked: true},
		nameRow{name: "O3 localhost, which lives", hosts: "127.0.0.1 localhost\n", servers: silent, target: "localhost:80", unasked: true},
		nameRow{name: "O5 localhost is elsewhere in the hosts file", hosts: "192.0.2.9 localhost app.localhost\n", servers: silent, target: "http://app.localhost/", unasked: true},
		nameRow{name: "O5 no files at all", bare: true, target: "http://localhost:81/", reason: checker.ReasonRefused},
		nameRow{name: "O5 a name that only ends alike", servers: none, target: "http://mylocalhost/", reason: checker.ReasonNotFound, text: "NXDOMAIN for mylocalhost"},
	)
}

// cluster has two services, and says rest of all outside.
func cluster(rest dnstest.Reply) []dnstest.Zone {
	return []dnstest.Zone{dnsAll(func(q *dnstest.Query) [][]byte {
		switch name := q.Name(); {
		case name == "api.default.svc.cluster.local", name == "web.prod.svc.cluster.local":
			return here4(q)
		case strings.HasSuffix(name, ".cluster.local"):
			return dnsNX(q)
		}
		return rest(q)
	})}
}

// searchRows are of names that the search list makes others of.
func searchRows() (rows []nameRow) {
	const twoTries = 2*time.Second + atOnce // a second, and once more alone
	failures := []struct {
		name string
		r    dnstest.Reply
		upTo time.Duration
		text string
	}{
		{"SERVFAIL", dnsFail, atOnce, "127.0.0.1 answered SERVFAIL for A of "},
		{"REFUSED", dnstest.Refused, atOnce, "127.0.0.1 answered REFUSED for A of "},
		{"silent", dnstest.Silent, twoTries, "127.0.0.1 did not answer for A of "},
	}
	for _, f := range failures {
		in := func(name, target string) nameRow {
			return nameRow{name: "O6 " + name + " " + target + ", outside " + f.name, resolv: dnsK8s, servers: cluster(f.r), timeout: 5 * second, target: "http://" + target}
		}
		for _, target := range []string{"api/", "api.default/", "api.default.svc/", "web.prod.svc/", "web.prod/", "api.default.svc.cluster.local/", "api.default.svc.cluster.local./"} {
			rows = append(rows, in("finds", target))
		}
		closed, gone := in("is told that nobody listens at", "web.prod.svc:81/"), in("does not know of", "example.com/")
		closed.reason = checker.ReasonRefused
		gone.reason, gone.text, gone.upTo = checker.ReasonDNS, f.text+"example.com", f.upTo
		rows = append(rows, closed, gone)

		suffix := func(name string, z dnstest.Zone) nameRow {
			z["*"] = dnsNX
			return nameRow{
				name: "O7 " + name + " " + f.name, resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{z}, target: "http://svc/",
				timeout: 5 * second, reason: checker.ReasonDNS, upTo: f.upTo, text: "for A of svc.",
			}
		}
		rows = append(rows,
			suffix("the first suffix", dnstest.Zone{"svc.x.test": f.r}),
			suffix("the last suffix", dnstest.Zone{"svc.y.test": f.r}),
			suffix("the first suffix for one family", dnstest.Zone{"svc.x.test": dnstest.Per(f.r, dnsNX)}),
		)
		asIs := suffix("the name itself", dnstest.Zone{"svc": f.r})
		asIs.text = f.text + "svc"
		rows = append(rows, asIs)
	}
	found := nameRow{name: "O7 a suffix SERVFAIL, and the next one has it", resolv: dnsSearch, target: "http://svc/", servers: []dnstest.Zone{{"svc.x.test": dnsFail, "svc.y.test": here4, "*": dnsNX}}}
	lost := found
	lost.name, lost.servers, lost.resolv = "O7 one lost datagram", []dnstest.Zone{{"svc.x.test": dnstest.Seq(dnstest.Silent, here4), "*": dnsNX}}, dnsSearch+"options timeout:1"
	lost.timeout, lost.upTo = 5*second, twoTries
	return append(rows, found, lost,
		nameRow{name: "O6 gone, outside NXDOMAIN", resolv: dnsK8s, servers: cluster(dnsNX), target: "http://example.com/", reason: checker.ReasonNotFound, text: "example.com.cluster.local, example.com (search list, ndots 5)"},
		nameRow{name: "O6 rooted", resolv: dnsK8s, servers: cluster(dnsNX), target: "http://api.default.svc./", reason: checker.ReasonNotFound, text: "NXDOMAIN for api.default.svc"},
		nameRow{name: "O7 none of all has it", resolv: dnsSearch, servers: []dnstest.Zone{{"*": dnsNX}}, target: "http://svc/", reason: checker.ReasonNotFound, text: "NXDOMAIN for svc.x.test, svc.y.test, svc (search list, ndots 1)"},
		nameRow{name: "O7 one has it without an address", resolv: dnsSearch, servers: []dnstest.Zone{{"svc.x.test": dnsNone, "*": dnsNX}}, target: "http://svc/", reason: checker.ReasonNotFound, text: "no A record for svc.x.test"},
		nameRow{name: "O7 no address and no search list", servers: []dnstest.Zone{{"*": dnsNone}}, reason: checker.ReasonNotFound, text: "no A record for a.test"},
		nameRow{name: "O7 rooted, which lives", resolv: dnsSearch, servers: []dnstest.Zone{{"a.test": here4, "*": dnsFail}}, target: "http://a.test./"},
	)
}
