package faults_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// found is a redirect, with further fields.
func found(location, fields string) string {
	return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n" + fields + "\r\n"
}

// headLeads redirects HEAD to a place and answers GET, but "/end" is an error page
// to both.
func headLeads(location string) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		switch method, rest, _ := strings.Cut(head, " "); {
		case strings.HasPrefix(rest, "/end "):
			return "HTTP/1.1 404 Not Found\r\n\r\n"
		case method == http.MethodGet:
			return hostile.OK
		}
		return found(location, "")
	})
}

// Q1: what HEAD cannot reach GET may, and a visitor comes with GET.
func TestFaultsWalkWithGET(t *testing.T) {
	opts := []checker.Option{checker.WithRedirects(5), only2xx, checker.WithAddrPolicy(notTen)}
	home := decidedBy("GET", "http://site.test/")
	led := func(name, location string) fault {
		return fault{name: "Q1 HEAD " + name, site: headLeads(location), opts: opts, status: 200, also: home}
	}
	silent := led("to a host that is silent", "http://192.0.2.99/")
	silent.net, silent.takes = func(n *hostile.Net) { n.Drop("192.0.2.99:80") }, timeout/3
	tls := led("to where TLS fails", "https://site.test/")
	tls.secure = hostile.Close()
	get := func(name, raw string, reason checker.Reason, phase checker.Phase) fault {
		return fault{name: name, opts: opts, reason: reason, phase: phase, site: hostile.ByMethod(map[string]hostile.Handler{
			"HEAD": hostile.Respond(found("/", "")), "GET": hostile.Respond(raw),
		})}
	}
	runFaults(t, []fault{
		led("to itself", "/"),
		led("to another name for itself", "http://site.test:80"),
		led("to a place that leads to itself", "/there"),
		led("to an error page", "/end"),
		led("nowhere", ""),
		led("to a closed port", "http://site.test:81/"),
		led("to no name", "http://none.test/"),
		led("to another scheme", "ftp://site.test/"),
		led("to two places", "/a\r\nLocation: /b"),
		tls,
		led("to where a policy forbids", "http://10.0.0.1/"),
		silent,
		{name: "Q1 HEAD ever further", status: 200, opts: opts, also: home, site: hostile.ByMethod(map[string]hostile.Handler{
			"GET":  hostile.Respond(hostile.OK),
			"HEAD": hostile.RespondTo(func(n int, _ string) string { return found(fmt.Sprintf("/%d", n), "") }),
		})},
		get("Q1 GET to itself", found("/", ""), checker.ReasonRedirect, checker.PhaseJudge),
		get("Q1 GET to a closed port", found("http://site.test:81/", ""), checker.ReasonRefused, checker.PhaseConnect),
		get("Q1 GET to an error", "HTTP/1.1 500 X\r\n\r\n", checker.ReasonRejected, checker.PhaseJudge),
		get("Q1 GET closed", "", checker.ReasonReset, checker.PhaseResponse),
		{
			name: "Q1 a pause is kept", opts: opts, reason: checker.ReasonRejected, phase: checker.PhaseJudge, status: 429, also: dials(siteAddr+":80", siteAddr+":80"),
			site: hostile.Sequence(hostile.Respond(found("/slow", "")), hostile.Respond("HTTP/1.1 429 Slow\r\nRetry-After: 60\r\n\r\n"), hostile.Respond(hostile.OK)),
		},
		{
			name: "Q1 GET has walked already", opts: opts, reason: checker.ReasonRefused, phase: checker.PhaseConnect,
			site: hostile.ByMethod(map[string]hostile.Handler{"HEAD": hostile.CloseAfterRequest(), "GET": hostile.Respond(found("http://site.test:81/", ""))}),
			also: dials(siteAddr+":80", siteAddr+":80", siteAddr+":81"),
		},
	})
}

// What tokens take is no silence: a walk of many hops within a rate is made once.
func TestWalkWithinARate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, redirects(), nil)
		c := faults.NewChecker(t, faults.On(n, checker.WithRedirects(5), checker.WithHostRateLimit(1, 1), checker.WithTimeout(6*time.Second))...)
		if r := c.Check(t.Context(), "http://site.test/5"); !r.Online() || r.Timing.Total != 5*time.Second || len(n.Dials()) != 6 {
			t.Errorf("Check(%q) = %v after %v with %d requests; want Online after 5s with 6", r.Target, r, r.Timing.Total, len(n.Dials()))
		}
	})
}

