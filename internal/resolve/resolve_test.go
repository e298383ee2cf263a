package resolve

import (
	"strings"
	"testing"

	"example.com/checker/internal/resolve/dnstest"
)

const quick = "options timeout:1 attempts:1\n"

// Each row is a set-up and what is found in it for both families. A row that stands
// for one of the catalogue of names bears its number.
func TestLookup(t *testing.T) {
	v4, v6 := "192.0.2.1", "2001:db8::1"
	both := addrs(v4, v6)
	for _, tt := range []struct {
		test          string
		resolv, hosts string
		nsswitch      string
		servers       []zone
		name          string
		want4, want6  string
		asked         string // of the first server; "" if it does not matter, "-" for nothing
	}{
		{test: "both families", servers: []zone{{"a.test": both}}, name: "a.test", want4: v4, want6: v6, asked: "A a.test, AAAA a.test"},
		{test: "upper case is asked as it is", servers: []zone{{"a.test": both}}, name: "A.Test", want4: v4, want6: v6},
		{test: "one family", servers: []zone{{"a.test": addrs(v6)}}, name: "a.test", want4: "no address", want6: v6},
		{test: "no such name", servers: []zone{{"*": nxdomain}}, name: "a.test.", want4: "not found", want6: "not found", asked: "A a.test, AAAA a.test"},
		{test: "no data", servers: []zone{{"*": nodata}}, name: "a.test.", want4: "no address", want6: "no address"},
		{test: "aliases", servers: []zone{{"a.test": addrs("b.test", "c.test", v4, v6)}}, name: "a.test", want4: v4, want6: v6},
		{test: "an alias without addresses", resolv: "search x.test", servers: []zone{{"a.test": addrs("b.test"), "a.test.x.test": both}}, name: "a.test", want4: "no address", want6: "no address", asked: "A a.test, AAAA a.test"},
		{test: "an alias of itself", servers: []zone{{"a.test": addrs("a.test", "a.test", v4)}}, name: "a.test", want4: v4, want6: "no address"},
		{test: "a mapped address", servers: []zone{{"a.test": addrs("::ffff:192.0.2.9")}}, name: "a.test", want4: "no address", want6: "192.0.2.9"},
		{test: "ten addresses", servers: []zone{{"a.test": addrs(strings.Fields(strings.Repeat(v4+" ", 10))...)}}, name: "a.test.", want4: strings.TrimSpace(strings.Repeat(v4+" ", maxAddrs)), want6: "no address"},

		{test: "a thousand addresses", servers: []zone{{"a.test": addrs(strings.Fields(strings.Repeat(v4+" ", 1000))...)}}, name: "a.test", want4: strings.TrimSpace(strings.Repeat(v4+" ", maxAddrs)), want6: "no address", asked: "A a.test, AAAA a.test"},

		{test: "SERVFAIL", resolv: quick, servers: []zone{{"*": servfail}}, name: "a.test.", want4: "SERVFAIL", want6: "SERVFAIL", asked: "A a.test, AAAA a.test"},
		{test: "SERVFAIL in two rounds", servers: []zone{{"*": servfail}}, name: "a.test.", want4: "SERVFAIL", want6: "SERVFAIL", asked: "A a.test, AAAA a.test, A a.test, AAAA a.test"},
		{test: "SERVFAIL, next server", servers: []zone{{"*": servfail}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "REFUSED, next server", servers: []zone{{"*": refused}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "NOTIMP, next server", servers: []zone{{"*": dnstest.NotImp}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "FORMERR, next server", servers: []zone{{"*": dnstest.FormErr}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "lame, next server", servers: []zone{{"*": dnstest.Lame}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "silence, next server", resolv: quick, servers: []zone{{"*": silent}, {"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "an unknown code", resolv: quick, servers: []zone{{"*": dnstest.Code(9)}}, name: "a.test.", want4: "other code", want6: "other code"},
		{test: "lame", resolv: quick, servers: []zone{{"*": dnstest.Lame}}, name: "a.test.", want4: "lame", want6: "lame"},
		{test: "silence", resolv: quick, servers: []zone{{"*": silent}}, name: "a.test.", want4: "silent", want6: "silent"},
		{test: "NXDOMAIN is final", servers: []zone{{"*": nxdomain}, {"*": both}}, name: "a.test.", want4: "not found", want6: "not found"},

		{test: "O1: AAAA fails", servers: []zone{{"*": per(addrs(v4), servfail)}, {"*": both}}, name: "a.test", want4: v4, want6: "SERVFAIL", asked: "A a.test, AAAA a.test"},
		{test: "O1: AAAA is lame", servers: []zone{{"*": per(addrs(v4), dnstest.Lame)}}, name: "a.test", want4: v4, want6: "lame", asked: "A a.test, AAAA a.test"},
		{test: "O2: AAAA is silent", resolv: quick, servers: []zone{{"*": per(addrs(v4), silent)}}, name: "a.test", want4: v4, want6: "silent"},
		{test: "A fails, AAAA says nothing", servers: []zone{{"*": per(servfail, nodata)}, {"*": both}}, name: "a.test.", want4: v4, want6: "no address"},
		{test: "a server that minds two at once", resolv: quick, servers: []zone{{"*": per(both, dnstest.Seq(silent, both))}}, name: "a.test", want4: v4, want6: v6, asked: "A a.test, AAAA a.test, AAAA a.test"},

		{test: "O3: in the hosts file", hosts: "192.0.2.7 here.test\n", servers: []zone{{"*": both}}, name: "Here.Test", want4: "192.0.2.7", want6: "no address", asked: "-"},
		{test: "O3: aliases and lines", hosts: "192.0.2.7 x here # c\n2001:db8::7\ty\tHERE\r\n", servers: []zone{{"*": both}}, name: "here", want4: "192.0.2.7", want6: "2001:db8::7", asked: "-"},
		{test: "a dot at the end is not in the hosts file", hosts: "192.0.2.7 here.test\n", servers: []zone{{"*": both}}, name: "here.test.", want4: v4, want6: v6},
		{test: "a sinkhole in the hosts file", hosts: "0.0.0.0 here.test\n", servers: []zone{{"*": both}}, name: "here.test", want4: "sinkhole", want6: "no address", asked: "-"},

		{test: "O4: a hyphen at the end", servers: []zone{{"foo-.test": both}}, name: "foo-.test", want4: v4, want6: v6},
		{test: "O4: an underscore", servers: []zone{{"_x": both}}, name: "_x", want4: v4, want6: v6},
		{test: "O4: any bytes", servers: []zone{{"\xff *.test": both}}, name: "\xff *.test", want4: v4, want6: v6},
		{test: "O4: 63 bytes", servers: []zone{{strings.Repeat("a", 63) + ".test": both}}, name: strings.Repeat("a", 63) + ".test", want4: v4, want6: v6},
		{test: "O4: 64 bytes", servers: []zone{{"*": both}}, name: strings.Repeat("a", 64) + ".test", want4: "invalid name", want6: "invalid name", asked: "-"},
		{test: "an empty label", servers: []zone{{"*": both}}, name: "a..test", want4: "invalid name", want6: "invalid name", asked: "-"},
		{test: "no name", servers: []zone{{"*": both}}, name: "", want4: "invalid name", want6: "invalid name", asked: "-"},
		{test: "the root", servers: []zone{{"*": both}}, name: ".", want4: "invalid name", want6: "invalid name", asked: "-"},
		{test: "254 bytes", servers: []zone{{"*": both}}, name: strings.Repeat("a.", 127), want4: v4, want6: v6},
		{test: "255 bytes", servers: []zone{{"*": both}}, name: strings.Repeat("a.", 127) + "a", want4: "invalid name", want6: "invalid name", asked: "-"},

		{test: "O5: localhost", servers: []zone{{"*": both}}, name: "localhost", want4: "127.0.0.1", want6: "::1", asked: "-"},
		{test: "O5: below it", servers: []zone{{"*": both}}, name: "app.LOCALHOST.", want4: "127.0.0.1", want6: "::1", asked: "-"},
		{test: "O5: the hosts file says elsewhere", hosts: "192.0.2.7 localhost\n", servers: []zone{{"*": both}}, name: "localhost", want4: "127.0.0.1", want6: "::1", asked: "-"},
		{test: "O5: the hosts file says where", hosts: "127.0.0.7 app.localhost\n", servers: []zone{{"*": both}}, name: "app.localhost", want4: "127.0.0.7", want6: "no address", asked: "-"},
		{test: "an address", servers: []zone{{"*": both}}, name: "2001:db8::7", want4: "no address", want6: "2001:db8::7", asked: "-"},

		{test: "O10: 0.0.0.0", servers: []zone{{"*": addrs("0.0.0.0", "::")}}, name: "a.test", want4: "sinkhole", want6: "sinkhole"},
		{test: "O10: and another", servers: []zone{{"*": addrs("0.0.0.0", v4)}}, name: "a.test", want4: v4, want6: "no address"},

		{test: "TCP", servers: []zone{{"*": dnstest.Cut(both)}}, name: "a.test", want4: v4, want6: v6},
		{test: "TCP for one", servers: []zone{{"*": per(dnstest.Cut(both), both)}}, name: "a.test", want4: v4, want6: v6},
		{test: "TCP fails", resolv: quick, servers: []zone{{"*": dnstest.Cut(dnstest.Hangup)}}, name: "a.test.", want4: "unreachable", want6: "unreachable"},
		{test: "use-vc", resolv: "options use-vc", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6, asked: "A a.test tcp, AAAA a.test tcp"},
		{test: "use-vc, one question a connection", resolv: "options use-vc", servers: []zone{{"*": per(func(q *query) [][]byte { return append(both(q), nil) }, both)}}, name: "a.test", want4: v4, want6: v6},
		{test: "another protocol on TCP", resolv: quick + "options use-vc", servers: []zone{{"*": func(*query) [][]byte { return [][]byte{[]byte("TTP/1.1 400 Bad Request"), nil} }}}, name: "a.test.", want4: "unreachable", want6: "unreachable"},

		{test: "single-request", resolv: "options single-request", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "single-request, A fails", resolv: quick + "options single-request", servers: []zone{{"*": servfail}}, name: "a.test.", want4: "SERVFAIL", want6: "SERVFAIL", asked: "A a.test"},
		{test: "single-request-reopen", resolv: "options single-request-reopen", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "no-aaaa", resolv: "options no-aaaa", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: "no address", asked: "A a.test"},

		{test: "only files", nsswitch: "hosts: files", servers: []zone{{"*": both}}, name: "a.test", want4: "not found", want6: "not found", asked: "-"},
		{test: "dns first", nsswitch: "hosts: dns files", hosts: "192.0.2.7 a.test", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "dns first, and not there", nsswitch: "hosts: dns files", hosts: "192.0.2.7 a.test", servers: []zone{{"*": nxdomain}}, name: "a.test", want4: "192.0.2.7", want6: "no address"},
		{test: "dns decides", nsswitch: "hosts: dns [!UNAVAIL=return] files", hosts: "192.0.2.7 a.test", servers: []zone{{"*": nxdomain}}, name: "a.test.", want4: "not found", want6: "not found"},
		{test: "dns decides unless it fails", resolv: quick, nsswitch: "hosts: dns [!UNAVAIL=return] files", hosts: "192.0.2.7 a.test", servers: []zone{{"*": servfail}}, name: "a.test", want4: "192.0.2.7", want6: "no address"},
		{test: "dns fails, files has nothing", resolv: quick, nsswitch: "hosts: dns files", servers: []zone{{"*": servfail}}, name: "a.test.", want4: "SERVFAIL", want6: "SERVFAIL"},
		{test: "O9: .local", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns", servers: []zone{{"*": nxdomain}}, name: "printer.local", want4: "unsupported source", want6: "unsupported source", asked: "-"},
		{test: "O9: .local that nobody asks for", servers: []zone{{"*": nxdomain}}, name: "printer.local", want4: "unsupported source", want6: "unsupported source", asked: "A printer.local, AAAA printer.local"},
		{test: "O9: .local in DNS", servers: []zone{{"*": both}}, name: "printer.local", want4: v4, want6: v6},
		{test: "O9: found by the system", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns", servers: []zone{{"*": nxdomain}}, name: "nas.local", want4: "192.0.2.8", want6: "no address", asked: "-"},
		{test: "O9: a private domain", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns", servers: []zone{{"*": both}}, name: "api.default.svc.cluster.local", want4: v4, want6: v6},
		{test: "O9: not in a private domain", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns", servers: []zone{{"*": nxdomain}}, name: "api.default.svc.cluster.local", want4: "not found", want6: "not found"},
		{test: "O9: not .local", nsswitch: "hosts: files mdns4_minimal [NOTFOUND=return] dns", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "O9: what another source may know", nsswitch: "hosts: files dns libvirt", servers: []zone{{"*": nxdomain}}, name: "a.test.", want4: "unsupported source", want6: "unsupported source"},
		{test: "O9: found behind it", nsswitch: "hosts: files libvirt dns", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "O9: found neither before nor behind", nsswitch: "hosts: files libvirt dns", servers: []zone{{"*": nxdomain}}, name: "a.test.", want4: "unsupported source", want6: "unsupported source"},
		{test: "O9: found before", nsswitch: "hosts: files dns libvirt", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "O9: a service that is not there", nsswitch: "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns", servers: []zone{{"*": both}}, name: "a.test", want4: v4, want6: v6},
		{test: "O9: the gateway", nsswitch: "hosts: files myhostname dns", servers: []zone{{"*": both}}, name: "_gateway", want4: "unsupported source", want6: "unsupported source", asked: "-"},
	} {
		t.Run(tt.test, func(t *testing.T) {
			t.Parallel()
			w := world{resolv: tt.resolv, hosts: tt.hosts, nsswitch: tt.nsswitch, system: map[string]string{"nas.local": "192.0.2.8"}}
			for _, z := range tt.servers {
				w.servers = append(w.servers, dnstest.Serve(t, z))
			}
			a4, a6 := look(t, w.resolver(t), tt.name)
			if say(a4) != tt.want4 || say(a6) != tt.want6 {
				t.Errorf("Lookup(%q) = %v, %v; want %s, %s\n%v, %v", tt.name, say(a4), say(a6), tt.want4, tt.want6, a4.Err, a6.Err)
			}
			asked := strings.Join(w.servers[0].Asked(), ", ")
			if asked == "" {
				asked = "-"
			}
			if tt.asked != "" && asked != tt.asked {
				t.Errorf("Lookup(%q) asked %s; want %s", tt.name, asked, tt.asked)
			}
		})
	}
}
