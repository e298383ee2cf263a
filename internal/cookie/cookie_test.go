package cookie

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
		{[]string{"a=4; Domain=other.test"}, true, "a=1; b=2; c", ""},
		{[]string{"a=4; Secure"}, true, "a=1; b=2; c", ""},
	} {
		j := New(" a=1;b=2 ; c;")
		j.Take(u, test.fields, "", test.home)
		if home, away := j.Field(u, true), j.Field(u, false); home != test.want || away != test.away {
			t.Errorf("after Take(%q, %t), Field() = %q at home and %q away; want %q and %q", test.fields, test.home, home, away, test.want, test.away)
		}
	}
}

// What is set anew, deleted, or set over what is secure.
func TestTake(t *testing.T) {
	type step struct{ from, field string }
	for _, test := range []struct {
		steps    []step
		to, want string
	}{
		{[]step{{here, "a=1"}, {here, "b=2"}, {here, "a=3"}}, here, "a=3; b=2"},
		{[]step{{here, "a=1; Path=/"}, {here, "a=2; Path=/a"}}, here, "a=2; a=1"},
		{[]step{{here, "a=1"}, {here, "a=2; Domain=www.site.test"}}, here, "a=1; a=2"},
		{[]step{{here, "a=1"}, {here, "a=; Max-Age=0"}}, here, ""},
		{[]step{{here, "a=1"}, {here, "a=; Max-Age=0; Path=/"}}, here, "a=1"},
		{[]step{{here, "a=1; Domain=site.test"}, {here, "a=; Max-Age=0"}}, here, "a=1"},
		{[]step{{here, "a=1; Domain=site.test"}, {"http://x.site.test/a/", "a=; Max-Age=0; Domain=.site.test"}}, here, ""},
		{[]step{{here, "a=1"}, {here, "A=2"}}, here, "a=1; A=2"},
		{[]step{{secure, "a=1; Secure"}, {here, "a=2"}}, secure, "a=1"},
		{[]step{{secure, "a=1; Secure"}, {here, "a=; Max-Age=0"}}, secure, "a=1"},
		{[]step{{secure, "a=1; Secure"}, {"http://x.site.test/a/", "a=2; Domain=site.test"}}, secure, "a=1"},
		{[]step{{secure, "a=1; Secure; Path=/a/b"}, {here, "a=2; Path=/a"}}, secure, "a=1; a=2"},
		{[]step{{secure, "a=1; Secure"}, {here, "b=2"}}, secure, "a=1; b=2"},
		{[]step{{secure, "a=1; Secure"}, {secure, "a=2"}}, here, "a=2"},
		{[]step{{secure, "a=1"}, {here, "a=2"}}, secure, "a=2"},
	} {
		var j Jar
		for _, s := range test.steps {
			j.Take(parseURL(t, s.from), []string{s.field}, "", true)
		}
		to := test.to
		if strings.Contains(test.steps[0].field, "Path=/a/b") {
			to += "/c"
		}
		if got := j.Field(parseURL(t, to), false); got != test.want {
			t.Errorf("after Take of %q, Field(%q) = %q; want %q", test.steps, to, got, test.want)
		}
	}
}

// A server's own clock says when its cookies end, and they end on the way too.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it is the year 2000
		u := parseURL(t, here)
		for _, test := range []struct {
			field, date, want string
			later             time.Duration
		}{
			{"a=b; Expires=Thu, 01 Jan 1970 01:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "a=b", 0},
			{"a=b; Expires=Thu, 01 Jan 1970 01:00:00 GMT", "", "", 0},
			{"a=b; Expires=Wed, 31 Dec 2098 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT", "", 0},
			{"a=b; Expires=Wed, 31 Dec 2098 00:00:00 GMT", "2099", "a=b", 0},
			{"a=b; Expires=Sat, 01 Jan 2000 00:00:05 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "a=b", 4 * time.Second},
			{"a=b; Expires=Sat, 01 Jan 2000 00:00:05 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "", 5 * time.Second},
			{"a=b; Max-Age=5", "", "a=b", 4 * time.Second},
			{"a=b; Max-Age=5", "", "", 5 * time.Second},
		} {
			var j Jar
			j.Take(u, []string{test.field}, test.date, false)
			time.Sleep(test.later)
			if got := j.Field(u, false); got != test.want {
				t.Errorf("%v after Take(%q, %q), Field() = %q; want %q", test.later, test.field, test.date, got, test.want)
			}
		}
	})
}

// A site cannot make a Jar grow for ever. What is old makes room, and what is set anew
// needs none.
func TestBound(t *testing.T) {
	u := parseURL(t, here)
	for _, size := range []int{0, 1000} {
		var j Jar
		for i := range 1000 {
			j.Take(u, []string{fmt.Sprintf("c%d=%s", i, strings.Repeat("y", size))}, "", true)
		}
		got := j.Field(u, true)
		if n := strings.Count(got, "="); len(got) > maxJar || n > maxCookies || len(got) < maxJar/2 && n < maxCookies || !strings.Contains(got, "c999=") {
			t.Errorf("Field() has %d bytes of %d cookies; want some %d or %d", len(got), n, maxJar, maxCookies)
		}
	}
	var j Jar
	for i := range 100 {
		field := fmt.Sprintf("a=%d%s", i, strings.Repeat("y", 4000))
		j.Take(u, []string{field}, "", true)
		if got := j.Field(u, true); got != field {
			t.Fatalf("Field() has %d bytes after it was set %d times; want the last %d", len(got), i+1, len(field))
		}
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
		j.Take(parseURL(t, here), []string{field}, "", home)
		if got := j.Field(v, true); hasControl(got) || !home && !strings.HasPrefix(got, "secret=own") {
			t.Errorf("after Take(%q), Field(%q) = %q at home", field, to, got)
		}
		if got := j.Field(v, false); strings.Contains(got, "own") {
			t.Errorf("after Take(%q), Field(%q) = %q away from home", field, to, got)
		}
	})
}
