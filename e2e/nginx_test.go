//go:build linux

package e2e_test

import (
	"slices"
	"testing"

	"example.com/checker"
)

var nginx = daemon{
	name: "nginx",
	pkg:  "nginx-light",
	args: func(p *place) []string {
		// Without -e it would first try to write to the system's log.
		return []string{"-e", "stderr", "-p", p.Dir, "-c", p.Dir + "/config", "-g", "daemon off;"}
	},
}

// nginxHead is the part of a configuration that says nothing about sites. The
// directories are within the place, for the system's belong to the system's
// nginx.
const nginxHead = `
{{if .Root}}user www-data www-data;{{end}}
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	default_type text/plain;
	root www;
`

const nginxSites = nginxHead + `
	server {
		listen {{.Listen "plain"}};
		server_name site.test;
		location = /nohead {
			if ($request_method = HEAD) { return 405; }
			try_files /index.html =404;
		}
		location = /moved { return 301 http://$http_host/; }
		location = /upgrade { return 301 https://site.test:{{.Port "secure"}}/; }
		location = /loop { return 302 /loop; }
		location = /down { return 503; }
		location = /hangup { return 444; }
		location = /private {
			auth_basic "private";
			auth_basic_user_file passwords;
			try_files /index.html =404;
		}
	}
{{range .Shop.Names}}
	server {
		listen {{$.Listen "secure"}} ssl;
		server_name {{.}};
		ssl_certificate {{.}}.pem;
		ssl_certificate_key {{.}}.pem;
	}
{{end}}
	server {
		listen {{.Listen "secure"}} ssl;
		server_name stranger.test;
		ssl_reject_handshake on;
	}
	server {
		listen {{.Listen "mutual"}} ssl;
		server_name site.test;
		ssl_certificate site.test.pem;
		ssl_certificate_key site.test.pem;
		ssl_client_certificate roots.pem;
		ssl_verify_client on;
	}
	server {
		listen {{.Listen "old"}} ssl;
		server_name site.test;
		ssl_certificate site.test.pem;
		ssl_certificate_key site.test.pem;
		ssl_protocols TLSv1 TLSv1.1;
		ssl_ciphers ALL:@SECLEVEL=0;
	}
	server { listen {{.Listen "h2c"}} http2; }
	server {
		listen {{.Listen "both"}} ssl http2;
		server_name site.test;
		ssl_certificate site.test.pem;
		ssl_certificate_key site.test.pem;
	}
}
`

func TestNginx(t *testing.T) {
	p := newPlace(t, "127.0.80.1")
	p.write("www/index.html", "hello\n")
	p.write("passwords", "user:{PLAIN}password\n")
	p.Shop = newShop(t, p)
	nginx.start(t, p, nginxSites)
	ca := p.Shop
	rows := slices.Concat(answers(), vhosts(ca), []row{
		{
			name: "closed without an answer", target: "http://site.test:plain/hangup",
			reason: checker.ReasonReset, phase: checker.PhaseResponse,
		},
		{name: "D12 http on the https port", target: "http://site.test:secure/", code: 400},
		{name: "P4 no scheme on the https port", target: "site.test:secure/", code: 200, shows: "site.test"},
		{
			name: "P4 no scheme on the https port, untrusted", target: "untrusted.test:secure/",
			reason: checker.ReasonCertificate, phase: checker.PhaseTLS, shows: "untrusted.test",
		},
		{
			name: "no certificate for the name", target: "https://stranger.test:secure/",
			reason: checker.ReasonTLS, phase: checker.PhaseTLS,
		},
		{name: "HTTP/2 offered", target: "https://site.test:both/", code: 200, shows: "site.test"},
		{
			name: "HTTP/2 only, without TLS", target: "http://site.test:h2c/",
			reason: checker.ReasonMalformed, phase: checker.PhaseResponse,
		},
		// It shakes hands with everybody and refuses afterwards.
		{name: "client certificate wanted", target: "https://site.test:mutual/", code: 400, shows: "site.test"},
		{
			name: "client certificate unknown", target: "https://site.test:mutual/", opts: with(ca.as(ca.rogue)),
			code: 400, shows: "site.test",
		},
		{
			name: "client certificate given", target: "https://site.test:mutual/", opts: with(ca.as(ca.client)),
			code: 200, shows: "site.test",
		},
	})
	p.check(t, rows, ca.trust(), checker.WithResolver(p.resolver(append(ca.Names(), "stranger.test")...)))
}