// A rate that leaves GET no token leaves what HEAD found.
func TestWalkWithoutAToken(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, headLeads("http://site.test:81/"), nil)
		c := faults.NewChecker(t, faults.On(n, checker.WithRedirects(5), checker.WithHostRateLimit(1, 2), checker.WithTimeout(900*time.Millisecond), checker.WithRetries(0))...)
		if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonRefused {
			t.Errorf("Check(%q) = %v; want refused", r.Target, r)
		}
	})
}

// O12: what the lookups of all hops took together is not the site's time.
func TestFaultsWalkOfSlowLookups(t *testing.T) {
	// From site.test to a.test, b.test and last.
	site := func(last string) hostile.Handler {
		return hostile.RespondTo(func(_ int, head string) string {
			switch {
			case strings.Contains(head, "Host: site.test"):
				return found("http://a.test/", "")
			case strings.Contains(head, "Host: a.test"):
				return found("http://b.test/", "")
			case last == "":
				time.Sleep(timeout)
			}
			return found(last, "")
		})
	}
	row := func(name, method, last string, took time.Duration) fault {
		return fault{
			name: "O12 " + name + ", " + method, site: site(last), opts: []checker.Option{checker.WithRedirects(5), checker.WithMethod(method)},
			net: func(n *hostile.Net) {
				for _, name := range []string{"a.test", "b.test"} {
					n.Name(name, siteAddr)
					n.NameTakes("ip4", name, took)
					n.NameTakes("ip6", name, took)
				}
			},
		}
	}
	const most = timeout/4 + time.Millisecond
	half := row("half", "GET", "", timeout/4) // HEAD has GET beside it, with lookups of its own
	half.reason, half.phase, half.takes = checker.ReasonTimeout, checker.PhaseResponse, timeout
	refused := row("more than half, and then an error", "GET", "http://site.test:81/", most)
	refused.reason, refused.phase, refused.takes = checker.ReasonRefused, checker.PhaseConnect, 2*most
	get := row("more than half", "GET", "", most)
	get.reason, get.phase, get.takes, get.also = checker.ReasonDNS, checker.PhaseDNS, timeout, tells("the lookups took 1.002s of the timeout of 2s")
	head := row("more than half", "HEAD", "", most)
	head.reason, head.phase, head.takes = checker.ReasonDNS, checker.PhaseDNS, timeout
	runFaults(t, []fault{half, refused, get, head})
}

// wall redirects to a place until the request has a cookie.
func wall(location, set, cookie string) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		if strings.Contains(cookieOf(head), cookie) {
			return hostile.OK
		}
		return found(location, "Set-Cookie: "+set+"\r\n")
	})
}

// tells fails unless the error has these words.
func tells(words string) func(*testing.T, *hostile.Net, checker.Result) {
	return func(t *testing.T, _ *hostile.Net, r checker.Result) {
		t.Helper()
		if r.Err == nil || !strings.Contains(r.Err.Error(), words) {
			t.Errorf("Check(%q).Err = %v; want words of %q", r.Target, r.Err, words)
		}
	}
}

