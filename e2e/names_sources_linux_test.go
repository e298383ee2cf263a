//go:build linux

package e2e_test

import (
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/resolve/dnstest"
)

// sourceRows are of what stands in nsswitch.conf, and of nameservers that do not
// speak as others do.
func sourceRows() (rows []nameRow) {
	const mdns = "hosts: files mdns4_minimal [NOTFOUND=return] dns\n"
	none := []dnstest.Zone{{"*": dnsNX}}
	for _, tt := range []struct{ name, nsswitch, target string }{
		{"mdns4_minimal and a printer", mdns, "printer.local"},
		{"mdns and a printer", "hosts: files mdns dns\n", "printer.local"},
		{"no word of multicast DNS and a printer", "", "printer.local"},
		{"a printer, rooted", mdns, "printer.local."},
		{"dns alone and a printer", "hosts: dns\n", "printer.local"},
		{"libvirt", "hosts: files libvirt dns\n", "guest.test"},
		{"libvirt_guest at the end", "hosts: files dns libvirt_guest\n", "guest.test"},
		{"a source that nobody knows", "hosts: files wins dns\n", "guest"},
		{"myhostname and its own name", "hosts: files dns myhostname\n", "host"},
		{"myhostname and the gateway", "hosts: files myhostname dns\n", "_gateway"},
	} {
		rows = append(rows, nameRow{name: "O9 " + tt.name, nsswitch: tt.nsswitch, servers: none, target: "http://" + tt.target + "/", reason: checker.ReasonDNS, orFound: true, text: "the system's own resolver", upTo: time.Second})
	}
	edns := func(name string, r dnstest.Reply) nameRow {
		return nameRow{name: "O8 " + name, resolv: "options edns0 timeout:1", servers: []dnstest.Zone{{"*": dnstest.EDNS(r, here4)}}, timeout: 5 * second}
	}
	dropped := edns("EDNS is dropped", dnstest.Silent)
	dropped.upTo = 2 * second
	gone := edns("EDNS gets FORMERR, and there is no such name", dnstest.FormErr)
	gone.servers, gone.reason, gone.text = []dnstest.Zone{{"*": dnstest.EDNS(dnstest.FormErr, dnsNX)}}, checker.ReasonNotFound, "NXDOMAIN for a.test"
	behind := edns("the answer is behind the OPT record", func(q *dnstest.Query) [][]byte {
		m := q.With("127.0.0.80")
		m.Answers, m.Additionals = q.Additionals, m.Answers
		return dnstest.Pack(m)
	})
	return append(rows, dropped, gone, behind,
		edns("EDNS gets FORMERR", dnstest.FormErr), edns("EDNS gets FORMERR without a question", dnstest.Bare(dnstest.FormErr)),
		edns("EDNS gets NOTIMP", dnstest.NotImp), edns("EDNS gets garbage", garbage),
		edns("EDNS is fine", func(q *dnstest.Query) [][]byte {
			m := q.With("127.0.0.80")
			var h dnsmessage.ResourceHeader
			h.SetEDNS0(1232, dnsmessage.RCodeSuccess, false)
			m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{}})
			return dnstest.Pack(m)
		}),

		nameRow{name: "O9 a printer of the hosts file", hosts: "127.0.0.80 printer.local\n", nsswitch: mdns, servers: none, target: "http://printer.local/", unasked: true},
		nameRow{name: "O9 multicast DNS and another name", nsswitch: mdns, servers: aZone(here4)},
		nameRow{name: "O9 multicast DNS and another name, which does not exist", nsswitch: mdns, servers: none, reason: checker.ReasonNotFound, text: "NXDOMAIN for a.test"},
		nameRow{name: "O9 libvirt and a site that lives", nsswitch: "hosts: files libvirt dns\n", servers: aZone(here4)},
		nameRow{name: "O9 dns before libvirt", nsswitch: "hosts: files dns libvirt\n", servers: aZone(here4)},
		nameRow{name: "O9 myhostname and another name", nsswitch: "hosts: files myhostname dns\n", servers: none, reason: checker.ReasonNotFound},
		nameRow{name: "O9 resolve, and no service", nsswitch: "hosts: files resolve [!UNAVAIL=return] dns\n", servers: aZone(here4)},
		nameRow{name: "O9 resolve, no service, and no such name", nsswitch: "hosts: files resolve [!UNAVAIL=return] dns\n", servers: none, reason: checker.ReasonNotFound},
		nameRow{name: "O9 resolve, and a service", nsswitch: "hosts: resolve [!UNAVAIL=return] files dns\n", run: "systemd/resolve/io.systemd.Resolve", servers: aZone(here4), reason: checker.ReasonDNS, orFound: true, upTo: time.Second},
		nameRow{name: "O9 files alone", nsswitch: "hosts: files\n", servers: aZone(here4), reason: checker.ReasonNotFound, unasked: true},
	)
}

