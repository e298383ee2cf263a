package wire

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
)

// Another handshake is made where crypto/tls has seen TLS, and no certificate.
func TestUnseen(t *testing.T) {
	own := &TLSError{Err: errors.New("x509: no certificate")}
	for _, tt := range []struct {
		name string
		err  error
		tr   Trace
		want bool
	}{
		{"an error of TLS", own, Trace{Stage: TLS}, true},
		{"none", nil, Trace{Stage: TLS}, false},
		{"an alert", &AlertError{err: own.Err}, Trace{Stage: TLS}, false},
		{"no TLS", &TLSError{Err: tls.RecordHeaderError{}}, Trace{Stage: TLS}, false},
		{"an error of TLS, behind the handshake", own, Trace{Stage: Receive}, false},
		{"an error of TLS, once a certificate was seen", own, Trace{Stage: TLS, State: new(tls.ConnectionState)}, false},
	} {
		if got := unseen(tt.err, &tt.tr); got != tt.want {
			t.Errorf("unseen() of %s = %t; want %t", tt.name, got, tt.want)
		}
	}
}

// What can be read of a certificate that cannot be parsed is what would be, if it could.
func TestLenient(t *testing.T) {
	srv := httptest.NewTLSServer(nil)
	srv.Close()
	want := srv.Certificate()
	got := lenient(want.Raw)
	if !bytes.Equal(got.Raw, want.Raw) || !bytes.Equal(got.RawSubject, want.RawSubject) || got.Subject.String() != want.Subject.String() ||
		got.Issuer.String() != want.Issuer.String() || !got.NotBefore.Equal(want.NotBefore) || !got.NotAfter.Equal(want.NotAfter) || !slices.Equal(got.DNSNames, want.DNSNames) {
		t.Errorf("lenient() = %+v; want %+v", got, want)
	}
	for _, der := range [][]byte{nil, []byte("garbage"), want.Raw[:len(want.Raw)/2]} {
		if got := lenient(der); got.RawSubject != nil || !bytes.Equal(got.Raw, der) {
			t.Errorf("lenient() of %d bytes = %+v; want them alone", len(der), got)
		}
	}
}

// A connection has the roots that the caller gave, or else those of the Transport, unless it
// verifies nothing. Over HTTP/2 there is no renegotiation.
func TestConfig(t *testing.T) {
	given, system := x509.NewCertPool(), x509.NewCertPool()
	system.AddCert(&x509.Certificate{Raw: []byte("system")}) // so that they differ
	noRoots := errors.New("no roots")
	has := func() (*x509.CertPool, error) { return system, nil }
	for _, tt := range []struct {
		name  string
		conf  *tls.Config
		proto string
		roots func() (*x509.CertPool, error)
		want  *x509.CertPool
		err   error
		again tls.RenegotiationSupport
	}{
		{"the caller's", &tls.Config{RootCAs: given}, "http/1.1", has, given, nil, tls.RenegotiateOnceAsClient},
		{"the system's", &tls.Config{}, "http/1.1", has, system, nil, tls.RenegotiateOnceAsClient},
		{"the system's, over HTTP/2", &tls.Config{}, "h2", has, system, nil, tls.RenegotiateNever},
		{"none to verify by", &tls.Config{InsecureSkipVerify: true}, "http/1.1", has, nil, nil, tls.RenegotiateOnceAsClient},
		{"none at all", &tls.Config{}, "http/1.1", nil, nil, nil, tls.RenegotiateOnceAsClient},
		{"an error", &tls.Config{}, "http/1.1", func() (*x509.CertPool, error) { return nil, noRoots }, nil, noRoots, 0},
	} {
		tt.conf.Renegotiation = tls.RenegotiateOnceAsClient
		rt := Transport{Config: tt.conf, Roots: tt.roots}
		conf, err := rt.config("h.test", tt.proto)
		if !errors.Is(err, tt.err) || (conf == nil) != (tt.err != nil) {
			t.Errorf("config() with %s: error %v; want %v", tt.name, err, tt.err)
			continue
		}
		if conf != nil && (conf.RootCAs != tt.want || conf.Renegotiation != tt.again || !slices.Equal(conf.NextProtos, []string{tt.proto})) {
			t.Errorf("config() with %s = roots %p, renegotiation %v, protocols %q; want roots %p, %v, %q", tt.name, conf.RootCAs, conf.Renegotiation, conf.NextProtos, tt.want, tt.again, tt.proto)
		}
	}
}
