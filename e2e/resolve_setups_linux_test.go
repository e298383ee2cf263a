//go:build linux

package e2e_test

import (
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker/internal/resolve/dnstest"
)

// Words for the table below.
var (
	dnsAddrs = dnstest.Addrs
	dnsBoth  = dnstest.Addrs("192.0.2.1", "2001:db8::1")
	dnsNX    = dnstest.NXDomain
	dnsNone  = dnstest.NoData
	dnsFail  = dnstest.ServFail
)

// dnsWorld answers for the usual names, and by rest for all others.
func dnsWorld(rest dnstest.Reply, more ...dnstest.Zone) dnstest.Zone {
	z := dnstest.Zone{
		"a.test":    dnsBoth,
		"v4.test":   dnsAddrs("192.0.2.4"),
		"v6.test":   dnsAddrs("2001:db8::6"),
		"none.test": dnsNone,
		"*":         rest,
	}
	for _, m := range more {
		for name, r := range m {
			z[name] = r
		}
	}
	return z
}

// dnsAll answers all names alike.
func dnsAll(r dnstest.Reply) dnstest.Zone { return dnstest.Zone{"*": r} }

// dnsCluster has two services, as in a cluster, and says rest of all outside it.
func dnsCluster(rest dnstest.Reply) dnstest.Zone {
	return dnsAll(func(q *dnstest.Query) [][]byte {
		switch name := q.Name(); {
		case name == "api.default.svc.cluster.local", name == "web.prod.svc.cluster.local":
			return dnsAddrs("192.0.2.10")(q)
		case strings.HasSuffix(name, ".cluster.local"):
			return dnsNX(q)
		}
		return rest(q)
	})
}

const (
	dnsOnce    = "options timeout:1 attempts:1\n"
	dnsSearch  = "search x.test y.test\n"
	dnsK8s     = "search default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5 timeout:1 attempts:1\n"
	dnsK8sAsk  = "api api.default api.default.svc web.prod.svc web.prod api.default.svc.cluster.local example.com example.com."
	dnsFew     = "a.test gone.test gone"
	dnsOneName = "a.test"
)

// dnsForged are answers that nobody asked for.
func dnsForged(q *dnstest.Query) [][]byte {
	id := q.With("127.0.0.66", "::66")
	id.ID++
	other := q.With("127.0.0.66", "::66")
	other.Questions[0].Name = dnsmessage.MustNewName("other.test.")
	typ := q.With("127.0.0.66", "::66")
	typ.Questions[0].Type = dnsmessage.TypeMX
	return append(append(dnstest.Pack(id), dnstest.Pack(other)...), dnstest.Pack(typ)...)
}

// dnsLate answers with the alias behind what it stands for.
func dnsLate(q *dnstest.Query) [][]byte {
	m := q.With("b.test", "192.0.2.1", "2001:db8::1")
	if len(m.Answers) == 2 {
		m.Answers[0], m.Answers[1] = m.Answers[1], m.Answers[0]
	}
	return dnstest.Pack(m)
}

// dnsForeign answers with the address of another name.
func dnsForeign(q *dnstest.Query) [][]byte {
	m := q.With("192.0.2.1", "2001:db8::1")
	for i := range m.Answers {
		m.Answers[i].Header.Name = dnsmessage.MustNewName("other.test.")
	}
	return dnstest.Pack(m)
}

// dnsGlue is lame, and names others.
func dnsGlue(q *dnstest.Query) [][]byte {
	m := q.Header(0)
	m.RecursionAvailable = false
	h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("test."), Class: dnsmessage.ClassINET, TTL: 60}
	m.Authorities = append(m.Authorities, dnsmessage.Resource{Header: h, Body: &dnsmessage.NSResource{NS: dnsmessage.MustNewName("ns.test.")}})
	h.Name = dnsmessage.MustNewName("ns.test.")
	m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 53}}})
	return dnstest.Pack(m)
}

// dnsOverrun ends within a record.
func dnsOverrun(q *dnstest.Query) [][]byte {
	b := dnsBoth(q)[0]
	return [][]byte{b[:len(b)-1]}
}

var dnsLong = strings.Repeat("l", 63)

