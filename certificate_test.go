package checker_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// What is said of a certificate names which one it is and what is wrong with it,
// and begins with that. In a bubble it is the year 2000.
func TestCertificateSentences(t *testing.T) {
	ca, other := hostile.NewCA(t), hostile.NewCA(t)
	site := []string{"site.test"}
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	names := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s%d.test", strings.Repeat("n", 50), i))
		}
		return names
	}
	change := func(f func(*x509.Certificate)) *tls.Config { return ca.Config(hostile.Cert{Names: site, Change: f}) }
	via := func(f func(*x509.Certificate)) *tls.Config {
		return ca.Config(hostile.Cert{Names: site, Via: ca.Intermediate(f)})
	}
	root, stranger := ca.Certificate().Raw, other.Intermediate(func(c *x509.Certificate) { c.Subject.CommonName = "test stranger" }).Certificate().Raw
	sub, impostor := ca.Intermediate(nil), ca.Intermediate(nil)
	odd := ca.Intermediate(func(c *x509.Certificate) { c.Subject.CommonName, c.SerialNumber = "odd", big.NewInt(0x11223344) })
	forged := ca.Forge(tls.Certificate{Certificate: [][]byte{odd.Certificate().Raw}}, []byte{0x11, 0x22, 0x33, 0x44}, []byte{0x91, 0x22, 0x33, 0x44})
	unknown := hostile.NewCA(t)
	unknown.Certificate().RawSubject = []byte("\x30\x15\x31\x13\x30\x11\x06\x03\x55\x04\x03\x0c\x0astray root")
	stray := unknown.Intermediate(nil)
	long := strings.Repeat("n", 600)
	cut := long[:97] + "…"
	email := []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	outer := ca.Intermediate(func(c *x509.Certificate) { c.Subject.CommonName, c.MaxPathLenZero = "outer", true })
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Critical: true, Value: []byte("\x05\x00")}}
	}
	for _, test := range []struct {
		name  string
		cause checker.Cause
		conf  *tls.Config
		want  string // behind the Reason's own sentence
	}{
		{"P5a expired", checker.CauseExpired, ca.Config(hostile.Cert{Names: site, NotAfter: year(1999)}), "it expired on 1999-01-01 00:00:00 UTC"},
		{"P5a not yet valid", checker.CauseNotYetValid, ca.Config(hostile.Cert{Names: site, NotBefore: year(2099)}), "it is not valid before 2099-01-01 00:00:00 UTC"},
		{"P5a self-signed", checker.CauseSelfSigned, rootAsLeaf(t, 0), "it is self-signed, by test root"},
		{"P5a untrusted root, sent", checker.CauseUnknownAuthority, other.Config(hostile.Cert{Names: site, With: [][]byte{other.Certificate().Raw}}), "its root, test root, is not trusted here"},
		{
			"P5a untrusted root, sent behind an intermediate", checker.CauseUnknownAuthority,
			other.Config(hostile.Cert{Names: site, Via: other.Intermediate(nil), With: [][]byte{other.Certificate().Raw}}),
			"its root, test root, is not trusted here",
		},
		{
			"P6 no intermediate", checker.CauseIncompleteChain, ca.Config(hostile.Cert{Names: site, Via: ca.Intermediate(nil), Omit: true}),
			"the server did not send the certificate of its issuer, test intermediate; no root of that name is trusted here",
		},
		{
			"P6 no intermediate but the root", checker.CauseIncompleteChain, ca.Config(hostile.Cert{Names: site, Via: ca.Intermediate(nil), Omit: true, With: [][]byte{root}}),
			"the server did not send the certificate of its issuer, test intermediate, but that of test root; no root of that name is trusted here",
		},
		{
			"P5a another intermediate", checker.CauseIncompleteChain, ca.Config(hostile.Cert{Names: site, Via: ca.Intermediate(nil), Omit: true, With: [][]byte{stranger}}),
			"the server did not send the certificate of its issuer, test intermediate, but that of test stranger; no root of that name is trusted here",
		},
		{
			"P5a another intermediate of that name", checker.CauseIncompleteChain, ca.Config(hostile.Cert{Names: site, Via: sub, Omit: true, With: [][]byte{impostor.Certificate().Raw}}),
			"the certificate that the server sent of its issuer, test intermediate, is not the one that signed",
		},
		{"P5a the intermediate has expired", checker.CauseExpired, via(func(c *x509.Certificate) { c.NotAfter = year(1999) }), "the certificate of its issuer, test intermediate, expired on 1999-01-01 00:00:00 UTC"},
		{
			"P5a the intermediate is no authority", checker.CauseUnknownAuthority, via(func(c *x509.Certificate) { c.IsCA = false }),
			"the certificate of its issuer, test intermediate, is not an authority's",
		},
		{"P5a another host", checker.CauseWrongHost, ca.Config(hostile.Cert{Names: []string{"a.test", "b.test"}}), "it is not for site.test but for a.test, b.test"},
		{"P5a an address", checker.CauseWrongHost, ca.Config(hostile.Cert{Names: []string{"192.0.2.1"}}), "it is not for site.test but for 192.0.2.1"},
		{"P5a 5 other hosts", checker.CauseWrongHost, ca.Config(hostile.Cert{Names: names(5)}), "it is not for site.test but for " + strings.Join(names(5), ", ")},
		{"P5a 60 other hosts", checker.CauseWrongHost, ca.Config(hostile.Cert{Names: names(60)}), "it is not for site.test but for " + strings.Join(names(5), ", ") + " and 55 more"},
		{"P5a no host", checker.CauseWrongHost, ca.Config(hostile.Cert{}), "it is not for site.test and names no host"},
		{
			"P5a only a common name", checker.CauseWrongHost, ca.Config(hostile.Cert{CommonName: "site.test"}),
			"it is not for site.test and names a host in its common name only, site.test, which does not count",
		},
		{
			"P5a the intermediate's long name", checker.CauseExpired, via(func(c *x509.Certificate) { c.NotAfter, c.Subject.CommonName = year(1999), long }),
			"the certificate of its issuer, " + cut + ", expired on 1999-01-01 00:00:00 UTC",
		},
		{
			"P5a a long common name", checker.CauseWrongHost, ca.Config(hostile.Cert{CommonName: long}),
			"it is not for site.test and names a host in its common name only, " + cut + ", which does not count",
		},
		{
			"P6 no intermediate, of a long name", checker.CauseIncompleteChain, ca.Config(hostile.Cert{Names: site, Omit: true, Via: ca.Intermediate(func(c *x509.Certificate) {
				c.Subject = pkix.Name{Organization: []string{long}}
			})}),
			"the server did not send the certificate of its issuer, O=" + cut[2:] + "; no root of that name is trusted here",
		},
		{
			"P5a the intermediate is not for servers", "", via(func(c *x509.Certificate) { c.ExtKeyUsage = email }),
			"the certificate of its issuer, test intermediate, is not for servers",
		},
		{
			"P5a the intermediate is for other names", "", via(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"other.test"} }),
			`the certificate of its issuer, test intermediate, does not allow one of the names: DNS name "site.test" is not permitted by any constraint`,
		},
		{
			"P5a the intermediate cannot be parsed", checker.CauseUnparsable, ca.Config(hostile.Cert{Names: site, Via: odd, Omit: true, With: forged.Certificate}),
			"a certificate that the server sent beside its own cannot be parsed: negative serial number",
		},
		{"P5a a critical extension", "", change(critical), "it has a critical extension that is not known here, 1.2.3"},
		{
			"P5a a critical extension of the intermediate", "", via(critical),
			"the certificate of its issuer, test intermediate, has a critical extension that is not known here, 1.2.3",
		},
		{
			"P5a policies", "", via(func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 36}, Critical: true, Value: []byte("\x30\x03\x80\x01\x00")}}
			}),
			"no chain from it to a trusted root is valid: 1 candidate chains with invalid policies",
		},
		{"P5a not for servers", "", change(func(c *x509.Certificate) { c.ExtKeyUsage = email }), "it is not for servers"},
		{
			"P5a for nothing that is known", "", change(func(c *x509.Certificate) {
				c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
			}),
			"it is not for servers",
		},
		{
			"P5a for anything, but the intermediate is not for servers", "", ca.Config(hostile.Cert{
				Names: site, Change: func(c *x509.Certificate) { c.ExtKeyUsage = nil }, Via: ca.Intermediate(func(c *x509.Certificate) { c.ExtKeyUsage = email }),
			}),
			"the certificate of its issuer, test intermediate, is not for servers",
		},
		{
			"P5a one intermediate too many", "", ca.Config(hostile.Cert{Names: site, Via: outer.Intermediate(nil), With: [][]byte{outer.Certificate().Raw}}),
			"the certificate of one of its issuers, outer, does not allow so many certificates below it",
		},
		{
			"P5b an authority's", "", change(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }),
			"it is an authority's and not a server's: its key usage lacks digitalSignature",
		},
		{
			"P5b for another use", "", change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
			"it is not for this handshake: its key usage lacks digitalSignature",
		},
		{"P5a SHA-1", checker.CauseWeak, ca.Config(hostile.Cert{Names: site, Algorithm: x509.ECDSAWithSHA1}), "the signature of its issuer, test root, is too weak: ECDSA-SHA1"},
		{
			"P5a SHA-1, by an intermediate", checker.CauseWeak, ca.Config(hostile.Cert{Names: site, Algorithm: x509.ECDSAWithSHA1, Via: ca.Intermediate(nil)}),
			"the signature of its issuer, test intermediate, is too weak: ECDSA-SHA1",
		},
		{
			"P5a the intermediate has SHA-1", checker.CauseWeak, via(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }),
			"the signature of test root, the issuer of test intermediate, is too weak: ECDSA-SHA1",
		},
		{
			"P5a SHA-1 and no intermediate", checker.CauseIncompleteChain,
			ca.Config(hostile.Cert{Names: site, Algorithm: x509.ECDSAWithSHA1, Via: ca.Intermediate(nil), Omit: true}),
			"the server did not send the certificate of its issuer, test intermediate; no root of that name is trusted here",
		},
		{"P5a self-signed with SHA-1", checker.CauseSelfSigned, rootAsLeaf(t, x509.SHA1WithRSA), "it is self-signed, by test root"},
		{
			"P5a untrusted root, not sent, of a name that is trusted", checker.CauseUnknownAuthority, other.Config(hostile.Cert{Names: site}),
			"its issuer, test root, is not the one of that name that is trusted here",
		},
		{
			"P5a untrusted root, not sent behind an intermediate", checker.CauseUnknownAuthority,
			ca.Config(hostile.Cert{Names: site, Via: stray}),
			"stray root, the issuer of test intermediate, is not trusted here, and the server did not send its certificate",
		},
		{
			"P5a its own name and another key", checker.CauseIncompleteChain,
			ca.Config(hostile.Cert{Names: site, CommonName: "test intermediate", Via: ca.Intermediate(nil), Omit: true}),
			"the server did not send the certificate of its issuer, test intermediate; no root of that name is trusted here",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, nil, hostile.TLS(test.conf, hostile.Respond(hostile.OK)))
				opts := faults.On(n, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
				r := faults.NewChecker(t, opts...).Check(t.Context(), "https://site.test/")
				const before = "https://site.test/: the certificate was refused: "
				if r.Reason() != checker.ReasonCertificate || r.Cause() != test.cause || r.Err.Error() != before+test.want || r.TLS == nil {
					t.Errorf("Check().Err = %v, %q, TLS %v; want %s, %q", r.Err, r.Cause(), r.TLS, before+test.want, test.cause)
				}
			})
		})
	}
}

