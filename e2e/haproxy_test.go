//go:build linux

package e2e_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/checker"
)

var haproxy = daemon{
	name: "haproxy",
	pkg:  "haproxy",
	args: func(p *place) []string { return []string{"-db", "-f", p.Dir + "/config"} },
}

// HAProxy stays what it was started as, since it needs a privilege to drop a
// connection in silence.
const haproxySites = `
global
	crt-base {{.Dir}}
	ca-base {{.Dir}}

defaults
	mode http
	timeout connect 5s
	timeout client 10s
	timeout server 10s

userlist users
	user user insecure-password password

frontend site
	bind {{.Listen "plain"}}
	bind {{.Listen "secure"}} ssl crt site.test.pem crt-list {{.Dir}}/hosts
	bind {{.Listen "strict"}} ssl crt site.test.pem strict-sni
	bind {{.Listen "old"}} ssl crt site.test.pem ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 ciphers ALL:@SECLEVEL=0
	bind {{.Listen "mutual"}} ssl crt site.test.pem ca-file roots.pem verify required
	bind {{.Listen "mutual12"}} ssl crt site.test.pem ca-file roots.pem verify required ssl-max-ver TLSv1.2
	bind {{.Listen "both"}} ssl crt site.test.pem alpn h2,http/1.1
	bind {{.Listen "alpn"}} ssl crt site.test.pem alpn h2
	bind {{.Listen "h2"}} ssl crt site.test.pem alpn h2 proto h2
	bind {{.Listen "h2mutual"}} ssl crt site.test.pem ca-file roots.pem verify required alpn h2 proto h2
	bind {{.Listen "h2c"}} proto h2
	http-request deny deny_status 405 if METH_HEAD { path /nohead }
	http-request redirect location / code 301 if { path /moved }
	http-request redirect location https://site.test:{{.Port "secure"}}/ code 301 if { path /upgrade }
	http-request redirect location /loop code 302 if { path /loop }
	http-request auth realm private if { path /private } !{ http_auth(users) }
	http-request return status 404 if { path /nothing }
	use_backend empty if { path /down }
	use_backend dead if { path /dead }
	default_backend hello

frontend reject
	bind {{.Listen "reject"}}
	mode tcp
	tcp-request inspect-delay 10s
	tcp-request content reject if { req.len gt 0 }
	default_backend tcp

frontend drop
	bind {{.Listen "drop"}}
	mode tcp
	tcp-request inspect-delay 10s
	tcp-request content silent-drop if { req.len gt 0 }
	default_backend tcp

backend hello
	http-request return status 200 content-type text/plain string hello

backend empty

backend dead
	retries 0
	server none {{.Addr}}:1

backend tcp
	mode tcp
`

func TestHAProxy(t *testing.T) {
	p := newPlace(t, "127.0.80.3")
	p.Shop = newShop(t, p)
	p.write("hosts", "{{range .Shop.Names}}{{.}}.pem {{.}}\n{{end}}")
	haproxy.start(t, p, haproxySites)
	ca := p.Shop
	rows := slices.Concat(answers(), vhosts(ca), clients(ca), []row{
		{name: "C15 no live server", target: "http://site.test:plain/dead", code: 503},
		{
			name: "http on the https port", target: "http://site.test:secure/",
			reason: checker.ReasonReset, phase: checker.PhaseResponse,
		},
		{
			name: "no certificate for the name", target: "https://stranger.test:strict/",
			reason: checker.ReasonTLS, phase: checker.PhaseTLS,
		},
		{name: "HTTP/2 offered", target: "https://site.test:both/", code: 200, shows: "site.test"},
		// Without an agreement on HTTP/2 it speaks HTTP/1.1 for all that.
		{name: "HTTP/2 alone offered", target: "https://site.test:alpn/", code: 200, shows: "site.test"},
		{
			name: "HTTP/2 only", target: "https://site.test:h2/",
			code: 200, proto: "HTTP/2.0", shows: "site.test",
		},
		{
			name: "HTTP/2 only, HEAD refused", target: "https://site.test:h2/nohead",
			code: 405, proto: "HTTP/2.0", shows: "site.test",
		},
		{
			name: "HTTP/2 only, HEAD refused, judged", target: "https://site.test:h2/nohead", opts: with(judged),
			code: 200, proto: "HTTP/2.0", method: "GET", shows: "site.test",
		},
		{
			name: "HTTP/2 only, redirect followed", target: "https://site.test:h2/moved", opts: with(followed),
			code: 200, proto: "HTTP/2.0", redirects: 1, shows: "site.test",
		},
		{
			name: "HTTP/2 only, client certificate wanted", target: "https://site.test:h2mutual/",
			reason: checker.ReasonTLS, phase: checker.PhaseTLS, shows: "site.test",
		},
		{
			name: "HTTP/2 only, client certificate given", target: "https://site.test:h2mutual/", opts: with(ca.as(ca.client)),
			code: 200, proto: "HTTP/2.0", shows: "site.test",
		},
		{
			name: "HTTP/2 only, without TLS", target: "http://site.test:h2c/",
			reason: checker.ReasonReset, phase: checker.PhaseResponse,
		},
		{
			name: "C15 rejected", target: "http://site.test:reject/",
			reason: checker.ReasonReset, phase: checker.PhaseResponse,
		},
	})
	dropped := row{
		name: "dropped", target: "http://site.test:drop/", opts: with(short),
		reason: checker.ReasonTimeout, phase: checker.PhaseResponse,
	}
	if !mayDrop(t) {
		dropped.reason = checker.ReasonReset
	}
	p.check(t, append(rows, dropped), ca.trust(), checker.WithResolver(p.resolver(append(ca.Names(), "stranger.test")...)))
}

// mayDrop reports whether this process, and so HAProxy, has CAP_NET_ADMIN.
// Without it HAProxy sends its reset with a time to live of one, which does not
// reach a client beyond a router but does reach one on loopback.
func mayDrop(t *testing.T) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nCapEff:\t")
	text, _, _ := strings.Cut(rest, "\n")
	caps, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	const netAdmin = 12 // from linux/capability.h
	return caps&(1<<netAdmin) != 0
}
