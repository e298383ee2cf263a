package faults_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// captured checks a site on a network in memory and returns the heads of the
// requests that it got. The path /from redirects to location.
func captured(t *testing.T, target, location string, opts ...checker.Option) (heads []string, r checker.Result, dials int) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		var rec recorder
		n := faults.Site(t, rec.handler(func(head string) string {
			if strings.Contains(head, " /from ") {
				return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n"
			}
			return hostile.OK
		}), nil)
		opts = append(faults.On(n, checker.WithRedirects(5), checker.WithRetries(0)), opts...)
		r = faults.NewChecker(t, opts...).Check(t.Context(), target)
		heads, dials = rec.all(), len(n.Dials())
	})
	return heads, r, dials
}

// injections are what may follow the host of a URL, with the request's target
// that it becomes. What is never sent becomes "".
var injections = map[string]string{
	"/a b":                      "/a%20b",
	"/ HTTP/1.1":                "/%20HTTP/1.1",
	"/?a b":                     "/?a%20b",
	"/%0d%0aX:%20y":             "/%0d%0aX:%20y",
	"/%0D%0A%0D%0AGET%20/admin": "/%0D%0A%0D%0AGET%20/admin",
	"/?q=%0d%0aX:y":             "/?q=%0d%0aX:y",
	"/\u2028\u2029\u0085":       "/%E2%80%A8%E2%80%A9%C2%85",
	"/\u560d\u560a":             "/%E5%98%8D%E5%98%8A", // CR and LF, if all but the low bytes are lost
	"/\u010d\u010a":             "/%C4%8D%C4%8A",
	"/\xff\xfe":                 "/%FF%FE",
	"/\"<>\\^`{|}":              "/%22%3C%3E/%5E%60%7B|%7D",
	"/%":                        "/%",
	"/%0":                       "/%0",
	"/%0d%0":                    "/%0d%0",
	"/?'\\|\"":                  "/?%27\\|%22",
	"/#\u00a0x":                 "/",
	"/a\r\nX: y":                "",
	"/a\nX: y":                  "",
	"/a\rX: y":                  "",
	"/a\x00":                    "",
	"/a\tb":                     "",
	"/a\vb":                     "",
	"/a\x1bb":                   "",
	"/a\x7fb":                   "",
	"?\r\nX: y":                 "",
	"#\r\nX: y":                 "",
	":80\r\nX: y/":              "",
	"\r\nX: y/":                 "",
	"%0d%0aX:y/":                "",
	" HTTP/1.1":                 "",
}

func wantHead(method, requestTarget string) string {
	return method + " " + requestTarget + " HTTP/1.1\r\nHost: site.test\r\n" + plainFields
}

// L5: what a target, a Location or an option holds adds nothing to a request.
func TestInjectionByTarget(t *testing.T) {
	for suffix, want := range injections {
		heads, r, dials := captured(t, "http://site.test"+suffix, "")
		switch {
		case want == "":
			if r.Reason() != checker.ReasonInvalid || dials > 0 {
				t.Errorf("Check(%q).Err = %v after %d dials; want invalid after none", r.Target, r.Err, dials)
			}
		case !slices.Equal(heads, []string{wantHead("HEAD", want)}):
			t.Errorf("Check(%q) sent %q, Err = %v; want\n%q", r.Target, heads, r.Err, wantHead("HEAD", want))
		}
	}
}

func TestInjectionByLocation(t *testing.T) {
	all := map[string]string{ // what ends the line ends the field
		"http://site.test/\r\nX-Y: z":                       "/",
		"http://site.test/\nX-Y: z":                         "/",
		"http://site.test/a\r\n b":                          "/a%20b", // a folded line (RFC 9112, section 5.2)
		"/a\r\n\tb":                                         "/a%20b",
		"http://site.test/a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n": "/a",
		"/a\rb":                             "/a",
		"http://site.test\r\n .evil.test/":  "",
		"http://site.test/\r\nLocation: /b": "",
	}
	for suffix, want := range injections {
		if strings.ContainsAny(suffix, "\r\n") {
			continue
		}
		all["http://site.test"+suffix] = want
		if suffix[0] == '/' {
			all[suffix] = want
		}
	}
	// Browsers take tabs out of a Location, and encode other controls, where the
	// head that has them is read at all.
	for char, instead := range map[string]string{"\t": "", "\v": "%0B", "\x1b": "%1B", "\x7f": "%7F"} {
		all["/a"+char+"b"] = "/a" + instead + "b"
		all["http://site.test/a"+char+"b"] = "/a" + instead + "b"
	}
	for location, want := range all {
		heads, r, _ := captured(t, "http://site.test/from", location)
		if r.Reason() == checker.ReasonMalformed && strings.ContainsAny(location, "\v\x1b\x7f") {
			want = ""
		}
		wants := []string{wantHead("HEAD", "/from")}
		switch {
		case want != "":
			wants = append(wants, wantHead("HEAD", want))
		default: // so GET was asked
			wants = append(wants, wantHead("GET", "/from"))
		}
		if !slices.Equal(heads, wants) || r.Online() != (want != "") {
			t.Errorf("Location %q: sent %q, Err = %v; want\n%q", location, heads, r.Err, wants)
		}
	}
}