// P5a: an address among a certificate's names is none among its addresses.
func TestAddressAsName(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Change: func(c *x509.Certificate) { c.DNSNames = []string{"127.0.0.1"} }})
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
	want := s.URLS() + "/: the certificate was refused: it is not for 127.0.0.1: it has that as a name and not as an address"
	if r := c.Check(t.Context(), s.URLS()); r.Reason() != checker.ReasonCertificate || r.Err.Error() != want {
		t.Errorf("Check(%q).Err = %v; want %s", s.URLS(), r.Err, want)
	}
}

// rootAsLeaf is a server with a certificate that it signed by itself.
func rootAsLeaf(t *testing.T, algorithm x509.SignatureAlgorithm) *tls.Config {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SignatureAlgorithm: algorithm,
		SerialNumber:       hostile.NewCA(t).Certificate().SerialNumber, Subject: pkix.Name{CommonName: "test root"}, DNSNames: []string{"site.test"},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// A handshake that fails tells by whose will, and of what.
func TestHandshakeSentences(t *testing.T) {
	ca := hostile.NewCA(t)
	alert := func(number byte) hostile.Handler {
		return hostile.AfterHello(func(_ context.Context, conn net.Conn) { conn.Write([]byte{21, 3, 3, 0, 2, 2, number}) })
	}
	say := func(text string) hostile.Handler {
		return hostile.AfterHello(func(_ context.Context, conn net.Conn) { io.WriteString(conn, text) })
	}
	client := func(v uint16) hostile.Handler {
		conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
		conf.ClientAuth, conf.MaxVersion = tls.RequireAnyClientCert, v
		return hostile.TLS(conf, hostile.Respond(hostile.OK))
	}
	for _, test := range []struct {
		name  string
		site  hostile.Handler
		cause checker.Cause
		want  string
	}{
		{"P5 no suite", alert(40), checker.CauseNoCipher, "the site refused: it accepts no cipher suite or curve that was offered (handshake_failure)"},
		{"P5 no version", alert(70), checker.CauseNoVersion, "the site refused: it speaks no version of TLS that was offered (protocol_version)"},
		{"P5 a client certificate", alert(42), checker.CauseClientCertificate, "the site refused: the client certificate is bad or missing (bad_certificate)"},
		{"P5 no such name", alert(112), checker.CauseUnknownName, "the site refused: it serves no site of this name (unrecognized_name)"},
		{"P5 its own error", alert(80), "", "the site refused: it has an error of its own (internal_error)"},
		{"P5 no protocol", alert(120), checker.CauseNoProtocol, "the site refused: it speaks no protocol that was offered (no_application_protocol)"},
		{"P5 another alert", alert(50), "", "the site refused: error decoding message"},
		{"P5 no known alert", alert(200), "", "the site refused: alert(200)"},
		{"P5 client certificate wanted, TLS 1.2", client(tls.VersionTLS12), checker.CauseClientCertificate, "the site refused: it wants a client certificate (handshake_failure)"},
		{"P5 client certificate wanted, TLS 1.3", client(tls.VersionTLS13), checker.CauseClientCertificate, "the site refused: it wants a client certificate (certificate_required)"},
		{"P5 plain HTTP", say("HTTP/1.1 400 Bad Request\r\n\r\n"), checker.CauseNotTLS, "the port speaks plain HTTP"},
		{"P5 no TLS", say("220 mail.site.test ESMTP\r\n"), checker.CauseNotTLS, "what came back is not TLS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := hostile.Serve(t, "127.0.0.1:0", test.site)
			c := faults.NewChecker(t, checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}))
			r := c.Check(t.Context(), s.URLS())
			want := s.URLS() + "/: the TLS handshake failed: " + test.want
			if r.Reason() != checker.ReasonTLS || r.Cause() != test.cause || !strings.HasPrefix(r.Err.Error(), want) {
				t.Errorf("Check().Err = %v, %q; want %s, %q", r.Err, r.Cause(), want, test.cause)
			}
		})
	}
}
