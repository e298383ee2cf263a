package resolve

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/checker/internal/emulator"
)

func noEnv(string) string { return "" }

func TestParseResolvConf(t *testing.T) {
	local := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	for _, tt := range []struct {
		text string
		want func(c *resolvConf)
	}{
		{"", func(*resolvConf) {}},
		{"nameserver 192.0.2.1\r\nnameserver\t192.0.2.2 # no\nnameserver fe80::1%lo\nnameserver 192.0.2.4\n", func(c *resolvConf) {
			c.servers = []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("fe80::1%lo")}
		}},
		{"nameserver 127.1", func(*resolvConf) {}},
		{"nameserver 0x7f.0.0.01", func(*resolvConf) {}},
		{"nameserver 127.0.0.9x\nnameserver\n nameserver 192.0.2.1\nnameserver: 192.0.2.1", func(*resolvConf) {}},
		{"#nameserver 192.0.2.1\n;search a.test\n", func(*resolvConf) {}},
		{"search a.test b.test.\t.c.test  \n", func(c *resolvConf) { c.search = []string{"a.test", "b.test", "c.test"} }},
		{"search a.test\ndomain b.test c.test\nsearch\nsearch \n", func(c *resolvConf) { c.search = []string{"b.test"} }},
		{"options ndots:5 timeout:9 attempts:3", func(c *resolvConf) { c.ndots, c.timeout, c.attempts = 5, 9, 3 }},
		{"options ndots:99 timeout:99 attempts:99", func(c *resolvConf) { c.ndots, c.timeout, c.attempts = 15, 30, 5 }},
		{"options ndots:x timeout:0 attempts:0", func(c *resolvConf) { c.ndots, c.timeout, c.attempts = 0, 1, 1 }},
		{"options rotate edns0 use-vc\noptions no-aaaa single-request", func(c *resolvConf) {
			c.rotate, c.edns, c.useTCP, c.noAAAA, c.single = true, true, true, true, true
		}},
		{"options rotate -rotate single-request-reopen no-tld-query trust-ad unknown", func(c *resolvConf) { c.reopen, c.noTLD = true, true }},
	} {
		want := &resolvConf{servers: local, ndots: 1, timeout: 5, attempts: 2}
		tt.want(want)
		if got := parseResolvConf([]byte(tt.text), "host", noEnv); !reflect.DeepEqual(got, want) {
			t.Errorf("parseResolvConf(%q) = %+v; want %+v", tt.text, got, want)
		}
	}
	env := func(key string) string {
		return map[string]string{"LOCALDOMAIN": "x.test y.test", "RES_OPTIONS": "ndots:3"}[key]
	}
	got := parseResolvConf([]byte("search a.test\noptions ndots:1"), "host.example.com", env)
	if fmt.Sprint(got.search) != "[x.test y.test]" || got.ndots != 3 {
		t.Errorf("with an environment: %v, ndots %d; want that", got.search, got.ndots)
	}
	if got := parseResolvConf(nil, "host.example.com", noEnv).search; fmt.Sprint(got) != "[example.com]" {
		t.Errorf("the search list of host.example.com is %v; want its domain", got)
	}
}

// The time that a server has is that of the GNU C library.
func TestPatience(t *testing.T) {
	c := parseResolvConf([]byte("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"), "", noEnv)
	for i, want := range []time.Duration{5, 3, 6} {
		if got := c.patience(i); got != want*time.Second {
			t.Errorf("server %d has %v; want %ds", i, got, want)
		}
	}
	c.timeout = 1
	for i := range 3 {
		if got := c.patience(i); got != time.Second {
			t.Errorf("server %d has %v; want 1s", i, got)
		}
	}
}

func TestParseNSSwitch(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "files dns"},
		{"passwd: files\nhosts: dns files\n", "dns files"},
		{"  hosts :files dns # myhostname", "files dns"},
		{"hosts: files", "files"},
		{"hosts:\n", "files dns"},
		{"hosts: files [", "files dns"},
		{"hosts: files [NOTFOUND=stop] dns", "files dns"},
		{"hosts: [NOTFOUND=return] files", "files dns"},
		{"hosts: files [NOTFOUND=return] dns", "files(notfound) dns"},
		{"hosts: dns [ !UNAVAIL = Return ] files", "dns(notfound tryagain) files"},
		{"hosts: dns[unavail=return TRYAGAIN=return]files", "dns(unavail tryagain) files"},
		{"hosts: resolve [!UNAVAIL=return] files", "resolve(notfound tryagain) files"},
	} {
		var got []string
		for _, src := range parseNSSwitch([]byte(tt.text)) {
			var last []string
			for st, name := range map[status]string{notFound: "notfound", unavail: "unavail", tryAgain: "tryagain"} {
				if src.last[st] {
					last = append(last, name)
				}
			}
			s := src.name
			if len(last) == 2 && (last[0] == "tryagain" || last[1] == "notfound" || last[1] == "unavail") {
				last[0], last[1] = last[1], last[0]
			}
			if last != nil {
				s += "(" + strings.Join(last, " ") + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("parseNSSwitch(%q) = %s; want %s", tt.text, s, tt.want)
		}
	}
}

