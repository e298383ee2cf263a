package faults_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A crumb is a cookie that one of two answers sets, and the rule for where it goes.
type crumb struct {
	answer           int // 1 of home, 2 of the other origin
	pair, attributes string
	goes             func(from, to origin, path int) bool
}

// crumbs are in the order in which they are sent.
var crumbs = []crumb{
	{1, "deep=1", "; Path=/2", func(from, to origin, path int) bool { return name(from) == name(to) && path == 2 }},
	{1, "plain=2", "", func(from, to origin, _ int) bool { return name(from) == name(to) }},
	{1, "wide=3", "; Domain=site.test", func(from, to origin, _ int) bool { return inSite(from) && inSite(to) }},
	{1, "safe=4", "; Secure", func(from, to origin, _ int) bool {
		return name(from) == name(to) && strings.HasPrefix(from.url, "https:") && strings.HasPrefix(to.url, "https:")
	}},
	{1, "alien=5", "; Domain=other.test", nowhere},
	{1, "suffix=6", "; Domain=test", nowhere},
	{1, "below=7", "; Domain=www.site.test", func(from, to origin, _ int) bool {
		return name(from) == "www.site.test" && name(to) == "www.site.test"
	}},
	{2, "back=8", "; HttpOnly; SameSite=Strict", func(from, to origin, _ int) bool { return name(from) == name(to) }},
	{2, "session=tossed", "; Domain=.site.test", func(from, to origin, _ int) bool { return inSite(from) && inSite(to) }},
}

// name is the host without its port, which is what cookies know. With the dot of a
// rooted name it is another.
func name(o origin) string {
	_, host, _ := strings.Cut(o.url, "://")
	host, _, _ = strings.Cut(host, ":")
	return host
}

func inSite(o origin) bool { return strings.HasSuffix(name(o), "site.test") }

func nowhere(_, _ origin, _ int) bool { return false }

// setting is the beginning of a redirect that sets the cookies of an answer.
func setting(answer int) string {
	text := "HTTP/1.1 302 Found\r\n"
	for _, c := range crumbs {
		if c.answer == answer {
			text += "Set-Cookie: " + c.pair + c.attributes + "\r\n"
		}
	}
	return text
}

// cookies returns the cookies of request 1, 2 or 3.
func (tr transition) cookies(request int) string {
	from := map[int]origin{1: tr.home, 2: tr.other}
	to := tr.home
	if request == 2 {
		to = tr.other
	}
	var all []string
	if to == tr.home {
		if tr.home != tr.other || request < 3 || !inSite(tr.home) { // or home itself has set a new session
			all = append(all, "session=secret")
		}
		all = append(all, "more=secret")
	}
	for _, c := range crumbs {
		if c.answer < request && c.goes(from[c.answer], to, request) {
			all = append(all, c.pair)
		}
	}
	return strings.Join(all, "; ")
}

// L11: a public suffix is nobody's own, and no cookie is for it.
func TestPublicSuffix(t *testing.T) {
	for _, test := range []struct{ from, attributes, to, want string }{
		{"a.co.uk", "", "b.co.uk", ""},
		{"a.co.uk", "; Domain=co.uk", "b.co.uk", ""},
		{"a.co.uk", "; Domain=.co.uk", "a.co.uk", ""},
		{"a.co.uk", "; Domain=uk", "b.co.uk", ""},
		{"a.co.uk", "; Domain=a.co.uk", "www.a.co.uk", "id=7"},
		{"www.a.co.uk", "; Domain=A.co.UK", "a.co.uk", "id=7"},
		{"me.github.io", "; Domain=github.io", "you.github.io", ""},
		{"me.github.io", "; Domain=io", "you.github.io", ""},
	} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name(test.from, siteAddr)
			n.Name(test.to, siteAddr)
			var rec recorder
			hostile.ServeListener(t, n.Listen(siteAddr+":80"), rec.handler(func(head string) string {
				if strings.Contains(head, " /1 ") {
					return "HTTP/1.1 302 Found\r\nSet-Cookie: id=7; Path=/" + test.attributes + "\r\nLocation: http://" + test.to + "/2\r\n\r\n"
				}
				return hostile.OK
			}))
			faults.NewChecker(t, faults.On(n, checker.WithRedirects(1))...).Check(t.Context(), "http://"+test.from+"/1")
			heads := rec.all()
			if got := cookieOf(heads[len(heads)-1]); len(heads) != 2 || got != test.want {
				t.Errorf("%s set a cookie with %q; %s got %q in %d requests; want %q in 2", test.from, test.attributes, test.to, got, len(heads), test.want)
			}
		})
	}
}

// cookieOf returns the Cookie field of a request.
func cookieOf(head string) string {
	_, value, _ := strings.Cut(head, "\r\nCookie: ")
	value, _, _ = strings.Cut(value, "\r\n")
	return value
}

// L11: each walk is a visitor of its own: a cookie does not outlive it, and neither a Result
// nor an error tells of it.
func TestCookiesEndWithTheWalk(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		bubble.Test(t, func(t *testing.T) {
			var rec recorder
			n := faults.Site(t, rec.handler(func(head string) string {
				if strings.Contains(head, " / ") {
					return "HTTP/1.1 302 Found\r\nSet-Cookie: id=secret\r\nLocation: /end\r\n\r\n"
				}
				return ""
			}), nil)
			c := faults.NewChecker(t, faults.On(n, checker.WithRedirects(3), checker.WithMethod(method), checker.WithRetries(1))...)
			for range 2 {
				r := c.Check(t.Context(), "http://site.test/")
				text, err := r.MarshalJSON()
				if err != nil || r.Reason() != checker.ReasonReset || strings.Contains(string(text), "secret") || strings.Contains(r.String(), "secret") {
					t.Errorf("Check(%q) = %s, %v; want reset, and no word of the cookie", r.Target, text, err)
				}
			}
			for _, head := range rec.all() {
				want := ""
				if strings.Contains(head, " /end ") {
					want = "id=secret"
				}
				if got := cookieOf(head); got != want {
					t.Errorf("%q has the cookie %q; want %q", head, got, want)
				}
			}
			if got := len(rec.all()); got < 8 || !slices.ContainsFunc(rec.all(), func(head string) bool { return strings.HasPrefix(head, "GET / ") }) {
				t.Errorf("%d requests; want at least 8, among them GET from the beginning", got)
			}
		})
	}
}
