//go:build linux

package e2e_test

import (
	"example.com/checker"
	"example.com/checker/internal/resolve/dnstest"
)

// Words for the rows of names.
var (
	here4   = dnstest.Addrs("127.0.0.80")
	here6   = dnstest.Addrs("::1")
	garbage = func(q *dnstest.Query) [][]byte { return [][]byte{append(q.Raw[:2:2], 0x81, 0x80, 0, 1)} }
)

// aZone answers for a.test.
func aZone(r dnstest.Reply) []dnstest.Zone {
	return []dnstest.Zone{{"a.test": r, "*": dnsNX}}
}

// familyRows are of names whose families differ.
func familyRows() (rows []nameRow) {
	const closed = "http://a.test:81/"
	for _, tt := range []struct {
		name string
		r    dnstest.Reply
		text string
	}{
		{"SERVFAIL", dnsFail, "127.0.0.1 answered SERVFAIL for "},
		{"REFUSED", dnstest.Refused, "127.0.0.1 answered REFUSED for "},
		{"NOTIMP", dnstest.NotImp, "127.0.0.1 answered NOTIMP for "},
		{"FORMERR", dnstest.FormErr, "127.0.0.1 answered FORMERR for "},
		{"NOTAUTH", dnstest.Code(9), "127.0.0.1 answered code 9 for "},
		{"lame", dnstest.Lame, "127.0.0.1 is no resolver: it neither knows nor asks others for "},
		{"no question, REFUSED", dnstest.Bare(dnstest.Refused), "127.0.0.1 answered REFUSED for "},
		{"too short", garbage, "127.0.0.1 gave an answer that cannot be read for "},
	} {
		six, four := dnstest.Per(here4, tt.r), dnstest.Per(tt.r, here6)
		rows = append(rows,
			nameRow{name: "O1 AAAA " + tt.name, servers: aZone(six), link: aRoute, target: closed, reason: checker.ReasonRefused, text: tt.text + "AAAA of a.test"},
			nameRow{name: "O1 A " + tt.name, servers: aZone(four), link: aRoute, target: closed, reason: checker.ReasonRefused, text: tt.text + "A of a.test"},
			nameRow{name: "O1 AAAA " + tt.name + ", the site lives", servers: aZone(six)},
			nameRow{name: "O1 A " + tt.name + ", the site lives", servers: aZone(four)},
			nameRow{name: "O1 A none, AAAA " + tt.name, servers: aZone(dnstest.Per(dnsNone, tt.r)), reason: checker.ReasonDNS, text: tt.text + "AAAA of a.test"},
			nameRow{name: "O1 A NXDOMAIN, AAAA " + tt.name, servers: aZone(dnstest.Per(dnsNX, tt.r)), reason: checker.ReasonDNS, text: tt.text + "AAAA of a.test"},
			nameRow{name: "O1 A " + tt.name + ", AAAA none", servers: aZone(dnstest.Per(tt.r, dnsNone)), reason: checker.ReasonDNS, text: tt.text + "A of a.test"},
		)
	}
	silent6, silent4 := dnstest.Per(here4, dnstest.Silent), dnstest.Per(dnstest.Silent, here6)
	all := 2*second + atOnce
	return append(rows,
		nameRow{name: "O1 AAAA NXDOMAIN", servers: aZone(dnstest.Per(here4, dnsNX)), link: aRoute, target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O1 A none", servers: aZone(dnstest.Per(dnsNone, here6)), link: aRoute, target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O1 A SERVFAIL, AAAA REFUSED", servers: aZone(dnstest.Per(dnsFail, dnstest.Refused)), reason: checker.ReasonDNS, text: "127.0.0.1 answered SERVFAIL for A of a.test"},
		nameRow{name: "O1 A REFUSED, AAAA SERVFAIL", servers: aZone(dnstest.Per(dnstest.Refused, dnsFail)), reason: checker.ReasonDNS, text: "127.0.0.1 answered SERVFAIL for AAAA of a.test"},
		nameRow{name: "O1 A SERVFAIL, and the next nameserver has all", servers: []dnstest.Zone{{"*": dnstest.Per(dnsFail, dnsNone)}, {"*": here4}}},

		nameRow{name: "O2 AAAA silent, no route", servers: aZone(silent6), target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O2 AAAA silent, an address of the link alone", servers: aZone(silent6), link: "192.0.2.1/24", target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O2 AAAA silent, a route", servers: aZone(silent6), link: aRoute, target: closed, reason: checker.ReasonDNS, upTo: all, text: "127.0.0.1 did not answer for AAAA of a.test"},
		nameRow{name: "O2 AAAA silent for less than the timeout, a route", resolv: dnsOnce, servers: aZone(silent6), link: aRoute, target: closed, timeout: 4 * second, reason: checker.ReasonDNS, upTo: all, text: "127.0.0.1 did not answer for AAAA of a.test"},
		nameRow{name: "O2 AAAA silent, no route, little patience", resolv: dnsOnce, servers: aZone(silent6), target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O2 A silent, no route", servers: aZone(silent4), link: "2001:db8:1::1/64", target: closed, reason: checker.ReasonRefused},
		nameRow{name: "O2 A silent, a route", servers: aZone(silent4), link: "192.0.2.1/24", target: closed, reason: checker.ReasonDNS, upTo: all, text: "127.0.0.1 did not answer for A of a.test"},
		nameRow{name: "O2 AAAA silent, the site lives", servers: aZone(silent6), link: aRoute},
		nameRow{name: "O2 A silent, the site lives", servers: aZone(silent4), link: aRoute},
		nameRow{name: "O2 A silent, AAAA none", servers: aZone(dnstest.Per(dnstest.Silent, dnsNone)), reason: checker.ReasonDNS, upTo: all, text: "did not answer for A of a.test"},
		nameRow{name: "O2 A none, AAAA silent, no route", servers: aZone(dnstest.Per(dnsNone, dnstest.Silent)), reason: checker.ReasonDNS, upTo: all, text: "did not answer for AAAA of a.test"},

		nameRow{name: "O10 A is unspecified", servers: aZone(dnsAddrs("0.0.0.0")), reason: checker.ReasonDNS, text: "unspecified"},
		nameRow{name: "O10 AAAA is unspecified", servers: aZone(dnsAddrs("::")), reason: checker.ReasonDNS, text: "unspecified"},
		nameRow{name: "O10 both are unspecified", servers: aZone(dnsAddrs("0.0.0.0", "::")), reason: checker.ReasonDNS, text: "unspecified"},
		nameRow{name: "O10 A is unspecified, AAAA does not exist", servers: aZone(dnstest.Per(dnsAddrs("0.0.0.0"), dnsNX)), reason: checker.ReasonDNS, text: "unspecified"},
		nameRow{name: "O10 A is unspecified, AAAA fails", servers: aZone(dnstest.Per(dnsAddrs("0.0.0.0"), dnsFail)), reason: checker.ReasonDNS},
		nameRow{name: "O10 A is unspecified mapped", hosts: "::ffff:0.0.0.0 a.test\n", servers: aZone(here4), reason: checker.ReasonDNS, text: "unspecified", unasked: true},
		nameRow{name: "O10 the hosts file has it", hosts: "0.0.0.0 a.test\n", servers: aZone(here4), reason: checker.ReasonDNS, text: "unspecified", unasked: true},
		nameRow{name: "O10 the hosts file has it for IPv6", hosts: ":: a.test\n", servers: aZone(here4), reason: checker.ReasonDNS, text: "unspecified", unasked: true},
		nameRow{name: "O10 through an alias", servers: aZone(dnsAddrs("blocked.test", "0.0.0.0")), reason: checker.ReasonDNS, text: "unspecified"},
		nameRow{name: "O10 beside an address", servers: aZone(dnsAddrs("0.0.0.0", "127.0.0.80"))},
		nameRow{name: "O10 AAAA is unspecified, the site lives", servers: aZone(dnsAddrs("127.0.0.80", "::"))},
		nameRow{name: "O10 without a scheme", servers: aZone(dnsAddrs("0.0.0.0", "::")), target: "a.test", reason: checker.ReasonDNS, text: "unspecified"},
	)
}

// aRoute gives this machine an address of each family.
const aRoute = "192.0.2.1/24 2001:db8:1::1/64"