// Names are bytes, of which the letters of ASCII have two cases.
func TestLower(t *testing.T) {
	for s, want := range map[string]string{"": "", "A": "a", "Z": "z", "aAzZ": "aazz", "@[`{": "@[`{", "B@[": "b@[", "ÄA\xffZ": "Äa\xffz"} {
		if got := lower(s); got != want {
			t.Errorf("lower(%q) = %q; want %q", s, got, want)
		}
	}
}

func TestParseHosts(t *testing.T) {
	h := parseHosts([]byte("192.0.2.1 a b # c\n\t2001:db8::1\tA\n#192.0.2.2 a\n192.0.2.3\n192.0.2.300 a\nfe80::1%lo a\n192.0.2.4 d\r\n192.0.2.5 e.test. \vf"))
	for name, want := range map[string]string{
		"a": "[192.0.2.1 2001:db8::1]", "b": "[192.0.2.1]", "c": "[]", "#": "[]", "d": "[192.0.2.4]", "e.test": "[]", "e.test.": "[192.0.2.5]", "f": "[192.0.2.5]",
	} {
		if got := fmt.Sprint(h[name]); got != want {
			t.Errorf("hosts[%q] = %s; want %s", name, got, want)
		}
	}
	var many strings.Builder
	for i := range 4 * maxAddrs {
		fmt.Fprintf(&many, "192.0.2.%d many.test\n", i)
	}
	if got := len(parseHosts([]byte(many.String()))["many.test"]); got != 2*maxAddrs { // as many in each family
		t.Errorf("of %d addresses of a name %d are kept; want %d", 4*maxAddrs, got, 2*maxAddrs)
	}
}

// Files are read again when they change, and not otherwise.
func TestFilesChange(t *testing.T) {
	emulator.Skip(t, emulator.Wine, "files in a folder of t.TempDir cannot be removed again")
	r := world{hosts: "192.0.2.1 a.test\n", nsswitch: "hosts: files", resolv: "search x.test"}.resolver(t)
	again := func() *conf {
		r.files.looked = time.Time{}
		c, err := r.files.current()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := again()
	if after := again(); reflect.ValueOf(after.hosts).Pointer() != reflect.ValueOf(before.hosts).Pointer() || after.resolvConf != before.resolvConf {
		t.Errorf("files that have not changed were read again")
	}
	if err := os.WriteFile(r.files.Hosts, []byte("192.0.2.22 a.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a4, _ := look(t, r, "a.test"); say(a4) != "192.0.2.1" {
		t.Errorf("Lookup within a second = %v; want what was read", say(a4))
	}
	again()
	if a4, _ := look(t, r, "a.test"); say(a4) != "192.0.2.22" {
		t.Errorf("Lookup = %v; want what the file says now", say(a4))
	}
	os.Remove(r.files.Hosts)
	if !again().noHosts {
		t.Errorf("the hosts file is gone, and nobody knows")
	}
}

func TestHolds(t *testing.T) {
	emulator.Skip(t, emulator.Wine, "files in a folder of t.TempDir cannot be removed again")
	dir := t.TempDir()
	for name, want := range map[string]bool{"": true, "empty": false, "none": false, "file": false} {
		os.Mkdir(filepath.Join(dir, "empty"), 0o700)
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)
		if got := holds(filepath.Join(dir, name)); got != want {
			t.Errorf("holds(%q) = %t; want %t", name, got, want)
		}
	}
}

func TestIsLocalhost(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "a.b.localhost": true, ".localhost": true,
		"": false, ".": false, "localhost..": false, "xlocalhost": false, "localhost.test": false, "ocalhost": false,
	} {
		if got := isLocalhost(name); got != want {
			t.Errorf("isLocalhost(%q) = %t; want %t", name, got, want)
		}
	}
}
