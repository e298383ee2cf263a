package resolve

import (
	"slices"
	"strings"
	"testing"

	"example.com/checker/internal/resolve/dnstest"
)

const cluster = "search default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5 timeout:1 attempts:1\n"

// O6: names inside a cluster are found, whatever is said of those outside.
func TestSearchListOfACluster(t *testing.T) {
	names := map[string]string{ // by what they stand for
		"api":             "api.default.svc.cluster.local",
		"api.default":     "api.default.svc.cluster.local",
		"api.default.svc": "api.default.svc.cluster.local",
		"web.prod.svc":    "web.prod.svc.cluster.local",
	}
	for said, outside := range map[string]reply{"SERVFAIL": servfail, "REFUSED": refused, "silence": silent} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			f := dnstest.Serve(t, zone{"*": func(q *query) [][]byte {
				for _, full := range names {
					if q.Name() == full {
						return addrs("192.0.2.1")(q)
					}
				}
				if strings.HasSuffix(q.Name(), ".cluster.local") {
					return nxdomain(q)
				}
				return outside(q)
			}})
			r := world{resolv: cluster, servers: []*dnstest.Server{f}}.resolver(t)
			for name, full := range names {
				a4, _ := look(t, r, name)
				if say(a4) != "192.0.2.1" {
					t.Errorf("Lookup(%q) = %v; want the address of %s", name, say(a4), full)
				}
			}
			a4, _ := look(t, r, "example.com")
			if a4.Err == nil || !why(a4).Kind.Failed() {
				t.Errorf("Lookup of a name outside = %v; want a failure", say(a4))
			}
		})
	}
}

// O7: a suffix that fails, even once and in one family, is never not found.
func TestFailureOnTheWay(t *testing.T) {
	for _, tt := range []struct {
		test, name string
		zone       zone
		want       Kind
	}{
		{"SERVFAIL", "api", zone{"api.a.test": servfail}, ServFail},
		{"REFUSED", "api", zone{"api.a.test": refused}, Refused},
		{"silence", "api", zone{"api.a.test": silent}, Silent},
		{"the last suffix", "api", zone{"api.b.test": servfail}, ServFail},
		{"after the name itself", "dead.example", zone{"dead.example.b.test": servfail}, ServFail},
		{"the name itself", "dead.example", zone{"dead.example": servfail}, ServFail},
	} {
		t.Run(tt.test, func(t *testing.T) {
			t.Parallel()
			tt.zone["*"] = nxdomain
			r := world{resolv: quick + "search a.test b.test", servers: []*dnstest.Server{dnstest.Serve(t, tt.zone)}}.resolver(t)
			a4, a6 := look(t, r, tt.name)
			if a4.Err == nil || a6.Err == nil || why(a4).Kind != tt.want || why(a6).Kind != tt.want {
				t.Errorf("Lookup(%q) = %v, %v; want %v", tt.name, say(a4), say(a6), tt.want)
			}
		})
	}
	r := world{resolv: quick + "search a.test", servers: []*dnstest.Server{dnstest.Serve(t, zone{"x.a.test": per(nxdomain, servfail), "*": nxdomain})}}.resolver(t)
	if a4, a6 := look(t, r, "x"); why(a4).Kind != NotFound || why(a6).Kind != ServFail {
		t.Errorf("with a failure in one family = %v, %v; want not found and SERVFAIL", say(a4), say(a6))
	}
}