// Q2, Q3: a circle may have an end, and a cookie may be what ends it.
func TestFaultsCircles(t *testing.T) {
	for _, method := range []string{"HEAD", "GET"} {
		opts := []checker.Option{checker.WithRedirects(5), only2xx, checker.WithMethod(method)}
		ends := func(name string, site hostile.Handler) fault {
			return fault{name: name + ", " + method, site: site, opts: opts, status: 200}
		}
		endless := func(name, words string, answer func(n int, head string) string) fault {
			return fault{
				name: name + ", " + method, site: hostile.RespondTo(answer), opts: opts, status: 302,
				reason: checker.ReasonRedirect, phase: checker.PhaseJudge, also: tells(words),
			}
		}
		away := ends("Q2 out and back", hostile.RespondTo(func(_ int, head string) string {
			switch cookie := cookieOf(head); {
			case strings.Contains(head, "Host: away.test"):
				return found("http://site.test/", "Set-Cookie: id=8\r\n")
			case cookie == "id=7":
				return hostile.OK
			}
			return found("http://away.test/", "Set-Cookie: id=7\r\n")
		}))
		away.net = func(n *hostile.Net) { n.Name("away.test", siteAddr) }
		mine := ends("Q2 beside the caller's", wall("/", "id=7", "a=1; id=7"))
		mine.opts = append(opts, checker.WithHeader("Cookie", "a=1"))
		worn := ends("Q2 in place of the caller's", hostile.RespondTo(func(_ int, head string) string {
			if strings.Contains(head, "stale") {
				return found("/", "Set-Cookie: id=; Max-Age=0\r\n")
			}
			return hostile.OK
		}))
		worn.opts = append(opts, checker.WithHeader("Cookie", "id=stale"))
		runFaults(t, []fault{
			ends("Q2 to itself", wall("/", "id=7; Path=/; HttpOnly", "id=7")),
			ends("Q2 for long", wall("/", "id=7; Max-Age=99999999999", "id=7")),
			ends("Q2 JSON", wall("/", `id={"a":"b c"}; Path=/`, `id={"a":"b c"}`)),
			ends("Q2 a name in brackets", wall("/", "id[a]=7", "id[a]=7")),
			ends("Q2 no name", wall("/", "7", "7")),
			ends("Q2 one after another", hostile.RespondTo(func(_ int, head string) string {
				if n := strings.Count(cookieOf(head), "="); n < 3 {
					return found("/", fmt.Sprintf("Set-Cookie: id%d=7\r\n", n))
				}
				return hostile.OK
			})),
			ends("Q2 one that changes", hostile.RespondTo(func(_ int, head string) string {
				var n int
				if fmt.Sscanf(cookieOf(head), "id=%d", &n); n < 4 {
					return found("/", fmt.Sprintf("Set-Cookie: id=%d\r\n", n+1))
				}
				return hostile.OK
			})),
			away, mine, worn,
			ends("Q3 the second time", hostile.Sequence(hostile.Respond(found("/", "")), hostile.Respond(hostile.OK))),
			ends("Q3 the fifth time", hostile.RespondTo(func(n int, _ string) string {
				if n < 4 {
					return found("/", "")
				}
				return hostile.OK
			})),
			endless("Q3 for ever", "in a loop", func(int, string) string { return found("/", "") }),
			endless("Q3 for ever, with a cookie", "the site wants cookies", func(int, string) string { return found("/", "Set-Cookie: a=b; Path=/x\r\n") }),
			endless("Q3 for ever, with new cookies", "the site wants cookies", func(n int, _ string) string { return found("/", fmt.Sprintf("Set-Cookie: a=%d\r\n", n)) }),
			endless("Q3 for ever, with one cookie", "in a loop", func(n int, _ string) string {
				if n == 0 {
					return found("/", "Set-Cookie: a=b\r\n")
				}
				return found("/", "")
			}),
			endless("Q3 ever further, with cookies", "there are too many", func(n int, _ string) string { return found(fmt.Sprintf("/%d", n), "Set-Cookie: a=b\r\n") }),
		})
	}
}

// Q7: https of a host that asked for a pause is not asked inside it.
func TestFaultsPausedCandidate(t *testing.T) {
	const slow = "HTTP/1.1 429 Slow\r\nRetry-After: "
	row := func(name, after string, secure bool) fault {
		f := fault{
			name: name, target: "site.test", opts: []checker.Option{only2xx}, site: hostile.Respond(slow + after + "\r\n\r\n"), secure: hostile.Close(),
			reason: checker.ReasonRejected, phase: checker.PhaseJudge, status: 429, also: dials(siteAddr + ":80"),
		}
		if secure {
			f.also = dials(siteAddr+":80", siteAddr+":80", siteAddr+":443") // HEAD and GET by http; https has no method before the handshake
		}
		return f
	}
	again := row("Q7 after the pause", "1", false)
	again.opts = append(again.opts, checker.WithRetries(1))
	again.site = hostile.Sequence(again.site, hostile.Respond(hostile.OK))
	again.reason, again.phase, again.status, again.takes, again.also = "", "", 200, time.Second, decidedBy("HEAD", "http://site.test/")
	runFaults(t, []fault{row("Q7 429 with a pause", "60", false), row("Q7 429 without one", "never", true), again})
}
