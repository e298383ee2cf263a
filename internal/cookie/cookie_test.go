package cookie

import (
	"net/url"
	"strings"
	"testing"
)

const (
	here   = "http://www.site.test/a/b"
	secure = "https://www.site.test/a/b"
)

func parseURL(tb testing.TB, text string) *url.URL {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

// A Set-Cookie field, and what comes back of it (RFC 6265bis, sections 5.6 to 5.8).
func TestSetCookie(t *testing.T) {
	for _, test := range []struct{ from, field, to, want string }{
		{here, "a=b", here, "a=b"},
		{here, " a = b ; path=/", here, "a=b"},
		{here, "a=b=c", here, "a=b=c"},
		{here, "a=", here, "a="},
		{here, "a", here, "a"},
		{here, "=a", here, "a"},
		{here, "=", here, ""},
		{here, "", here, ""},
		{here, ";a=b", here, ""},
		{here, `a="b c"`, here, `a="b c"`},
		{here, `a={"b":[1,2]}`, here, `a={"b":[1,2]}`},
		{here, "a[b]=c", here, "a[b]=c"},
		{here, "a b=c d", here, "a b=c d"},
		{here, "a=b,c=d", here, "a=b,c=d"},
		{here, "é=ü", here, "é=ü"},
		{here, "a=\xff", here, "a=\xff"},
		{here, "a=b\tc", here, ""},
		{here, "a=\tb\t", here, "a=b"},
		{here, "a\tb=c", here, ""},
		{here, "a=b\x01c", here, ""},
		{here, "a=b\r\nX: y", here, ""},
		{here, "a=\x7f", here, ""},
		{here, "a=" + strings.Repeat("b", maxPair-1), here, "a=" + strings.Repeat("b", maxPair-1)},
		{here, "a=" + strings.Repeat("b", maxPair), here, ""},

		{secure, "__Secure-a=b; Secure", secure, "__Secure-a=b"},
		{secure, "__Secure-a=b", secure, ""},
		{here, "__Secure-a=b", here, ""},
		{here, "__Secure-a=b; Secure", secure, ""},
		{secure, "__Host-a=b; Secure; Path=/", secure, "__Host-a=b"},
		{secure, "__host-a=b; Secure", secure, ""},
		{secure, "__Host-a=b; Secure; Path=/a", secure, ""},
		{secure, "__Host-a=b; Secure; Path=/; Domain=site.test", secure, ""},
		{secure, "__Host-a=b; Path=/", secure, ""},
		{here, "__Host-a=b; Path=/", here, ""},

		{here, "a=b; Max-Age=10", here, "a=b"},
		{here, "a=b; Max-Age=99999999999", here, "a=b"},
		{here, "a=b; Max-Age=0", here, ""},
		{here, "a=b; Max-Age=-1", here, ""},
		{here, "a=b; Expires=Thu, 01 Jan 2099 00:00:00 GMT", here, "a=b"},
		{here, "a=b; Expires=Thu, 01-Jan-1970 00:00:10 GMT", here, ""},
		{here, "a=b; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Max-Age=9", here, "a=b"},
		{here, "a=b; Expires=soon", here, "a=b"},

		{here, "a=b; Path=/a", here, "a=b"},
		{here, "a=b; Path = /a ", here, "a=b"},
		{here, "a=b; Path=/c", here, ""},
		{here, "a=b; Path=c", here, "a=b"},
		{here, "a=b", "http://www.site.test/", ""},
		{here, "a=b; Path=/", "http://www.site.test/", "a=b"},
		{here, "a=b; Path=/a", "http://www.site.test/ab", ""},

		{here, "a=b", "http://www.site.test:8080/a/c", "a=b"},
		{here, "a=b", secure, "a=b"},
		{secure, "a=b", here, "a=b"},
		{secure, "a=b; Secure", here, ""},
		{secure, "a=b; Secure", secure, "a=b"},
		{here, "a=b; HttpOnly; SameSite=Strict; Partitioned; X=y", here, "a=b"},
		{"http://127.0.0.1:81/", "a=b; Secure", "http://127.0.0.1:81/", "a=b"},
		{"http://localhost/", "a=b; Secure", "http://localhost/", "a=b"},

		{here, "a=b", "http://site.test/a/", ""},
		{here, "a=b; Domain=site.test", "http://site.test/a/", "a=b"},
		{here, "a=b; Domain=.site.test", "http://other.site.test/a/", "a=b"},
		{here, "a=b; Domain=site.test", "http://notsite.test/a/", ""},
		{here, "a=b; Domain=other.test", "http://other.test/a/", ""},
		{here, "a=b; Domain=other.site.test", "http://other.site.test/a/", ""},
		{here, "a=b; Domain=test", "http://other.test/a/", ""},
		{"http://a.co.uk/", "a=b; Domain=co.uk", "http://b.co.uk/", ""},
		{"http://a.co.uk/", "a=b; Domain=a.co.uk", "http://c.a.co.uk/", "a=b"},
		{"http://a.github.io/", "a=b; Domain=github.io", "http://b.github.io/", ""},
		{"http://192.0.2.1/", "a=b; Domain=2.1", "http://192.1.2.1/", ""},
		{"http://[::1]/", "a=b", "http://[::1]:8080/", "a=b"},
	} {
		var j Jar
		j.Take(parseURL(t, test.from), []string{test.field}, true)
		if got := j.Field(parseURL(t, test.to), false); got != test.want {
			t.Errorf("after Take(%q, %q), Field(%q) = %q; want %q", test.from, test.field, test.to, got, test.want)
		}
	}
}

// What the visitor brings along is for its home, which alone may change it.
func TestOwn(t *testing.T) {
	u := parseURL(t, here)
	for _, test := range []struct {
		fields     []string
		home       bool
		want, away string
	}{
		{nil, true, "a=1; b=2; c", ""},
		{[]string{"d=4"}, true, "a=1; b=2; c; d=4", "d=4"},
		{[]string{"a=4"}, true, "b=2; c; a=4", "a=4"},
		{[]string{"a=; Max-Age=0"}, true, "b=2; c", ""},
		{[]string{"c"}, true, "a=1; b=2; c", "c"},
		{[]string{"a=4"}, false, "a=1; b=2; c; a=4", "a=4"},
	} {
		j := New(" a=1;b=2 ; c;")
		j.Take(u, test.fields, test.home)
		if home, away := j.Field(u, true), j.Field(u, false); home != test.want || away != test.away {
			t.Errorf("after Take(%q, %t), Field() = %q at home and %q away; want %q and %q", test.fields, test.home, home, away, test.want, test.away)
		}
	}
}

// A site cannot make a Jar grow for ever.
func TestBound(t *testing.T) {
	var j Jar
	u := parseURL(t, here)
	for i := range 1000 {
		j.Take(u, []string{strings.Repeat("x", i) + "=" + strings.Repeat("y", 1000)}, true)
	}
	if got := len(j.Field(u, true)); got < maxJar/2 || got > maxJar {
		t.Errorf("Field() has %d bytes; want some %d", got, maxJar)
	}
}

// Whatever sites set, a Cookie field is one line, and nothing of the visitor's own
// leaves its home.
func FuzzTake(f *testing.F) {
	f.Add("a=b; Path=/; Domain=site.test", "http://site.test/", true)
	f.Add("x=y\x00", "http://[::1]:81/", false)
	f.Add("secret=; Max-Age=0", "https://WWW.site.test.", true)
	f.Fuzz(func(t *testing.T, field, to string, home bool) {
		v, err := url.Parse(to)
		if err != nil || strings.Contains(field, "own") {
			return
		}
		j := New("secret=own")
		j.Take(parseURL(t, here), []string{field}, home)
		if got := j.Field(v, true); hasControl(got) || !home && !strings.HasPrefix(got, "secret=own") {
			t.Errorf("after Take(%q), Field(%q) = %q at home", field, to, got)
		}
		if got := j.Field(v, false); strings.Contains(got, "own") {
			t.Errorf("after Take(%q), Field(%q) = %q away from home", field, to, got)
		}
	})
}