// The order in which names are asked for is that of the GNU C library.
func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		test, resolv, name string
		zone               zone
		want               string // asked for
		kind               Kind
	}{
		{"few dots", "search a.test b.test", "x", nil, "x.a.test x.b.test x", NotFound},
		{"dots enough", "search a.test b.test", "x.y", nil, "x.y x.y.a.test x.y.b.test", NotFound},
		{"a dot at the end", "search a.test b.test", "x.", nil, "x", NotFound},
		{"ndots", "search a.test\noptions ndots:2", "x.y", nil, "x.y.a.test x.y", NotFound},
		{"ndots of 0", "search a.test\noptions ndots:0", "x", nil, "x x.a.test", NotFound},
		{"the last search counts", "search a.test\nsearch b.test", "x", nil, "x.b.test x", NotFound},
		{"domain", "domain a.test b.test", "x", nil, "x.a.test x", NotFound},
		{"the root in the list", "search a.test . b.test", "x", nil, "x.a.test x x.b.test", NotFound},
		{"a dot at a suffix's end", "search a.test.", "x", nil, "x.a.test x", NotFound},
		{"no-tld-query", "search a.test\noptions no-tld-query", "x", nil, "x.a.test", NotFound},
		{"found ends it", "search a.test b.test", "x", zone{"x.a.test": addrs("192.0.2.1")}, "x.a.test", 0},
		{"nodata does not", "search a.test b.test", "x", zone{"x.a.test": nodata}, "x.a.test x.b.test x", NoAddress},
		{"an alias does", "search a.test b.test", "x", zone{"x.a.test": addrs("y.test")}, "x.a.test", NoAddress},
		{"SERVFAIL does not", "search a.test b.test", "x", zone{"x.a.test": servfail}, "x.a.test x.b.test x", ServFail},
		{"REFUSED ends the list", "search a.test b.test", "x", zone{"x.a.test": refused}, "x.a.test x", Refused},
		{"a suffix that is too long ends the list", "search " + strings.Repeat("a.", 126) + "a b.test", "x", nil, "x", NotFound},
		{"the name itself says whether it is there", "search a.test", "x.y", zone{"x.y.a.test": nodata}, "x.y x.y.a.test", NotFound},
	} {
		t.Run(tt.test, func(t *testing.T) {
			t.Parallel()
			if tt.zone == nil {
				tt.zone = zone{}
			}
			tt.zone["*"] = nxdomain
			f := dnstest.Serve(t, tt.zone)
			r := world{resolv: "options attempts:1\n" + tt.resolv, servers: []*dnstest.Server{f}}.resolver(t)
			a4, _ := look(t, r, tt.name)
			var asked []string
			for _, q := range f.Asked() {
				if name, ok := strings.CutPrefix(q, "A "); ok {
					asked = append(asked, name)
				}
			}
			if got := strings.Join(asked, " "); got != tt.want {
				t.Errorf("Lookup(%q) asked for %s; want %s", tt.name, got, tt.want)
			}
			switch {
			case tt.kind == 0 && a4.Err != nil, tt.kind != 0 && (a4.Err == nil || why(a4).Kind != tt.kind):
				t.Errorf("Lookup(%q) = %v; want %v", tt.name, say(a4), tt.kind)
			case a4.Err != nil && !slices.Equal(why(a4).Asked, asked):
				t.Errorf("Lookup(%q) says that it asked for %v; want %v", tt.name, why(a4).Asked, asked)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	zone := zone{"*": addrs("192.0.2.1")}
	w := world{resolv: "options rotate", servers: []*dnstest.Server{dnstest.Serve(t, zone), dnstest.Serve(t, zone), dnstest.Serve(t, zone)}}
	r := w.resolver(t)
	for range 6 {
		look(t, r, "a.test")
	}
	for i, f := range w.servers {
		if n := len(f.Asked()); n != 4 {
			t.Errorf("server %d had %d questions of 6 lookups; want 4", i, n)
		}
	}
}

// Without a resolver there is nobody to ask for the next suffix either.
func TestNoResolver(t *testing.T) {
	gone := dnstest.Server{Addr: unused(t)}
	r := world{resolv: "search a.test b.test", servers: []*dnstest.Server{&gone}}.resolver(t)
	a4, a6 := look(t, r, "x")
	if why(a4).Kind != Unreachable || why(a6).Kind != Unreachable || len(why(a4).Asked) != 1 {
		t.Errorf("Lookup = %v, %v after asking for %v; want unreachable after one name", a4.Err, a6.Err, why(a4).Asked)
	}
}
