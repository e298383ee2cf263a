package hostile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"sync/atomic"
	"time"
)

// A CA issues certificates.
type CA struct {
	tb   Fataler
	cert *x509.Certificate
	key  crypto.Signer
}

// A Cert says what is to be in a certificate. The zero times stand for the
// years 1990 and 2100, so that a certificate is also valid in a synctest
// bubble, where it is the year 2000.
type Cert struct {
	Names      []string // DNS names and IP addresses
	CommonName string
	NotBefore  time.Time
	NotAfter   time.Time
	Key        crypto.Signer // default: a new ECDSA key
	Algorithm  x509.SignatureAlgorithm
	Via        *CA      // an intermediate that signs
	Omit       bool     // leave Via out of the chain
	With       [][]byte // what else is in the chain, behind the certificate

	Change func(*x509.Certificate) // changes what would be signed
}

var serial atomic.Int64

// NewCA returns an authority of its own.
func NewCA(tb Fataler) *CA {
	ca := &CA{tb: tb, key: newKey(tb)}
	ca.cert = ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test root"}, IsCA: true}, ca.key.Public(), nil, nil)
	return ca
}

// Intermediate returns an authority that ca vouches for. A change, if it is not nil,
// is made to what would be signed.
func (ca *CA) Intermediate(change func(*x509.Certificate)) *CA {
	sub := &CA{tb: ca.tb, key: newKey(ca.tb)}
	sub.cert = ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test intermediate"}, IsCA: true}, sub.key.Public(), ca.cert, change)
	return sub
}

// Certificate returns the authority's own certificate.
func (ca *CA) Certificate() *x509.Certificate { return ca.cert }

// Pool returns a pool with the authority in it.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Issue returns a certificate.
func (ca *CA) Issue(spec Cert) tls.Certificate {
	issuer := ca
	if spec.Via != nil {
		issuer = spec.Via
	}
	key := spec.Key
	if key == nil {
		key = newKey(ca.tb)
	}
	tmpl := &x509.Certificate{
		Subject:            pkix.Name{CommonName: spec.CommonName},
		NotBefore:          spec.NotBefore,
		NotAfter:           spec.NotAfter,
		SignatureAlgorithm: spec.Algorithm,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range spec.Names {
		if ip := net.ParseIP(name); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, name)
		}
	}
	leaf := issuer.sign(tmpl, key.Public(), issuer.cert, spec.Change)
	cert := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	if spec.Via != nil && !spec.Omit {
		cert.Certificate = append(cert.Certificate, spec.Via.cert.Raw)
	}
	cert.Certificate = append(cert.Certificate, spec.With...)
	return cert
}

// Config returns the configuration of a server with such a certificate.
func (ca *CA) Config(spec Cert) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.Issue(spec)}}
}

// SelfSigned returns the configuration of a server whose certificate vouches for
// itself.
func SelfSigned(tb Fataler, names ...string) *tls.Config {
	ca := &CA{tb: tb, key: newKey(tb)}
	ca.cert = &x509.Certificate{Subject: pkix.Name{CommonName: "self-signed"}}
	return ca.Config(Cert{CommonName: "self-signed", Names: names, Key: ca.key})
}

// sign fills in what all certificates have and signs; a nil parent means that
// the certificate signs itself.
func (ca *CA) sign(tmpl *x509.Certificate, pub crypto.PublicKey, parent *x509.Certificate, change func(*x509.Certificate)) *x509.Certificate {
	tmpl.SerialNumber = big.NewInt(serial.Add(1))
	if tmpl.NotBefore.IsZero() {
		tmpl.NotBefore = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if tmpl.NotAfter.IsZero() {
		tmpl.NotAfter = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	tmpl.BasicConstraintsValid = true
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	if tmpl.IsCA {
		tmpl.KeyUsage |= x509.KeyUsageCertSign
	}
	if parent == nil {
		parent = tmpl
	}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, pub, ca.key)
	if err != nil {
		ca.tb.Fatalf("create certificate: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.tb.Fatalf("parse certificate: %v", err)
	}
	return cert
}

func newKey(tb Fataler) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("generate key: %v", err)
	}
	return key
}

// Forge returns a certificate like one that ca issued, in which a piece of what is
// signed is replaced by another of the same length. It need not be one that can be
// parsed.
func (ca *CA) Forge(cert tls.Certificate, piece, by []byte) tls.Certificate {
	var outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.Certificate[0], &outer); err != nil {
		ca.tb.Fatalf("read certificate: %v", err)
	}
	if bytes.Count(outer.TBS.FullBytes, piece) != 1 || len(piece) != len(by) {
		ca.tb.Fatalf("%x is not there once to be replaced by %x", piece, by)
	}
	outer.TBS.FullBytes = bytes.Replace(outer.TBS.FullBytes, piece, by, 1)
	sum := sha256.Sum256(outer.TBS.FullBytes)
	signature, err := ca.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		ca.tb.Fatalf("sign certificate: %v", err)
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err := asn1.Marshal(outer)
	if err != nil {
		ca.tb.Fatalf("write certificate: %v", err)
	}
	cert.Certificate, cert.Leaf = append([][]byte{der}, cert.Certificate[1:]...), nil
	return cert
}

// Unparsable returns certificates for a host that crypto/x509 cannot parse, by what
// is wrong with them. Go 1.27 takes a subject in BIT STRING.
func (ca *CA) Unparsable(name string) map[string]tls.Certificate {
	issue := func(change func(*x509.Certificate)) tls.Certificate {
		return ca.Issue(Cert{Names: []string{name}, Change: change})
	}
	uri := func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "http", Host: "no.url.test"}} }
	return map[string]tls.Certificate{
		"a negative serial":    ca.Forge(issue(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x11223344) }), []byte{0x11, 0x22, 0x33, 0x44}, []byte{0x91, 0x22, 0x33, 0x44}),
		"a URI that is no URL": ca.Forge(issue(uri), []byte("http://no.url.test"), []byte("http://no[url%zz]t")),
		"a subject in BIT STRING": ca.Forge(issue(func(c *x509.Certificate) { c.Subject.CommonName = "bit string" }),
			[]byte("\x13\x0abit string"), []byte("\x03\x0a\x00it string")),
	}
}
