package faults_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

func TestFaultsTarget(t *testing.T) {
	invalid := func(name, target string) fault {
		return fault{name: name, target: target, reason: checker.ReasonInvalid, phase: checker.PhaseTarget, also: dials()}
	}
	good := func(name, target, url string) fault {
		return fault{
			name: name, target: target, status: 200, site: hostile.Respond(hostile.OK), also: decidedBy("HEAD", url),
			net: func(n *hostile.Net) {
				for _, name := range []string{"xn--bcher-kva.test", "xn--zca.test", "foo_bar.test", "xn--f_o-sna.test", "xn--a.test", "-a-.test", "evil.test", "good.test"} {
					n.Name(name, siteAddr)
				}
			},
		}
	}
	label64 := strings.Repeat("a", 64)
	rows := []fault{
		invalid("A1 blanks", " \t\r\n"),
		good("A2 CR at the end", "http://site.test/\r", "http://site.test/"),
		good("A2 byte order mark", "\ufeffhttp://site.test/", "http://site.test/"),
		good("A3 bare host", "site.test", "http://site.test/"),
		good("A3 bare host with port and path", "site.test:80/x", "http://site.test/x"),
		good("A5 upper case", "HTTP://SITE.test/", "http://site.test/"),
		good("A8 port", "http://site.test:80", "http://site.test/"),
		good("A9 userinfo", "http://u:p@site.test/", "http://site.test/"),
		good("A9 userinfo that looks like a host", "http://good.test@evil.test/", "http://evil.test/"),
		good("A10 IDN", "http://bücher.test/", "http://xn--bcher-kva.test/"),
		good("A10 wide letters", "http://ＢÜcher.test/", "http://xn--bcher-kva.test/"),
		good("A10 ideographic full stop", "http://bücher。test/", "http://xn--bcher-kva.test/"),
		good("A10 sharp s", "http://ß.test/", "http://xn--zca.test/"),
		good("A12 underscore", "http://foo_bar.test/", "http://foo_bar.test/"),
		good("A12 underscore in an IDN", "http://fö_o.test/", "http://xn--f_o-sna.test/"),
		good("A18 no escape", "http://site.test/%zz", "http://site.test/%zz"),
		good("A18 space", "http://site.test/a b?c d", "http://site.test/a%20b?c%20d"),
		good("A18 UTF-8", "http://site.test/ü", "http://site.test/%C3%BC"),
		good("O4 an A-label that encodes nothing", "http://xn--a.test/", "http://xn--a.test/"),
		good("O4 hyphens", "http://-a-.test/", "http://-a-.test/"),
		good("Q5 dot segments", "http://site.test/../a.html", "http://site.test/a.html"),
		good("Q5 encoded dot segments", "http://site.test/docs/%2e%2e/a", "http://site.test/a"),
		good("Q5 backslash", "site.test/a\\b", "http://site.test/a/b"),
		good("Q5 lone percent sign", "http://site.test/100%", "http://site.test/100%"),
		good("Q5 apostrophe in a query", "http://site.test/?q=a'b|c", "http://site.test/?q=a%27b|c"),
		good("Q5 a URL in a path", "site.test/http://evil.test/", "http://site.test/http://evil.test/"),
		good("D21 rooted name", "http://site.test./", "http://site.test./"),
	}
	for row, targets := range map[string][]string{
		"A4":  {"ftp://site.test/", "file:///etc/passwd", "gopher://site.test/", "javascript:alert(1)", "mailto:a@site.test", "ws://site.test/"},
		"A5":  {"http:/site.test", "http:site.test", "http:///site.test", "http:\\\\site.test", "//site.test", "\\\\site.test"},
		"A6":  {"http://", "http://:80/", "//:80/"},
		"A7":  {"site.test:0", "site.test:65536", "site.test:99999", "site.test:-1", "site.test:8x", "http://site.test:0/", "http://site.test:99999/"},
		"A11": {"http://a..b/", "http://" + label64 + ".test/", "http://" + strings.Repeat("a.", 127) + "a/"},
		"A13": {"http://site.test/\r\nX: y", "http://site.test/\x00", "http://site.test/\x7f"},
		"A14": {"http://%31%32%37.0.0.1/", "http://h%2f@e/"},
		"A15": {"http://::1/", "http://[fe80::1%25eth0]/", "http://[::1%25lo]/", "http://[www.h]/", "http://[1.2.3.4]/"},
		"A16": {"0x7f.1", "2130706433", "0177.0.0.1", "127.1", "①②⑦.⓪.⓪.①"},
		"A17": {"http://site.test/" + strings.Repeat("a", 8<<10), "http://site.test/" + strings.Repeat("a", 1<<20)},
		"B23": {"http://site.onion/"},
		"Q5a": {"http://localhost.xn--/", "http://site.xn--/", "straẞe.test", "xn--pİx.test", "http://sıte.xn--", "site.ｘn--", "http://site\u2028.test/", "site\U0001FAE9.test"},
	} {
		for _, target := range targets {
			rows = append(rows, invalid(row+" "+target[:min(len(target), 40)], target))
		}
	}
	runFaults(t, rows)
}

// Q5a: the name that is asked for is the one that Host tells and that the host
// limits count, and no other is asked for.
func TestHostIsWhatIsAsked(t *testing.T) {
	for _, target := range []string{
		"SITE.test", "http://bücher.test:81/", "https://xn--a.test/", "ＢÜcher。test.", "foo_bar.test./x", "-a-.test", "localhost.xn--x.", "u@site.test:80",
		"localhost.xn--", "straẞe.test", "xn--pİx.test", "bücher.xn--", "site.test\\.evil.test",
	} {
		asked := make(map[string]bool)
		var mu sync.Mutex
		c := faults.NewChecker(t, checker.WithResolver(resolverFunc(func(_ context.Context, _, host string) ([]netip.Addr, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[strings.TrimSuffix(host, ".")] = true
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		})))
		r := c.Check(t.Context(), target)
		host, err := checker.Host(target)
		switch {
		case err != nil && (len(asked) > 0 || r.Reason() != checker.ReasonInvalid):
			t.Errorf("Host(%q) = %v; Check asked for %v, Err = %v; want invalid, and nothing asked", target, err, asked, r.Err)
		case err == nil && (len(asked) != 1 || !asked[host]):
			t.Errorf("Host(%q) = %q; Check asked for %v; want it alone", target, host, asked)
		}
	}
}

// A9, I8, L13: what is printed of a target shows neither userinfo nor control
// characters, in any form.
func TestUserinfoIsNotPrinted(t *testing.T) {
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}))
	for _, target := range []string{
		"http://alice:hunter2@site.test/", "alice@site.test", "http://alice:hunter2@site.test:99999/",
		"http:/alice:hunter2@site.test/", "alice:hunter2@site.test", "http://alice:hun/ter2@site.test/\x00",
		"ftp://alice:hunter2@site.test/", "http://alice:hunter2\\@site.test/",
	} {
		r := c.Check(t.Context(), target)
		text, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.String()+string(text), "\x00") {
			t.Errorf("Check(%q) prints a control character in %q or %q", target, r.String(), text)
		}
		for _, s := range []string{r.String(), string(text), r.LogValue().String(), r.URL} {
			for _, secret := range []string{"alice", "hunter2", "ter2"} {
				if strings.Contains(s, secret) {
					t.Errorf("Check(%q) prints %q in %q", target, secret, s)
				}
			}
		}
	}
}
