//go:build linux

package e2e_test

import (
	"crypto/tls"
	"slices"
	"testing"

	"example.com/checker"
)

const apacheModules = "/usr/lib/apache2/modules"

var apache = daemon{
	name:   "apache2",
	module: apacheModules + "/mod_ssl.so",
	pkg:    "apache2",
	args: func(p *place) []string {
		return []string{"-DFOREGROUND", "-d", p.Dir, "-f", p.Dir + "/config"}
	},
}

const apacheSites = `
{{range .Modules}}
LoadModule {{.}}_module ` + apacheModules + `/mod_{{.}}.so
{{end}}
{{if .Root}}
User www-data
Group www-data
{{end}}
ServerName site.test
DefaultRuntimeDir {{.Dir}}
PidFile pid
ErrorLog /dev/stderr
DocumentRoot www
DirectoryIndex index.html
KeepAlive On
SSLSessionCache none

Listen {{.Listen "plain"}}
<VirtualHost {{.Listen "plain"}}>
	ServerName site.test
	RewriteEngine On
	RewriteCond %{REQUEST_METHOD} =HEAD
	RewriteRule ^/nohead$ - [R=405,L]
	RewriteRule ^/nohead$ /index.html
	RewriteRule ^/private$ /private/index.html [PT]
	Redirect 301 /moved http://site.test:{{.Port "plain"}}/
	Redirect 301 /upgrade https://site.test:{{.Port "secure"}}/
	Redirect 302 /loop http://site.test:{{.Port "plain"}}/loop
	Redirect 503 /down
	<Location /private>
		AuthType Basic
		AuthName private
		AuthUserFile passwords
		Require valid-user
	</Location>
</VirtualHost>

Listen {{.Listen "secure"}}
{{range .Shop.Names}}
<VirtualHost {{$.Listen "secure"}}>
	ServerName {{.}}
	SSLEngine on
	SSLCertificateFile {{.}}.pem
</VirtualHost>
{{end}}

# Here a certificate is asked for after the request has come, which TLS 1.3
# has clients offer beforehand and Go's does not.
Listen {{.Listen "part"}}
<VirtualHost {{.Listen "part"}}>
	ServerName site.test
	SSLEngine on
	SSLCertificateFile site.test.pem
	SSLCACertificateFile roots.pem
	<Location /private>
		SSLVerifyClient require
	</Location>
</VirtualHost>

# Up to TLS 1.2 it asks by a renegotiation.
Listen {{.Listen "again"}}
<VirtualHost {{.Listen "again"}}>
	ServerName site.test
	SSLEngine on
	SSLProtocol TLSv1.2
	SSLCertificateFile site.test.pem
	SSLCACertificateFile roots.pem
	<Location />
		SSLVerifyClient optional
	</Location>
	<Location /private>
		SSLVerifyClient require
	</Location>
</VirtualHost>

Listen {{.Listen "old"}}
<VirtualHost {{.Listen "old"}}>
	ServerName site.test
	SSLEngine on
	SSLProtocol TLSv1 TLSv1.1
	SSLCipherSuite ALL:@SECLEVEL=0
	SSLCertificateFile site.test.pem
</VirtualHost>

Listen {{.Listen "mutual"}}
<VirtualHost {{.Listen "mutual"}}>
	ServerName site.test
	SSLEngine on
	SSLCertificateFile site.test.pem
	SSLCACertificateFile roots.pem
	SSLVerifyClient require
</VirtualHost>

Listen {{.Listen "mutual12"}}
<VirtualHost {{.Listen "mutual12"}}>
	ServerName site.test
	SSLEngine on
	SSLProtocol TLSv1.2
	SSLCertificateFile site.test.pem
	SSLCACertificateFile roots.pem
	SSLVerifyClient require
</VirtualHost>

Listen {{.Listen "both"}}
<VirtualHost {{.Listen "both"}}>
	ServerName site.test
	Protocols h2 http/1.1
	SSLEngine on
	SSLCertificateFile site.test.pem
</VirtualHost>
`

// Modules returns what Apache httpd is to be made of.
func (*place) Modules() []string {
	return []string{
		"mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic",
		"alias", "dir", "http2", "rewrite", "socache_shmcb", "ssl",
	}
}

func TestApache(t *testing.T) {
	p := newPlace(t, "127.0.80.2")
	p.write("www/index.html", "hello\n")
	p.write("www/private/index.html", "hello\n")
	p.write("passwords", "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n") // password
	p.Shop = newShop(t, p)
	apache.start(t, p, apacheSites)
	ca := p.Shop
	rows := slices.Concat(answers(), vhosts(ca), clients(ca), []row{
		{name: "http on the https port", target: "http://site.test:secure/", code: 400},
		{name: "P4 no scheme on the https port", target: "site.test:secure/", code: 200, shows: "site.test"},
		{
			name: "P4 no scheme on the https port, expired", target: "expired.test:secure/",
			reason: checker.ReasonCertificate, phase: checker.PhaseTLS, shows: "expired.test",
		},
		{name: "HTTP/2 offered", target: "https://site.test:both/", code: 200, shows: "site.test"},
		{
			name: "client certificate wanted for a part", target: "https://site.test:part/private", opts: with(ca.as(ca.client)),
			code: 403, shows: "site.test",
		},
	}, renegotiations(ca))
	p.check(t, rows, ca.trust(), checker.WithResolver(p.resolver(ca.Names()...)))
}

// renegotiations has the rows of a server that asks for a client certificate once
// it knows the path.
func renegotiations(ca *shop) []row {
	root, private := "https://site.test:again/", "https://site.test:again/private"
	only12 := checker.WithTLSConfig(&tls.Config{RootCAs: ca.roots, MaxVersion: tls.VersionTLS12})
	return []row{
		{name: "P2 renegotiation", target: root, code: 200, shows: "site.test"},
		{name: "P2 renegotiation, GET", target: root, opts: with(checker.WithMethod("GET")), code: 200, method: "GET", shows: "site.test"},
		{name: "P2 renegotiation, judged", target: root, opts: with(judged), code: 200, shows: "site.test"},
		{name: "P2 renegotiation, certificate given", target: private, opts: with(ca.as(ca.client)), code: 301, shows: "site.test"},
		{name: "P2 renegotiation fails", target: private, reason: checker.ReasonTLS, phase: checker.PhaseResponse, shows: "site.test"},
		{
			name: "P2 no renegotiation, versions chosen by the caller", target: root, opts: with(only12),
			reason: checker.ReasonTLS, phase: checker.PhaseResponse, shows: "site.test",
		},
	}
}
