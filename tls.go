package checker

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"math"
	"slices"
	"sync"
	"time"
)

// TLS describes a TLS session and the certificates of its server, the leaf first of all.
// What the server wrote into them is escaped as in a Go string where it is not printable.
// The zero TLS describes none.
type TLS struct {
	Version     string    `json:"version"`             // such as "TLS 1.3"
	CipherSuite string    `json:"cipher_suite"`        // the IANA name
	Subject     string    `json:"subject"`             // RFC 2253 form
	Issuer      string    `json:"issuer"`              // RFC 2253 form
	DNSNames    []string  `json:"dns_names,omitempty"` // the host names that it is for, not addresses
	NotBefore   time.Time `json:"not_before"`          // when it begins to be valid
	NotAfter    time.Time `json:"not_after"`           // when it ends

	// Chain has the certificates that the server sent, in its order, the leaf included and
	// those that nobody asked for as well. What cannot be parsed is left out, but for the
	// leaf. A root is rarely sent.
	Chain []Cert `json:"chain,omitempty"`
}

// Expires returns when the first certificate of Chain ends: after that the site may fail,
// whichever it is. It means what probe_ssl_earliest_cert_expiry of blackbox_exporter does.
// It is zero for a nil TLS, and NotAfter without a Chain.
func (t *TLS) Expires() time.Time {
	if t == nil {
		return time.Time{}
	}
	end := t.NotAfter
	for _, c := range t.Chain {
		if end.IsZero() || c.NotAfter.Before(end) && !c.NotAfter.IsZero() {
			end = c.NotAfter
		}
	}
	return end
}

// A Cert is one certificate of a server's chain. The zero Cert is none.
type Cert struct {
	Subject   string    `json:"subject"`    // RFC 2253 form
	Issuer    string    `json:"issuer"`     // RFC 2253 form
	NotBefore time.Time `json:"not_before"` // when it begins to be valid
	NotAfter  time.Time `json:"not_after"`  // when it ends
}

// newTLS copies what is worth keeping of a connection's state. It returns nil
// if the handshake did not get as far as the server's certificate.
func newTLS(cs *tls.ConnectionState) *TLS {
	if cs == nil || len(cs.PeerCertificates) == 0 {
		return nil
	}
	chain := newChain(cs.PeerCertificates)
	names := slices.Clone(cs.PeerCertificates[0].DNSNames) // crypto/tls keeps the leaf for others
	for i, s := range names {
		names[i] = clean(s, math.MaxInt)
	}
	return &TLS{
		Version:     tls.VersionName(cs.Version),
		CipherSuite: suiteName(cs.CipherSuite),
		Subject:     chain[0].Subject,
		Issuer:      chain[0].Issuer,
		DNSNames:    names,
		NotBefore:   chain[0].NotBefore,
		NotAfter:    chain[0].NotAfter,
		Chain:       chain,
	}
}

// newChain copies what is worth keeping of certificates. A name is written once where it
// is that of one's issuer and that of the next.
func newChain(certs []*x509.Certificate) []Cert {
	chain := make([]Cert, len(certs))
	for i, c := range certs {
		own := &chain[i]
		*own = Cert{NotBefore: writable(c.NotBefore), NotAfter: writable(c.NotAfter)}
		if i > 0 && len(c.RawSubject) > 0 && bytes.Equal(c.RawSubject, certs[i-1].RawIssuer) {
			own.Subject = chain[i-1].Issuer
		} else {
			own.Subject = clean(c.Subject.String(), math.MaxInt)
		}
		if len(c.RawIssuer) > 0 && bytes.Equal(c.RawIssuer, c.RawSubject) {
			own.Issuer = own.Subject
		} else {
			own.Issuer = clean(c.Issuer.String(), math.MaxInt)
		}
	}
	return chain
}

// suites has the names of the cipher suites, since crypto/tls makes its list of
// them anew whenever it is asked for a name.
var suites = sync.OnceValue(func() map[uint16]string {
	names := make(map[uint16]string)
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		names[s.ID] = s.Name
	}
	return names
})

func suiteName(id uint16) string {
	if name, ok := suites()[id]; ok {
		return name
	}
	return tls.CipherSuiteName(id)
}

// writable returns t in UTC, or the nearest time to it that RFC 3339 can write: a
// certificate may end in the year 10000, and one such site must not keep a list
// from being written.
func writable(t time.Time) time.Time {
	switch t = t.UTC(); {
	case t.Year() < 0:
		return time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return t
}
