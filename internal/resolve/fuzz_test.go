package resolve

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker/internal/resolve/dnstest"
)

// Whatever bytes come, reading them ends, and what is believed holds.
func FuzzAnswer(f *testing.F) {
	var q question
	setName(&q.name, "a.test")
	q.typ = dnsmessage.TypeA
	q.pack(0x1234)
	asked := &query{Raw: q.plain, UDP: true}
	if err := asked.Unpack(q.plain); err != nil {
		f.Fatal(err)
	}
	for _, r := range []reply{
		addrs("192.0.2.1", "192.0.2.2"), addrs("b.test", "192.0.2.1"), addrs("0.0.0.0"), nodata, nxdomain, servfail, refused, dnstest.Lame, dnstest.Cut(nodata),
	} {
		f.Add(r(asked)[0])
		f.Add(r(asked)[0][:14])
	}
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if q.answers(msg) && (len(msg) < 3 || msg[2]&0x80 == 0) {
			t.Errorf("%q is taken for an answer", msg)
		}
		for _, typ := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
			q := q
			q.typ = typ
			var a answer
			kind := a.read(msg, &q, false)
			if kind != 0 && kind != cut && !kind.Failed() || a.n > maxAddrs || len(msg) < headerLen && kind == 0 {
				t.Errorf("read(%q) = %v with %d addresses", msg, kind, a.n)
			}
			if a.n > 0 && a.ttl < 0 || a.ttl > 1<<31*time.Second {
				t.Errorf("read(%q) has a TTL of %v", msg, a.ttl)
			}
			for _, addr := range a.addrs() {
				if !addr.IsValid() || addr.IsUnspecified() || addr.Is4In6() || typ == dnsmessage.TypeA && !addr.Is4() {
					t.Errorf("read(%q) has the address %v", msg, addr)
				}
			}
		}
	})
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nsearch a.test b.test\noptions ndots:5 timeout:1 attempts:1 rotate\n")
	f.Add("domain a.test\nnameserver fe80::1%lo\nnameserver 0x7f.1\noptions -rotate\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseResolvConf([]byte(text), "host.test", noEnv)
		if n := len(c.servers); n < 1 || n > maxServers {
			t.Errorf("%d servers", n)
		}
		if c.ndots < 0 || c.ndots > maxNdots || c.timeout < 1 || c.timeout > maxTimeout || c.attempts < 1 || c.attempts > maxAttempts {
			t.Errorf("ndots %d, timeout %d, attempts %d", c.ndots, c.timeout, c.attempts)
		}
		for i := range c.servers {
			if p := c.patience(i); p < time.Second || p > 120*time.Second {
				t.Errorf("server %d has %v", i, p)
			}
		}
	})
}

func FuzzNSSwitch(f *testing.F) {
	f.Add("hosts: files mdns4_minimal [NOTFOUND=return] dns")
	f.Add("hosts: resolve [!UNAVAIL=return SUCCESS=merge] files")
	f.Fuzz(func(t *testing.T, text string) {
		sources := parseNSSwitch([]byte(text))
		if len(sources) == 0 {
			t.Errorf("no sources")
		}
		for _, src := range sources {
			if src.name == "" || strings.ContainsAny(src.name, " \t[\n") {
				t.Errorf("a source is called %q", src.name)
			}
		}
	})
}

func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 localhost ip6-localhost # c\n192.0.2.1\tA b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name, all := range parseHosts([]byte(text)) {
			if name != lower(name) || strings.ContainsFunc(name, isSpace) || len(all) == 0 || len(all) > 2*maxAddrs {
				t.Errorf("%q has %v", name, all)
			}
			for _, addr := range all {
				if addr == (netip.Addr{}) || addr.Zone() != "" {
					t.Errorf("%q has %v", name, addr)
				}
			}
		}
	})
}