var setups = []setup{
	{name: "one server", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "one server, search", resolv: dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth, "api.ns.y.test": dnsBoth, "gone.x.test": dnsNone})}},
	{name: "search, found below as well", resolv: dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"a.test.x.test": dnsAddrs("192.0.2.66"), "api": dnsBoth, "api.x.test": dnsAddrs("192.0.2.67")})}},
	{name: "a wildcard suffix", resolv: "search w.test\n", servers: []dnstest.Zone{dnsAll(func(q *dnstest.Query) [][]byte {
		if strings.HasSuffix(q.Name(), ".w.test") {
			return dnsAddrs("192.0.2.99")(q)
		}
		return dnsWorld(dnsNX)[q.Name()].Or(dnsNX)(q)
	})}},
	{name: "domain", resolv: "domain x.test y.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth, "api.y.test": dnsBoth})}, ask: "api api.ns a.test"},
	{name: "domain after search", resolv: "search y.test\ndomain x.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsAddrs("192.0.2.3"), "api.y.test": dnsBoth})}, ask: "api"},
	{name: "search after domain", resolv: "domain x.test\nsearch y.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsAddrs("192.0.2.3"), "api.y.test": dnsBoth})}, ask: "api"},
	{name: "the domain of the host", hostname: "host.x.test", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth})}, ask: "api gone"},
	{name: "a suffix with dots around", resolv: "search .x.test. . y.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.y.test": dnsBoth})}, ask: "api gone a.test"},
	{name: "ndots 0", resolv: dnsSearch + "options ndots:0\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth})}},
	{name: "ndots 2", resolv: dnsSearch + "options ndots:2\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"a.test.x.test": dnsAddrs("192.0.2.66")})}},
	{name: "ndots 99", resolv: dnsSearch + "options ndots:99\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p"},
	{name: "no-tld-query", resolv: dnsSearch + "options no-tld-query\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api": dnsBoth})}, ask: "api api.ns gone"},
	{name: "comments and blanks", resolv: "# search z.test\n; search z.test\n search z.test\nsearch\tx.test\t y.test  \noptions\tndots:1\tbogus rotate\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.y.test": dnsBoth, "api.z.test": dnsNone})}, ask: "api gone"},
	{name: "ends of lines of another system", resolv: "search x.test y.test\r\noptions ndots:2\r", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth, "svc.y.test": dnsBoth})}, ask: "api svc"},
	{name: "addresses of nameservers", resolv: "nameserver 127.0.0.300\nnameserver 127.1 # the first\nnameserver ::ffff:127.0.0.2", servers: []dnstest.Zone{dnsWorld(dnsNX), dnsWorld(dnsNX)}, ask: dnsFew},
	{name: "an IPv6 nameserver", resolv: "nameserver ::1\n", six: dnsWorld(dnsNX), ask: dnsFew},
	{name: "a nameserver without a way to it", resolv: "nameserver 2001:db8::53\nnameserver 192.0.2.53\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: dnsFew},
	{name: "no nameserver", resolv: "search x.test\n", ask: "a.test api"},
	{name: "five nameservers", resolv: dnsOnce + "nameserver 127.0.0.3\nnameserver 127.0.0.3\nnameserver 127.0.0.3", servers: []dnstest.Zone{dnsWorld(dnsNX), dnsWorld(dnsNX), dnsAll(dnsFail)}, ask: dnsFew},

	{name: "cluster, NXDOMAIN outside", resolv: dnsK8s, servers: []dnstest.Zone{dnsCluster(dnsNX)}, ask: dnsK8sAsk},
	{name: "cluster, SERVFAIL outside", resolv: dnsK8s, servers: []dnstest.Zone{dnsCluster(dnsFail)}, ask: dnsK8sAsk},
	{name: "cluster, REFUSED outside", resolv: dnsK8s, servers: []dnstest.Zone{dnsCluster(dnstest.Refused)}, ask: dnsK8sAsk},
	{name: "cluster, silence outside", resolv: dnsK8s, servers: []dnstest.Zone{dnsCluster(dnstest.Silent)}, ask: dnsK8sAsk},
	{name: "cluster, addresses outside", resolv: dnsK8s, servers: []dnstest.Zone{dnsCluster(dnsBoth)}, ask: dnsK8sAsk},

	{name: "a suffix fails", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsFail, "svc.x.test": dnsFail, "svc.y.test": dnsBoth})}, ask: "api svc"},
	{name: "a suffix is refused", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnstest.Refused, "svc.x.test": dnstest.Refused, "svc.y.test": dnsBoth, "top.x.test": dnstest.Refused, "top": dnsBoth})}, ask: "api svc top"},
	{name: "a suffix is silent", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnstest.Silent, "svc.x.test": dnstest.Silent, "svc.y.test": dnsBoth, "top.x.test": dnstest.Silent, "top": dnsBoth})}, ask: "api svc top"},
	{name: "a suffix is lame", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnstest.Lame, "top.x.test": dnstest.Lame, "top": dnsBoth})}, ask: "api top"},
	{name: "a suffix fails after the name", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"gone.test.y.test": dnsFail})}, ask: "gone.test"},
	{name: "the name fails before the suffixes", resolv: dnsOnce + dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"dead.test": dnsFail, "live.test": dnsFail, "live.test.y.test": dnsBoth})}, ask: "dead.test live.test"},
	{name: "a suffix that is too long", resolv: "search " + strings.Repeat("a.", 120) + "a y.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"a-longer-name.y.test": dnsBoth})}, ask: "api a-longer-name"},

	{name: "SERVFAIL", servers: []dnstest.Zone{dnsAll(dnsFail)}, ask: dnsFew},
	{name: "REFUSED", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Refused)}, ask: dnsFew},
	{name: "NOTIMP", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.NotImp)}, ask: dnsFew},
	{name: "FORMERR", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.FormErr)}, ask: dnsOneName},
	{name: "another code", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Code(9))}, ask: dnsOneName},
	{name: "REFUSED without the question", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Bare(dnstest.Refused)), dnsWorld(dnsNX)}, ask: dnsFew},
	{name: "lame", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Lame)}, ask: dnsFew},
	{name: "lame with glue", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnsGlue)}, ask: dnsOneName},
	{name: "silence", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Silent)}, ask: dnsOneName},
	{name: "nobody listens", resolv: dnsSearch, servers: []dnstest.Zone{nil}, ask: dnsFew},
	{name: "records that end early", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnsOverrun)}, ask: dnsOneName},

	{name: "SERVFAIL, then a good one", servers: []dnstest.Zone{dnsAll(dnsFail), dnsWorld(dnsNX)}},
	{name: "REFUSED, then a good one", servers: []dnstest.Zone{dnsAll(dnstest.Refused), dnsWorld(dnsNX)}},
	{name: "NOTIMP, then a good one", servers: []dnstest.Zone{dnsAll(dnstest.NotImp), dnsWorld(dnsNX)}},
	{name: "FORMERR, then a good one", servers: []dnstest.Zone{dnsAll(dnstest.FormErr), dnsWorld(dnsNX)}, ask: dnsOneName},
	{name: "lame, then a good one", servers: []dnstest.Zone{dnsAll(dnstest.Lame), dnsWorld(dnsNX)}},
	{name: "silence, then a good one", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Silent), dnsWorld(dnsNX)}, ask: dnsFew},
	{name: "nobody, then a good one", servers: []dnstest.Zone{nil, dnsWorld(dnsNX)}},
	{name: "nobody, SERVFAIL, a good one", servers: []dnstest.Zone{nil, dnsAll(dnsFail), dnsWorld(dnsNX)}},
	{name: "NXDOMAIN is final", servers: []dnstest.Zone{dnsAll(dnsNX), dnsWorld(dnsNX)}, ask: "a.test. gone."},
	{name: "NODATA is final", servers: []dnstest.Zone{dnsAll(dnsNone), dnsWorld(dnsNX)}, ask: "a.test. gone."},
	{name: "a suffix fails, and the last server is gone", resolv: dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsFail, "api": dnsBoth}), nil}, ask: "api"},
	{name: "the root in a list after a failure", resolv: "search . x.test\noptions ndots:0\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api": dnstest.Refused, "api.x.test": dnsBoth})}, ask: "api"},
	{name: "SERVFAIL once", servers: []dnstest.Zone{dnsAll(dnstest.Seq(dnsFail, dnsBoth))}, ask: dnsOneName},
	{name: "a lost datagram", resolv: "options timeout:1 attempts:2\n", servers: []dnstest.Zone{dnsAll(dnstest.Seq(dnstest.Silent, dnsBoth))}, ask: dnsOneName},
	{name: "rotate", resolv: "options rotate\n", servers: []dnstest.Zone{dnsWorld(dnsNX), dnsWorld(dnsNX), dnsWorld(dnsNX)}},
	{name: "rotate around a bad one", anyCount: true, resolv: "options rotate\n", servers: []dnstest.Zone{dnsAll(dnsFail), dnsWorld(dnsNX)}, ask: "a.test v4.test v6.test none.test gone.test"},

	{name: "AAAA fails", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnsFail)), dnsAll(dnsBoth)}, ask: "a.test b.test."},
	{name: "AAAA is refused", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnstest.Refused))}, ask: "a.test b.test."},
	{name: "AAAA is lame", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnstest.Lame))}, ask: "a.test b.test."},
	{name: "AAAA does not exist", servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnsNX))}, ask: "a.test b.test."},
	{name: "AAAA is silent", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnstest.Silent))}, ask: dnsOneName},
	{name: "A fails", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsFail, dnsBoth))}, ask: "a.test b.test."},
	{name: "A is silent", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnstest.Silent, dnsBoth))}, ask: dnsOneName},
	{name: "A fails, AAAA says nothing", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsFail, dnsNone))}, ask: "a.test."},
	{name: "A fails, AAAA says nothing, another knows", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsFail, dnsNone)), dnsAll(dnsBoth)}, ask: "a.test."},
	{name: "A is silent, AAAA says nothing", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnstest.Silent, dnsNone))}, ask: "a.test."},
	{name: "A says nothing, AAAA fails", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsNone, dnsFail))}, ask: "a.test."},
	{name: "A does not exist, AAAA fails", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsNX, dnsFail))}, ask: "a.test."},
	{name: "two at once are one too many", resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Per(dnsBoth, dnstest.Seq(dnstest.Silent, dnsBoth)))}, ask: dnsOneName},

	{name: "an alias", servers: []dnstest.Zone{dnsAll(dnsAddrs("b.test", "192.0.2.1", "2001:db8::1"))}, ask: "a.test A.test. api"},
	{name: "a chain of aliases", servers: []dnstest.Zone{dnsAll(dnsAddrs("b.test", "c.test", "d.test", "e.test", "192.0.2.1"))}, ask: dnsOneName},
	{name: "an alias that leads nowhere", resolv: dnsSearch, servers: []dnstest.Zone{dnsAll(dnsAddrs("b.test"))}, ask: "a.test api"},
	{name: "an alias of itself", resolv: dnsSearch, servers: []dnstest.Zone{dnsAll(dnsAddrs("a.test", "a.test"))}, ask: dnsOneName},
	{name: "an alias behind", servers: []dnstest.Zone{dnsAll(dnsLate)}, ask: dnsOneName},
	{name: "addresses of another name", servers: []dnstest.Zone{dnsAll(dnsForeign)}, ask: dnsOneName},
	{name: "many addresses", servers: []dnstest.Zone{dnsAll(dnsAddrs("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"))}, ask: dnsOneName},
	{name: "more addresses than are kept", servers: []dnstest.Zone{dnsAll(dnsAddrs("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.9"))}, ask: dnsOneName},
	{name: "mapped addresses", servers: []dnstest.Zone{dnsAll(dnsAddrs("192.0.2.1", "::ffff:192.0.2.9"))}, ask: dnsOneName},
	{name: "a sinkhole", servers: []dnstest.Zone{dnsAll(dnsAddrs("0.0.0.0", "::"))}, ask: dnsOneName},
	{name: "forged answers first", servers: []dnstest.Zone{dnsAll(dnstest.After(dnsForged, dnsBoth))}, ask: "a.test api"},

	{name: "cut", servers: []dnstest.Zone{dnsAll(dnstest.Cut(dnsBoth))}, ask: dnsOneName},
	{name: "cut, not there", servers: []dnstest.Zone{dnsAll(dnstest.Cut(dnsNX))}, ask: "a.test."},
	{name: "cut in one family", servers: []dnstest.Zone{dnsAll(dnstest.Per(dnstest.Cut(dnsBoth), dnsBoth))}, ask: dnsOneName},
	{name: "cut, and TCP hangs up", anyCount: true, resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Cut(dnstest.Hangup))}, ask: dnsOneName},
	{name: "cut, and TCP hangs up, another knows", anyCount: true, resolv: dnsOnce, servers: []dnstest.Zone{dnsAll(dnstest.Cut(dnstest.Hangup)), dnsAll(dnsBoth)}, ask: dnsOneName},
	{name: "use-vc", resolv: "options use-vc\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "use-vc, nobody listens", resolv: "options use-vc\n", servers: []dnstest.Zone{nil}, ask: dnsOneName},
	{name: "use-vc, then a good one", resolv: "options use-vc\n", servers: []dnstest.Zone{nil, dnsWorld(dnsNX)}, ask: dnsFew},

	{name: "use-vc, SERVFAIL, then a good one", resolv: "options use-vc\n", servers: []dnstest.Zone{dnsAll(dnsFail), dnsWorld(dnsNX)}, ask: dnsOneName},

	{name: "edns0", resolv: "options edns0\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "edns0 gets FORMERR", resolv: "options edns0\n", servers: []dnstest.Zone{dnsAll(dnstest.EDNS(dnstest.FormErr, dnsBoth))}, ask: dnsOneName},
	{name: "edns0 gets silence", resolv: dnsOnce + "options edns0\n", servers: []dnstest.Zone{dnsAll(dnstest.EDNS(dnstest.Silent, dnsBoth))}, ask: dnsOneName},
	{name: "single-request", resolv: "options single-request\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "single-request-reopen", resolv: "options single-request-reopen\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "no-aaaa", resolv: "options no-aaaa\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}},
	{name: "trust-ad", resolv: "options trust-ad inet6 debug\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: dnsFew},

	{name: "hosts", hosts: "192.0.2.7 one.test One alias # not\n2001:db8::7\tsix.test\n192.0.2.8 one.test\n2001:db8::8 both.test\n192.0.2.9 both.test\r\n# 192.0.2.9 c.test\n192.0.2.300 bad.test\n192.0.2.9\nfe80::1%lo zone.test\n192.0.2.10 dot.test.\n",
		servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"one.test": dnsBoth, "dot.test": dnsBoth})},
		ask:     "one.test ONE.test one alias not one.test. six.test both.test c.test bad.test zone.test dot.test dot.test. a.test"},
	{name: "hosts without multi", hosts: "192.0.2.8 one.test\n192.0.2.9 one.test\n", hostconf: "multi off\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "hosts and search", resolv: dnsSearch, hosts: "192.0.2.7 api.x.test\n192.0.2.8 api\n", servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{"api.x.test": dnsBoth, "svc.x.test": dnsBoth})}, ask: "api api.x.test svc"},
	{name: "localhost", hosts: "127.0.0.1 localhost\n::1 localhost\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "localhost LOCALHOST"},
	{name: "localhost in nobody's file", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "localhost app.localhost localhost."},

	{name: "files only", nsswitch: "hosts: files\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "dns only", nsswitch: "hosts: dns\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "dns first", nsswitch: "hosts: dns files\n", hosts: "192.0.2.7 one.test\n192.0.2.7 a.test", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "dns first, which fails", resolv: dnsOnce, nsswitch: "hosts: dns files\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsAll(dnsFail)}, ask: "one.test a.test."},
	{name: "dns, which decides", nsswitch: "hosts: dns [!UNAVAIL=return] files\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "dns, which decides unless it fails", resolv: dnsOnce, nsswitch: "hosts: dns [!UNAVAIL=return] files\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsAll(dnsFail)}, ask: "one.test a.test."},
	{name: "files decide", nsswitch: "hosts: files [NOTFOUND=return] dns\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "nsswitch has a comment", nsswitch: "# hosts: files\n hosts:\tfiles dns # all\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},
	{name: "mdns4_minimal is not asked", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "a.test v4.test"},
	{name: "sources that do not run", nsswitch: "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n", hosts: "192.0.2.7 one.test\n", servers: []dnstest.Zone{dnsWorld(dnsNX)}, ask: "one.test a.test"},

	{name: "lengths", resolv: dnsSearch, servers: []dnstest.Zone{dnsWorld(dnsNX, dnstest.Zone{dnsLong + ".test": dnsBoth, dnsLong: dnsBoth})}, ask: dnsLong + ".test " + dnsLong + " " + dnsLong + "l.test " + strings.Repeat("a.", 126) + "a " + strings.Repeat("a.", 126) + "ab"},
	{name: "letters", servers: []dnstest.Zone{dnsAll(dnsBoth)}, ask: `foo-.test _x a_b.test -foo.test xn--a.test 1.test a--b.test`},
	{name: "letters that getaddrinfo refuses", servers: []dnstest.Zone{dnsAll(dnsBoth)}, ask: `a*b.test \xff.test a/b.test`},
	{name: "empty labels", resolv: dnsSearch, servers: []dnstest.Zone{dnsAll(dnsBoth)}, ask: "a..test .a.test a.test.. ."},
}
