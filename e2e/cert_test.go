//go:build linux

package e2e_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// A shop is the certificates of the virtual hosts that every server has, each
// in a file DIR/NAME.pem with its key.
type shop struct {
	certs  map[string]tls.Certificate // by virtual host
	roots  *x509.CertPool
	client tls.Certificate
	rogue  tls.Certificate // a client's that the servers do not trust
}

// Names returns the virtual hosts.
func (s *shop) Names() []string { return slices.Sorted(maps.Keys(s.certs)) }

// newShop writes the certificates to a place, and the roots to DIR/roots.pem.
func newShop(t *testing.T, p *place) *shop {
	t.Helper()
	ca, other := hostile.NewCA(t), hostile.NewCA(t)
	sub := ca.Intermediate(nil)
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	s := &shop{
		certs: map[string]tls.Certificate{
			"site.test":      ca.Issue(hostile.Cert{Names: []string{"site.test"}}),
			"expired.test":   ca.Issue(hostile.Cert{Names: []string{"expired.test"}, NotAfter: year(2020)}),
			"future.test":    ca.Issue(hostile.Cert{Names: []string{"future.test"}, NotBefore: year(2099)}),
			"wrong.test":     ca.Issue(hostile.Cert{Names: []string{"another.test"}}),
			"untrusted.test": other.Issue(hostile.Cert{Names: []string{"untrusted.test"}}),
			"chain.test":     ca.Issue(hostile.Cert{Names: []string{"chain.test"}, Via: sub}),
			"nochain.test":   ca.Issue(hostile.Cert{Names: []string{"nochain.test"}, Via: sub, Omit: true}),
		},
		roots:  ca.Pool(),
		client: ca.Issue(hostile.Cert{CommonName: "client"}),
		rogue:  other.Issue(hostile.Cert{CommonName: "rogue"}),
	}
	for name, cert := range s.certs {
		p.write(name+".pem", toPEM(t, cert))
	}
	// The pool does not hand out its certificates, but verification does.
	chains, err := s.client.Leaf.Verify(x509.VerifyOptions{
		Roots: s.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		t.Fatal(err)
	}
	root := chains[0][len(chains[0])-1]
	p.write("roots.pem", toPEM(t, tls.Certificate{Certificate: [][]byte{root.Raw}}))
	return s
}

// toPEM returns a certificate chain and, if there is one, its key.
func toPEM(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	var b bytes.Buffer
	for _, der := range cert.Certificate {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	if cert.PrivateKey != nil {
		der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	return b.String()
}

// trust makes a checker trust the shop's authority.
func (s *shop) trust() checker.Option {
	return checker.WithTLSConfig(&tls.Config{RootCAs: s.roots})
}

// trustOld is trust with versions of TLS that are out of use.
func (s *shop) trustOld() checker.Option {
	return checker.WithTLSConfig(&tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS10})
}

// as makes a checker trust the shop's authority and show a certificate. It is
// shown also to a server that names other authorities.
func (s *shop) as(cert tls.Certificate) checker.Option {
	return checker.WithTLSConfig(&tls.Config{
		RootCAs: s.roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &cert, nil
		},
	})
}
