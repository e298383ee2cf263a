//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"time"
)

// A tlsHello is what the process of the HTTPS server tells.
type tlsHello struct {
	Port int
	Root []byte
}

// An authority issues a certificate for each address that is asked for. It is
// safe for concurrent use.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu     sync.Mutex
	issued map[string]*tls.Certificate // by address
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key, issued: make(map[string]*tls.Certificate)}
	a.cert, err = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "bench root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}, key)
	return a, err
}

// sign makes a certificate from what is special about it.
func (a *authority) sign(tmpl *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	tmpl.SerialNumber = big.NewInt(int64(len(a.issued) + 1))
	tmpl.NotBefore = time.Now().Add(-time.Hour)
	tmpl.NotAfter = time.Now().Add(24 * time.Hour)
	tmpl.BasicConstraintsValid = true
	parent := a.cert
	if parent == nil {
		parent = tmpl
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// issue returns the certificate of the address that a client has connected to.
func (a *authority) issue(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	ip := hello.Conn.LocalAddr().(*net.TCPAddr).IP
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.issued[string(ip)]; c != nil {
		return c, nil
	}
	leaf, err := a.sign(&x509.Certificate{
		IPAddresses: []net.IP{ip},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.key)
	if err != nil {
		return nil, err
	}
	c := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: a.key, Leaf: leaf}
	a.issued[string(ip)] = c
	return c, nil
}

// serveTLS is the process of the HTTPS server. It ends when in does.
func serveTLS(in io.Reader, tell func(any) error) error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	l, err := tls.Listen("tcp4", "0.0.0.0:0", &tls.Config{GetCertificate: ca.issue})
	if err != nil {
		return err
	}
	if err := tell(tlsHello{l.Addr().(*net.TCPAddr).Port, ca.cert.Raw}); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				failed <- err
				return
			}
			go answerTLS(c)
		}
	}()
	return untilEnd(in, failed)
}

// answerTLS answers a HEAD request.
func answerTLS(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	var buf [2048]byte
	if _, err := c.Read(buf[:]); err == nil {
		io.WriteString(c, answerHead)
	}
}