func TestInjectionByOption(t *testing.T) {
	for key, values := range map[string][]string{
		"X-Y":        {"a\r\nX: y", "a\nb", "a\rb", "a\x00b", "\r\n", "a\x1b", "a\x7f", "a\r\n b"},
		"Host":       {"a\r\nX: y", "a b", "a/b", "a?b", "a#b", "u@a", "", "a:99999", "a%0d%0a", "a,b", "[::1%25lo]", "a\\b"},
		"hOST":       {"a\nb", "a/b"},
		"User-Agent": {"a\r\n"}, "Accept": {"a\nb"}, "Accept-Encoding": {"\x00"},
		"X-Y: z\r\nX": {"a"}, "X-Y\r\n": {"a"}, "X Y": {"a"}, "X-Y:": {"a"}, ":path": {"a"}, "": {"a"}, " X-Y": {"a"}, "X-Ü": {"a"}, "X\x00": {"a"}, "X\u2028": {"a"},
		"Content-Length": {"5"}, "Transfer-Encoding": {"chunked"}, "transfer-encoding": {"chunked"}, "Connection": {"keep-alive"}, "Upgrade": {"h2c"},
		"Trailer": {"X"}, "TE": {"trailers"}, "Expect": {"100-continue"}, "Keep-Alive": {"1"}, "Proxy-Connection": {"close"},
	} {
		for _, value := range values {
			c, err := checker.New(checker.WithHeader(key, value))
			if c != nil || !errors.Is(err, checker.ErrInvalidOption) || !isLine(err.Error()) {
				t.Errorf("New(WithHeader(%q, %q)) = %v, %v; want ErrInvalidOption in one line", key, value, c, err)
			}
		}
	}
	for _, field := range []struct{ key, value, want string }{
		{"x-y", " a\t", "X-Y: a"},
		{"X-Y", "a: b; c=\"d\"", "X-Y: a: b; c=\"d\""},
		{"X-Y", "a\tb", "X-Y: a\tb"},
		{"X-Y", "\u2028\xff", "X-Y: \u2028\xff"}, // these end no line of HTTP
		{"X-Y", "%0d%0a\\r\\n", "X-Y: %0d%0a\\r\\n"},
	} {
		heads, r, _ := captured(t, "http://site.test/", "", checker.WithHeader(field.key, field.value))
		want := strings.Replace(wantHead("HEAD", "/"), "Connection:", field.want+"\r\nConnection:", 1)
		if !slices.Equal(heads, []string{want}) {
			t.Errorf("WithHeader(%q, %q): sent %q, Err = %v; want\n%q", field.key, field.value, heads, r.Err, want)
		}
	}
}

// isLine reports whether s is one printable line of at most 512 bytes.
func isLine(s string) bool { return s != "" && len(s) <= 512 && !strings.ContainsFunc(s, hidden) }

func hidden(r rune) bool { return !unicode.IsPrint(r) }

// evil clears a screen, forges a line of a log, turns text around, and is no
// UTF-8.
const evil = "\x1b[2J\x1b]0;x\a\r\nlevel=ERROR msg=forged\u202e\u2066\u0085\u009b31m\x7f\xff\x00"

