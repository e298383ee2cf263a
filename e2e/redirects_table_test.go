//go:build linux

package e2e_test

import (
	"fmt"
	"strings"

	"example.com/checker"
)

var chains = []chain{
	{name: "Q1 HEAD to itself", answer: byGET(always(moved("/")))},
	{name: "Q1 HEAD in a circle", answer: byGET(func(v visit) string { return moved(map[string]string{"/": "/a", "/a": "/b", "/b": "/a"}[v.path]) })},
	{name: "Q1 HEAD without Location", answer: byGET(always(answer("302 Found")))},
	{name: "Q1 HEAD to a closed port", answer: byGET(always(moved("http://CLOSED/")))},
	{name: "Q1 HEAD to no name", answer: byGET(always(moved("http://nowhere.invalid:1/")))},
	{name: "Q1 HEAD to another scheme", answer: byGET(always(moved("about:blank")))},
	{name: "Q1 HEAD to an error page", answer: byGET(func(v visit) string { return map[bool]string{true: moved("/gone"), false: lost}[v.path == "/"] })},
	{name: "Q1 HEAD ever further", answer: byGET(after(1000))},

	{name: "Q2 to itself", answer: until("id=7", "id=7")},
	{name: "Q2 attributes", answer: until("id=7", "id=7; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600; Expires=Thu, 01 Jan 2099 00:00:00 GMT")},
	{name: "Q2 strict", answer: until("id=7", "id=7; SameSite=Strict")},
	{name: "Q2 far in the future", answer: until("id=7", "id=7; Max-Age=99999999999")},
	{name: "Q2 JSON", answer: until(`id={"a":[1,2]}`, `id={"a":[1,2]}`)},
	{name: "Q2 quotes", answer: until(`id="a b"`, `id="a b"`)},
	{name: "Q2 brackets in the name", answer: until("id[a]=7", "id[a]=7")},
	{name: "Q2 no name", answer: until("7", "7"), curl: "it passes over a cookie without a name"},
	{name: "Q2 no value", answer: until("id=", "id=")},
	{name: "Q2 UTF-8", answer: until("id=ü", "id=ü")},
	{name: "Q2 a comma", answer: until("id=a,b=c", "id=a,b=c")},
	{name: "Q2 spaces", answer: until("id=7", "  id = 7  ;  Path = / ")},
	{name: "Q2 two in one answer", answer: func(v visit) string {
		if v.cookie == "a=1; b=2" || v.cookie == "b=2; a=1" { // curl sends the last first
			return shown
		}
		return moved("/", "Set-Cookie: a=1", "Set-Cookie: b=2")
	}},
	{name: "Q2 one after another", answer: func(v visit) string {
		if n := strings.Count(v.cookie, "="); n < 5 {
			return moved("/", fmt.Sprintf("Set-Cookie: c%d=x", n))
		}
		return shown
	}},
	{name: "Q2 set and deleted", answer: func(v visit) string {
		switch {
		case v.cookie != "":
			return moved("/", "Set-Cookie: id=; Expires=Thu, 01-Jan-1970 00:00:01 GMT")
		case v.n == 0:
			return moved("/", "Set-Cookie: id=7")
		}
		return shown
	}},
	{name: "Q2 out and back", answer: func(v visit) string {
		switch home, away := strings.CutPrefix(v.host, "away."); {
		case away:
			return moved("http://" + home + "/")
		case v.cookie == "id=7":
			return shown
		}
		return moved("http://away.HOST/", "Set-Cookie: id=7")
	}},
	{name: "Q2 for the whole domain", answer: func(v visit) string {
		if strings.HasPrefix(v.host, "www.") && v.cookie == "id=7" {
			return shown
		}
		return moved("http://www."+strings.TrimPrefix(v.host, "www.")+"/", "Set-Cookie: id=7; Domain="+strings.TrimPrefix(v.host[:strings.IndexByte(v.host, ':')], "www."))
	}},
	{name: "Q2 on loopback, secure", host: "127.0.0.1", answer: until("secure=7", "secure=7; Secure")},

	{name: "Q2 a path with an escape", answer: at("/a%20b/c", "id=7; Path=/a%20b")},
	{name: "Q2 a path with an escape, decoded", want: checker.ReasonRedirect, answer: at("/a%20b/c", "id=7; Path=/a b")},
	{name: "Q2 a path in UTF-8", want: checker.ReasonRedirect, answer: at("/%C3%BC", "id=7; Path=/ü")},
	{name: "Q2 a path in quotes", answer: at("/b", `id=7; Path="/b"`)},
	{name: "Q2 a path that is too long", answer: until("id=7", "id=7; Path=/"+strings.Repeat("x", 1100)), curl: "it takes the path as it is"},
	{name: "Q2 deleted by two digits of a year", answer: deleted("id=; Expires=Thursday, 01-Jan-70 00:00:00 GMT"), curl: "it takes 70 for 2070"},
	{name: "Q2 deleted by asctime", answer: deleted("id=; Expires=Thu Jan  1 00:00:00 1970")},
	{name: "Q2 deleted without a zone", answer: deleted("id=; Expires=Thu, 01 Jan 1970 00:00:00")},
	{name: "Q2 deleted by single digits", answer: deleted("id=; Expires=Thu, 1 Jan 1970 0:0:0 GMT")},
	{name: "Q2 deleted in quotes", answer: deleted(`id=; Expires="Thu, 01 Jan 1970 00:00:00 GMT"`)},
	{name: "Q2 deleted in the year 1", answer: deleted("id=; Expires=Mon, 01 Jan 0001 00:00:00 GMT")},
	{name: "Q2 deleted by an age in quotes", answer: deleted(`id=; Max-Age="0"`), chromium: "it passes over such an age"},
	{name: "Q2 deleted by an age under every integer", answer: deleted("id=; Max-Age=-99999999999999999999999")},
	{name: "Q2 kept by an age over every integer", answer: until("id=7", "id=7; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=99999999999999999999999")},
	{name: "Q2 kept by an age with a zero before it", answer: until("id=7", "id=7; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0800")},
	{name: "Q2 a server's clock is late", answer: until("id=7", "id=7; Expires=Thu, 01 Jan 2015 01:00:00 GMT\r\nDate: Thu, 01 Jan 2015 00:00:00 GMT"), curl: "it has no eye on Date"},
	{name: "Q2 for a domain beyond ASCII", host: "xn--bcher-kva.test", answer: until("id=7", "id=7; Domain=bücher.test"), curl: "it has no eye for such a domain"},
	{name: "Q2 one with a tab beside it", answer: until("id=7", "id=7\r\nSet-Cookie: x=a\tb")},

	{name: "Q3 the second time", answer: func(v visit) string { return map[bool]string{true: moved("/"), false: shown}[v.n == 0] }},
	{name: "Q3 the tenth time", answer: func(v visit) string { return map[bool]string{true: moved("/"), false: shown}[v.n < 9] }},
	{name: "Q3 for ever", want: checker.ReasonRedirect, answer: always(moved("/"))},
	{name: "Q3 for ever, with a cookie", want: checker.ReasonRedirect, answer: always(moved("/", "Set-Cookie: id=7"))},
	{name: "Q3 a cookie for another path", want: checker.ReasonRedirect, answer: until("id=7", "id=7; Path=/there")},
	{name: "Q3 a cookie that has ended", want: checker.ReasonRedirect, answer: until("id=7", "id=7; Max-Age=0")},
	{name: "Q3 a cookie for https", want: checker.ReasonRedirect, answer: until("id=7", "id=7; Secure")},
	{name: "Q3 a cookie of another domain", want: checker.ReasonRedirect, answer: until("id=7", "id=7; Domain=elsewhere.test")},
	{name: "Q3 a cookie of a public suffix", want: checker.ReasonRedirect, host: "shop.co.uk.test", answer: until("id=7", "id=7; Domain=test")},
	{name: "Q3 __Host- without Secure", want: checker.ReasonRedirect, answer: until("__Host-id=7", "__Host-id=7; Path=/")},
	{name: "Q3 __Secure- without Secure", want: checker.ReasonRedirect, answer: until("__sEcure-id=7", "__sEcure-id=7; Path=/")},
	{name: "Q3 __Host- for a value", want: checker.ReasonRedirect, answer: until("__Host-id=7", "=__Host-id=7; Path=/")},
	{name: "Q3 a domain in quotes", want: checker.ReasonRedirect, host: "a.quoted.test", answer: until("id=7", `id=7; Domain="quoted.test"`)},
	{name: "Q3 a domain of a rooted name", want: checker.ReasonRedirect, host: "rooted.test.", answer: until("id=7", "id=7; Domain=rooted.test")},
	{name: "Q3 a tab", want: checker.ReasonRedirect, answer: until("id=a\tb", "id=a\tb")},
	{name: "G4 30 KiB", answer: once(moved("/?q=" + strings.Repeat("a", 30<<10)))},
	{name: "G6 nineteen", answer: after(maxHops - 1)},
	{name: "G6 twenty", answer: after(maxHops), chromium: "its twentieth is one too many"},
	{name: "G6 twenty-one", want: checker.ReasonRedirect, answer: after(maxHops + 1)},

	{name: "Q6 no Location", want: checker.ReasonRejected, status: 302, answer: always(answer("302 Found"))},
	{name: "Q6 an empty Location", want: checker.ReasonRejected, status: 307, answer: always(answer("307 There", "Location: "))},
	{name: "Q6 no Location behind a redirect", want: checker.ReasonRejected, status: 303, answer: func(v visit) string {
		return map[bool]string{true: moved("/a"), false: answer("303 There")}[v.path == "/"]
	}},
	{name: "G1 301", answer: once(answer("301 There", "Location: /a"))},
	{name: "G1 303", answer: once(answer("303 There", "Location: a?b#c"))},
	{name: "G1 307", answer: once(answer("307 There", "Location: //HOST/a"))},
	{name: "G1 308", answer: once(answer("308 There", "location:http://HOST/a"))},
	{name: "G2 201 with Location", status: 201, answer: once(answer("201 Made", "Location: /a"))},
	{name: "G2 300 with Location", want: checker.ReasonRejected, status: 300, answer: once(answer("300 Choices", "Location: /a")), curl: "it follows any status from 300 to 399"},
	{name: "G3 two Locations", want: checker.ReasonRedirect, answer: once(moved("/a", "Location: /b")), curl: "it takes the first"},
	{name: "G3 one Location twice", answer: once(moved("/a", "Location: /a"))},
	{name: "G8 to a file", want: checker.ReasonRedirect, answer: once(moved("file:///etc/passwd"))},
	{name: "G7 to a closed port", want: checker.ReasonRefused, answer: once(moved("http://CLOSED/"))},
}
