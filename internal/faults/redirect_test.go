package faults_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// redirects serves paths: "/loop" redirects to itself, "/a" and "/b" to each other,
// "/n" to "/n-1", and "/0" answers; others redirect to what their query says.
func redirects() hostile.Handler {
	return hostile.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		switch _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); {
		case err == nil && n > 0:
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusFound)
		case err == nil, r.URL.Path == "/end":
			w.WriteHeader(http.StatusTeapot)
		case r.URL.Path == "/a", r.URL.Path == "/b", r.URL.Path == "/loop":
			w.Header().Set("Location", map[string]string{"/a": "/b", "/b": "/a", "/loop": "/loop"}[r.URL.Path])
			w.WriteHeader(http.StatusMovedPermanently)
		default:
			for _, to := range r.URL.Query()["to"] {
				w.Header().Add("Location", to)
			}
			var code int
			fmt.Sscanf(r.URL.Query().Get("code"), "%d", &code)
			w.WriteHeader(max(code, http.StatusFound))
		}
	}))
}

var only2xx = checker.WithJudge(checker.StatusIn(200, 299))

func TestFaultsRedirects(t *testing.T) {
	follow := []checker.Option{checker.WithRedirects(10)}
	to := func(name, location string, reason checker.Reason) fault {
		f := fault{name: name, site: redirects(), opts: follow, target: "http://site.test/to?to=" + location, reason: reason}
		if reason == "" {
			f.status = http.StatusTeapot
		} else {
			f.phase, f.status = checker.PhaseJudge, http.StatusFound
		}
		return f
	}
	bad := checker.ReasonRedirect
	rows := []fault{
		to("G1 absolute", "http://site.test/end", ""),
		to("G1 rooted path", "/end", ""),
		to("G1 path", "end", ""),
		to("G1 network path", "//site.test/end", ""),
		to("G1 fragment", "/end%23x", ""),
		to("G1 userinfo is dropped", "http://u:p@site.test/end", ""),
		{name: "G2, Q6 no Location", site: hostile.Respond("HTTP/1.1 302 Found\r\n\r\n"), opts: follow, status: 302, also: hops(0)},
		{
			name: "Q6 no Location, and a judge", site: hostile.Respond("HTTP/1.1 302 Found\r\n\r\n"), opts: append(follow, only2xx), status: 302,
			reason: checker.ReasonRejected, phase: checker.PhaseJudge, also: decidedBy("GET", "http://site.test/"),
		},
		{name: "Q6 blanks for a Location", site: hostile.Respond("HTTP/1.1 308 X\r\nLocation: \t \r\n\r\n"), opts: follow, status: 308},
		{name: "Q6 no Location behind a redirect", site: redirects(), opts: follow, target: "http://site.test/to?to=/to", status: 302, also: hops(1)},
		{name: "G2 no Location, not followed", site: hostile.Respond("HTTP/1.1 302 Found\r\n\r\n"), status: 302},
		{name: "G2 300", site: hostile.Respond("HTTP/1.1 300 Choices\r\n\r\n"), opts: follow, status: 300},
		{name: "G2 304", site: hostile.Respond("HTTP/1.1 304 Not Modified\r\n\r\n"), opts: follow, status: 304},
		{name: "G2, Q6 empty Location", site: redirects(), opts: follow, target: "http://site.test/to?to=", status: 302, also: hops(0)},
		to("G3 two Locations", "/end&to=/a", bad),
		to("G3 a Location and an empty one", "/end&to=", bad),
		to("G3 one Location twice", "/end&to=/end", ""),
		{name: "G3 two Locations where none leads", site: hostile.Respond("HTTP/1.1 201 X\r\nLocation: /a\r\nLocation: /b\r\n\r\n"), opts: follow, status: 201},
		to("G4 no URL", "http://[::1/", bad),
		{name: "G4 9 KiB", site: long(9 << 10), opts: follow, status: 200, also: hops(1)},
		{name: "G4 30 KiB", site: long(30 << 10), opts: follow, status: 200, also: hops(1)},
		{name: "G4 over 32 KiB", site: long(33 << 10), opts: follow, reason: bad, phase: checker.PhaseJudge, status: 302, also: tells("it is over 32 KiB")},
		{name: "G4 30 KiB in a circle", site: hostile.Respond(found("/?"+strings.Repeat("a", 30<<10), "")), opts: follow, reason: bad, phase: checker.PhaseJudge, status: 302, also: short},
		{name: "G4 control characters", site: hostile.Respond("HTTP/1.1 302 Found\r\nLocation: /\x00\r\n\r\n"), opts: follow, reason: checker.ReasonMalformed, phase: checker.PhaseResponse},
		{name: "G5 to itself", site: redirects(), opts: follow, target: "http://site.test/loop", reason: bad, phase: checker.PhaseJudge, also: hops(10)},
		{name: "G5 there and back", site: redirects(), opts: follow, target: "http://site.test/a", reason: bad, phase: checker.PhaseJudge, also: hops(10)},
		{name: "G6 exactly ten", site: redirects(), opts: follow, target: "http://site.test/10", status: http.StatusTeapot, also: hops(10)},
		{name: "G6 eleven", site: redirects(), opts: follow, target: "http://site.test/11", reason: bad, phase: checker.PhaseJudge, also: hops(10)},
		{name: "G6 none is followed by default", site: redirects(), target: "http://site.test/3", status: 302, also: hops(0)},
		{name: "G7 to a closed port", site: redirects(), opts: follow, target: "http://site.test/to?to=http://site.test:81/", reason: checker.ReasonRefused, phase: checker.PhaseConnect, also: decidedBy("GET", "http://site.test:81/")},
		{name: "G7 to no name", site: redirects(), opts: follow, target: "http://site.test/to?to=http://none.test/", reason: checker.ReasonNotFound, phase: checker.PhaseDNS},
		to("G8 ftp", "ftp://site.test/", bad),
		to("G8 file", "file:///etc/passwd", bad),
		to("G8 javascript", "javascript:alert(1)", bad),
		to("G9 empty host", "http://:80/", bad),
		to("G9 network path without a host", "//:80/", bad),
		to("G9 zone", "http://[fe80::1%2525eth0]/", bad),
		{
			name: "G9 to a private address", site: redirects(), target: "http://site.test/to?to=http://10.0.0.1/", reason: checker.ReasonBlocked, phase: checker.PhaseConnect,
			opts: append(follow, checker.WithAddrPolicy(notTen)), also: dials(siteAddr+":80", siteAddr+":80"),
		},
		{name: "G11 the body never ends", opts: follow, status: 304, target: "http://site.test/", site: hostile.Sequence(
			hostile.Forever("HTTP/1.1 302 Found\r\nLocation: /end\r\n\r\n", func(int) string { return "x" }, time.Second), hostile.Respond("HTTP/1.1 304 X\r\n\r\n"))},
		{name: "G13 each hop is slow", opts: follow, reason: checker.ReasonTimeout, phase: checker.PhaseResponse, takes: timeout, site: slowHops(), also: dials(slices.Repeat([]string{siteAddr + ":80"}, 5)...)},
		{name: "G12 each hop has 60 KiB of fields", opts: follow, status: 200, site: hostile.RespondTo(func(n int, _ string) string {
			fields := "\r\nX: " + strings.Repeat("a", 60<<10) + "\r\n\r\n"
			if n == 10 {
				return "HTTP/1.1 200 OK" + fields
			}
			return fmt.Sprintf("HTTP/1.1 302 Found\r\nLocation: /%d", n) + fields
		})},
		{name: "G15 Refresh is no redirect", opts: follow, status: 200, site: hostile.Respond("HTTP/1.1 200 OK\r\nRefresh: 0;url=http://10.0.0.1/\r\n\r\n"), also: dials(siteAddr + ":80")},
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		f := to(fmt.Sprintf("G1 %d", code), "/end", "")
		f.target += fmt.Sprintf("&code=%d", code)
		rows = append(rows, f)
	}
	runFaults(t, rows)
}