// L13, I8: what a site, a target, a resolver or a hook says reaches neither a log nor a
// terminal as it is.
func TestErrorTextIsOneLine(t *testing.T) {
	const visible = "level=ERROR msg=forged\u202e\u2066\u0085\u009b31m\xff" // of evil, what a field's value may hold
	long := strings.Repeat("\x1b[2J", 4000)
	ca := hostile.NewCA(t)
	site := hostile.TLS(ca.Config(hostile.Cert{Names: []string{"other.test"}, CommonName: strings.ToValidUTF8(evil, "")}), hostile.Respond(hostile.OK))
	rows := []fault{
		{name: "a policy", opts: []checker.Option{checker.WithAddrPolicy(func(netip.AddrPort) error { return errors.New(evil) })}, reason: checker.ReasonBlocked},
		{name: "a policy's panic", opts: []checker.Option{checker.WithAddrPolicy(func(netip.AddrPort) error { panic(evil) })}, reason: checker.ReasonInternal},
		{name: "a dial function", net: func(n *hostile.Net) { n.Fail(siteAddr+":80", errors.New(evil)) }, reason: checker.ReasonLocal},
		{name: "a path", target: "http://site.test/" + visible, reason: checker.ReasonRefused},
		{name: "a long path", target: "http://site.test/" + strings.Repeat("\u202e", 900), reason: checker.ReasonRefused},
	}
	for i := range rows {
		rows[i].phase = checker.PhaseConnect
	}
	rows = append(rows, fault{name: "a resolver", reason: checker.ReasonDNS, phase: checker.PhaseDNS, net: func(n *hostile.Net) {
		n.NameFails("ip4", "site.test", errors.New(evil))
		n.NameFails("ip6", "site.test", errors.New(evil))
	}}, fault{
		name: "a judge", site: hostile.Respond(hostile.OK), reason: checker.ReasonRejected, phase: checker.PhaseJudge,
		opts: []checker.Option{checker.WithJudge(func(*http.Response) error { return errors.New(evil + long) })},
	})
	for name, raw := range map[string]string{"a status line": "HTTP/1.1 200 " + evil, "garbage": evil + long, "a field": "HTTP/1.1 200 OK\r\nX-Y: \x1b[2J\x00"} {
		rows = append(rows, fault{name: name, site: hostile.Respond(raw + "\r\n\r\n"), reason: checker.ReasonMalformed, phase: checker.PhaseResponse})
	}
	for _, location := range []string{"x:" + visible, "http://" + visible + "/", visible + "://x", "http://site.test:" + visible} {
		raw := "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n"
		rows = append(rows, fault{name: "a Location", site: hostile.Respond(raw), reason: checker.ReasonRedirect, phase: checker.PhaseJudge})
	}
	for name, roots := range map[string]*x509.CertPool{"a certificate": ca.Pool(), "an unknown authority": x509.NewCertPool()} {
		rows = append(rows, fault{
			name: name, target: "https://site.test/", secure: site, reason: checker.ReasonCertificate, phase: checker.PhaseTLS,
			opts: []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: roots})},
		})
	}
	for _, target := range []string{
		evil, "http://" + visible + "/", visible + "://x/", "http://site.test:" + visible, "http://" + strings.Repeat("ü", 900) + "/",
		"http://" + strings.Repeat("a", 20<<10), long, "http://" + strings.Repeat("\"", 60) + "/", "http://xn--" + visible, "http://[" + visible + "]/",
	} {
		rows = append(rows, fault{name: "a target", target: target, reason: checker.ReasonInvalid, phase: checker.PhaseTarget})
	}
	for i := range rows {
		rows[i].opts = append(rows[i].opts, checker.WithRedirects(5), checker.WithMethod("GET"))
		rows[i].also = isQuoted
	}
	runFaults(t, rows)
}

// isQuoted holds all forms of a result that people read.
func isQuoted(t *testing.T, _ *hostile.Net, r checker.Result) {
	t.Helper()
	if !isLine(r.Err.Error()) {
		t.Errorf("Err = %q; want one printable line of at most 512 bytes", r.Err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("checked", "result", r, "err", r.Err)
	if line := strings.TrimSuffix(log.String(), "\n"); strings.ContainsFunc(line, hidden) {
		t.Errorf("the line of the log is %q; want it printable", line)
	}
	if s := r.String(); strings.ContainsFunc(s, hidden) || len(s) > 1<<10 {
		t.Errorf("String() = %q; want one printable line of at most 1024 bytes", s)
	}
	if text, err := r.MarshalJSON(); err != nil || bytes.ContainsAny(text, "\x1b\r\n\x00\a") {
		t.Errorf("MarshalJSON() = %q, %v; want no control characters", text, err)
	}
}
