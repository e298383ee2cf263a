//go:build linux

package e2e_test

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

// A row is what a check of one target at a server finds.
type row struct {
	name   string
	target string // a port is called as in the server's configuration: "https://site.test:secure/"
	opts   []checker.Option

	reason    checker.Reason // "": Online
	phase     checker.Phase
	code      int
	proto     string // default: "HTTP/1.1" if there is a code
	method    string // default: HEAD
	redirects int
	shows     string // the name in the certificate that Result.TLS describes; "": there is none
	also      func(*testing.T, checker.Result)
}

var (
	judged   = checker.WithJudge(checker.StatusIn(200, 299))
	followed = checker.WithRedirects(3)
	short    = checker.WithTimeout(600 * time.Millisecond)
	password = checker.WithHeader("Authorization", "Basic dXNlcjpwYXNzd29yZA==") // user:password
)

// with is a list of options.
func with(opts ...checker.Option) []checker.Option { return opts }

// check checks the targets of a table, with the options that all rows share
// and then the row's own.
func (p *place) check(t *testing.T, rows []row, shared ...checker.Option) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			base := []checker.Option{checker.WithTimeout(5 * time.Second), checker.WithRetries(0)}
			c, err := checker.New(slices.Concat(base, shared, r.opts)...)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Check(t.Context(), p.url(r.target))
			r.compare(t, got)
			if got.Addr.Addr() != p.Addr {
				t.Errorf("Check(%q).Addr = %v; want one at %v", got.Target, got.Addr, p.Addr)
			}
			if r.also != nil {
				r.also(t, got)
			}
		})
	}
}

// compare compares what a check found with what is wanted.
func (w row) compare(t *testing.T, r checker.Result) {
	t.Helper()
	status := checker.Online
	if w.reason != "" {
		status = w.reason.Status()
	}
	var phase checker.Phase
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		phase = e.Phase
	}
	if r.Status() != status || r.Reason() != w.reason || phase != w.phase {
		t.Errorf("Check(%q).Err = %v (%s, %q in %q); want %s, %q in %q",
			r.Target, r.Err, r.Status(), r.Reason(), phase, status, w.reason, w.phase)
	}
	asCatalogued(t, w.name, r)
	proto := w.proto
	if w.code != 0 {
		proto = cmp.Or(proto, "HTTP/1.1")
	}
	method := cmp.Or(w.method, http.MethodHead)
	if r.StatusCode != w.code || r.Proto != proto || r.Method != method || len(r.Hops) != w.redirects {
		t.Errorf("Check(%q): %s gave %q %d after %d redirects; want %s, %q %d, %d",
			r.Target, r.Method, r.Proto, r.StatusCode, len(r.Hops), method, proto, w.code, w.redirects)
	}
	w.compareTLS(t, r)
}

func (w row) compareTLS(t *testing.T, r checker.Result) {
	t.Helper()
	switch {
	case w.shows == "" && r.TLS != nil:
		t.Errorf("Check(%q).TLS = %+v; want nil", r.Target, r.TLS)
	case w.shows != "" && (r.TLS == nil || !slices.Equal(r.TLS.DNSNames, []string{w.shows})):
		t.Errorf("Check(%q).TLS = %+v; want a certificate for %q", r.Target, r.TLS, w.shows)
	case r.TLS != nil && (r.TLS.Version == "" || r.TLS.CipherSuite == "" || r.TLS.NotBefore.IsZero() || r.TLS.NotAfter.IsZero()):
		t.Errorf("Check(%q).TLS = %+v; want the session and the dates", r.Target, r.TLS)
	}
}