// long redirects by a Location of so many bytes, and answers there.
func long(n int) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		if len(head) < n {
			return found("/?"+strings.Repeat("a", n), "")
		}
		return hostile.OK
	})
}

// short fails unless the error's text is.
func short(t *testing.T, _ *hostile.Net, r checker.Result) {
	t.Helper()
	if n := len(r.Err.Error()); n > 512 {
		t.Errorf("Check(%q).Err has a text of %d bytes; want 512 at most", r.Target, n)
	}
}

func hops(want int) func(*testing.T, *hostile.Net, checker.Result) {
	return func(t *testing.T, _ *hostile.Net, r checker.Result) {
		t.Helper()
		if len(r.Hops) != want {
			t.Errorf("Check(%q).Hops has %d; want %d", r.Target, len(r.Hops), want)
		}
	}
}

// slowHops redirects to a new place after 400 ms, each time.
func slowHops() hostile.Handler {
	n := 0
	return hostile.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(400 * time.Millisecond) // the fifth answers as the time is over
		n++
		http.Redirect(w, r, fmt.Sprintf("/%d", n), http.StatusFound)
	}))
}

// The hops of a Result are the redirects that were followed, without userinfo.
func TestHops(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := faults.Site(t, redirects(), nil)
		c := faults.NewChecker(t, faults.On(n, checker.WithRedirects(2))...)
		const first = "http://site.test/to?code=307&to=http://u:p@site.test/1%23x"
		for _, test := range []struct {
			target string
			want   []checker.Hop
		}{
			{"http://site.test/end", nil},
			{first, []checker.Hop{{URL: first, StatusCode: 307}, {URL: "http://site.test/1", StatusCode: 302}}},
			{"http://site.test/9", []checker.Hop{{URL: "http://site.test/9", StatusCode: 302}, {URL: "http://site.test/8", StatusCode: 302}}},
			{"http://site.test/to?to=http://none.test/", []checker.Hop{{URL: "http://site.test/to?to=http://none.test/", StatusCode: 302}}},
		} {
			if r := c.Check(t.Context(), test.target); !slices.Equal(r.Hops, test.want) || (r.Hops == nil) != (test.want == nil) {
				t.Errorf("Check(%q).Hops = %v; want %v", test.target, r.Hops, test.want)
			}
		}
	})
}