// slowRows are of nameservers that take their time, or are not there.
func slowRows() []nameRow {
	late := func(d time.Duration) []dnstest.Zone {
		return aZone(dnstest.Per(func(q *dnstest.Query) [][]byte {
			time.Sleep(d)
			return here4(q)
		}, dnsNone))
	}
	dead := dnstest.Zone{"*": dnstest.Silent}
	good := aZone(here4)[0]
	return []nameRow{
		{name: "O12 the first nameserver is dead, T = 6 s", servers: []dnstest.Zone{dead, good}, target: "http://a.test:82/", timeout: 6 * second, reason: checker.ReasonDNS, orFound: true, from: 5 * second, upTo: 6*second + atOnce, text: "the lookup took"},
		{name: "O12 the first nameserver is dead, T = 10 s", servers: []dnstest.Zone{dead, good}, target: "http://a.test:82/", timeout: 10 * second, from: 5 * second, upTo: 8 * second},
		{name: "O12 a lookup of 1.85 s of 2", servers: late(1850 * time.Millisecond), target: "http://a.test:82/", reason: checker.ReasonDNS, orFound: true, upTo: 2*second + atOnce, text: "the lookup took"},
		{name: "O12 a lookup of 1.6 s of 2, and a quick site", servers: late(1600 * time.Millisecond), upTo: 2*second + atOnce},
		{name: "O12 a lookup of 1.6 s, and nobody listens", servers: late(1600 * time.Millisecond), target: "http://a.test:81/", reason: checker.ReasonRefused, upTo: 2*second + atOnce},
		{name: "O12 the first nameserver is dead, and there is no such name", resolv: "options timeout:1", servers: []dnstest.Zone{dead, {"*": dnsNX}}, timeout: 6 * second, reason: checker.ReasonNotFound, upTo: 3 * second, text: "NXDOMAIN for a.test"},
		{name: "O12 all nameservers are dead", servers: []dnstest.Zone{dead, dead}, reason: checker.ReasonDNS, upTo: 2*second + atOnce, text: "127.0.0.1 did not answer for "},
		{name: "O12 a nameserver at a closed port", servers: []dnstest.Zone{nil}, reason: checker.ReasonDNS, text: "127.0.0.1 could not be reached (connection refused) for A of a.test"},
		{name: "O12 a nameserver at a closed port, and a good one", servers: []dnstest.Zone{nil, good}},
		{name: "O12 a nameserver at a closed port, and one that knows of no such name", servers: []dnstest.Zone{nil, {"*": dnsNX}}, reason: checker.ReasonNotFound, text: "NXDOMAIN for a.test"},
		{name: "O12 no resolv.conf, and nobody on loopback", bare: true, reason: checker.ReasonDNS, text: "127.0.0.1 could not be reached"},
		{name: "O12 no resolv.conf, and a nameserver on loopback", bare: true, servers: []dnstest.Zone{good}},
	}
}