// vhosts has the rows that every server with the virtual hosts of a shop
// shares: how good their certificates are does not depend on the server.
func vhosts(ca *shop) []row {
	bad := func(name, host, shows string) row {
		return row{
			name: name, target: "https://" + host + ":secure/", shows: shows,
			reason: checker.ReasonCertificate, phase: checker.PhaseTLS,
		}
	}
	good := func(name, host string) row {
		return row{name: name, target: "https://" + host + ":secure/", code: 200, shows: host}
	}
	expired := bad("expired", "expired.test", "expired.test")
	expired.also = func(t *testing.T, r checker.Result) {
		if r.TLS != nil && r.TLS.NotAfter.Year() != 2020 {
			t.Errorf("Check(%q).TLS.NotAfter = %v; want a day in 2020", r.Target, r.TLS.NotAfter)
		}
	}
	return []row{
		good("https", "site.test"),
		good("https with an intermediate", "chain.test"),
		expired,
		bad("not yet valid", "future.test", "future.test"),
		bad("for another host", "wrong.test", "another.test"),
		bad("of an unknown authority", "untrusted.test", "untrusted.test"),
		bad("without the intermediate", "nochain.test", "nochain.test"),
		{
			name: "no scheme", target: "site.test:plain/", code: 200,
			also: func(t *testing.T, r checker.Result) {
				if !strings.HasPrefix(r.URL, "http://site.test:") {
					t.Errorf("Check(%q).URL = %q; want http", r.Target, r.URL)
				}
			},
		},
		{
			name: "https on the plain port", target: "https://site.test:plain/",
			reason: checker.ReasonTLS, phase: checker.PhaseTLS,
		},
		{
			name: "TLS 1.1", target: "https://site.test:old/",
			reason: checker.ReasonTLS, phase: checker.PhaseTLS,
		},
		{
			name: "TLS 1.1 and a caller who allows it", target: "https://site.test:old/", opts: with(ca.trustOld()),
			code: 200, shows: "site.test",
			also: func(t *testing.T, r checker.Result) {
				if r.TLS != nil && r.TLS.Version != "TLS 1.1" {
					t.Errorf("Check(%q).TLS.Version = %q; want TLS 1.1", r.Target, r.TLS.Version)
				}
			},
		},
	}
}

// clients has the rows that servers share which refuse, by an alert, clients
// without a certificate: with TLS 1.2 in the handshake, with TLS 1.3 after it.
func clients(ca *shop) []row {
	var rows []row
	for _, v := range []struct{ version, port string }{{"TLS 1.2", "mutual12"}, {"TLS 1.3", "mutual"}} {
		version, target := v.version, "https://site.test:"+v.port+"/"
		rows = append(rows, row{
			name: "client certificate wanted, " + version, target: target,
			reason: checker.ReasonTLS, phase: checker.PhaseTLS, shows: "site.test",
		}, row{
			name: "client certificate unknown, " + version, target: target, opts: with(ca.as(ca.rogue)),
			reason: checker.ReasonTLS, phase: checker.PhaseTLS, shows: "site.test",
		}, row{
			name: "client certificate given, " + version, target: target, opts: with(ca.as(ca.client)),
			code: 200, shows: "site.test",
		})
	}
	return rows
}

// answers has the rows that every server shares whose plain port answers as the
// paths say.
func answers() []row {
	return []row{
		{name: "http", target: "http://site.test:plain/", code: 200},
		{name: "http, judged", target: "http://site.test:plain/", opts: with(judged), code: 200},
		{name: "http by GET", target: "http://site.test:plain/", opts: with(checker.WithMethod("GET")), code: 200, method: "GET"},
		{name: "HEAD refused", target: "http://site.test:plain/nohead", code: 405},
		{name: "HEAD refused, judged", target: "http://site.test:plain/nohead", opts: with(judged), code: 200, method: "GET"},
		{name: "redirect", target: "http://site.test:plain/moved", code: 301},
		{name: "redirect followed", target: "http://site.test:plain/moved", opts: with(followed), code: 200, redirects: 1},
		{name: "redirect to https followed", target: "http://site.test:plain/upgrade", opts: with(followed), code: 200, redirects: 1, shows: "site.test"},
		{
			name: "redirects in a loop", target: "http://site.test:plain/loop", opts: with(followed), code: 302, method: http.MethodGet, redirects: 3,
			reason: checker.ReasonRedirect, phase: checker.PhaseJudge,
		},
		{name: "not found", target: "http://site.test:plain/nothing", code: 404},
		{
			name: "not found, judged", target: "http://site.test:plain/nothing", opts: with(judged), code: 404, method: "GET",
			reason: checker.ReasonRejected, phase: checker.PhaseJudge,
		},
		{name: "unavailable", target: "http://site.test:plain/down", code: 503},
		{name: "password wanted", target: "http://site.test:plain/private", code: 401},
		{name: "password given", target: "http://site.test:plain/private", opts: with(password), code: 200},
		{
			name: "password wanted, judged", target: "http://site.test:plain/private", opts: with(judged), code: 401, method: "GET",
			reason: checker.ReasonRejected, phase: checker.PhaseJudge,
		},
	}
}
