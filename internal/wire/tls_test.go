package wire

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/checker/internal/bubble"
)

func TestTLS(t *testing.T) {
	id := newIdentity(t)
	answers := answer(ok + "\r\n")
	hangUp := func(c net.Conn) { readRequest(c) }
	hello10 := func(c net.Conn) { // a ServerHello of TLS 1.0
		go silence(c)
		io.WriteString(c, "\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01"+strings.Repeat("r", 32)+"\x00\xc0\x13\x00")
	}
	as := func(target any) func(error) bool {
		return func(err error) bool { return errors.As(err, target) }
	}
	not2 := func(f func(error) bool) func(error) bool {
		return func(err error) bool { return f(err) && !isHTTP2(err) }
	}
	isEOF := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
	verification := as(new(*tls.CertificateVerificationError))
	for _, tt := range []struct {
		name   string
		url    string
		serve  func(net.Conn)
		roots  *x509.CertPool
		is     func(error) bool // nil if there is none
		stage  Stage
		state  bool // whether the certificate was seen
		chains int
	}{
		{"verified", "https://example.com/", id.over(answers, "http/1.1"), id.roots, nil, Receive, true, 1},
		{"D21 trailing dot", "https://example.com./", id.over(answers, "http/1.1"), id.roots, nil, Receive, true, 1},
		{"no protocol agreed on", "https://example.com/", id.over(answers), id.roots, nil, Receive, true, 1},
		{"HTTP/2 preferred", "https://example.com/", id.over(answers, "h2", "http/1.1"), id.roots, nil, Receive, true, 1},
		{"D3 untrusted", "https://example.com/", id.over(answers), x509.NewCertPool(), not2(verification), TLS, true, 0},
		{"D4 wrong host", "https://wrong.test/", id.over(answers), id.roots, not2(verification), TLS, true, 0},
		{"D4 wrong address", "https://192.0.2.7/", id.over(answers), id.roots, not2(verification), TLS, true, 0},
		{"D8 old version", "https://example.com/", id.config(answers, &tls.Config{MaxVersion: tls.VersionTLS11}), id.roots, func(err error) bool { number, _ := Alert(err); return as(new(*AlertError))(err) && number == 70 }, TLS, false, 0},
		{"P5 an old version that was not offered", "https://example.com/", hello10, id.roots, func(err error) bool { e, ok := errors.AsType[*TLSError](err); return ok && e.Alert == 70 }, TLS, false, 0},
		{"D11 no TLS", "https://example.com/", func(c net.Conn) { go silence(c); io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, id.roots, func(err error) bool { return as(new(tls.RecordHeaderError))(err) && !verification(err) }, TLS, false, 0},
		{"D15 closed in the handshake", "https://example.com/", func(c net.Conn) { c.Read(make([]byte, 9999)) }, id.roots, not2(isEOF), TLS, false, 0},
		{"other protocols only", "https://example.com/", id.over(answers, "other"), id.roots, isHTTP2, TLS, false, 0},
		{"P5c HTTP/2 spoken regardless", "https://example.com/", id.over(answer(settings), "h2", "http/1.1"), id.roots, isHTTP2, Receive, true, 1},
		{"HTTP/2 only, by its frame", "https://example.com/", id.over(answer(settings), "h2"), id.roots, isHTTP2, Receive, true, 1},
		{"HTTP/2 only, hangs up", "https://example.com/", id.over(hangUp, "h2"), id.roots, isHTTP2, Receive, true, 1},
		{"C5 hangs up", "https://example.com/", id.over(hangUp, "http/1.1"), id.roots, not2(isEOF), Receive, true, 1},
		{"E12 hangs up in the head", "https://example.com/", id.over(answer(ok), "http/1.1"), id.roots, nil, Receive, true, 1},
		{"hangs up in the status line", "https://example.com/", id.over(answer(ok[:11]), "h2"), id.roots, not2(isEOF), Receive, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				rt := id.serve(tt.serve)
				rt.Config.RootCAs = tt.roots
				tr := new(Trace)
				resp, err := rt.speak(t.Context(), http1{}, requestOf(newRequest(t.Context(), http.MethodHead, tt.url)), tr)
				if err == nil {
					resp.Body.Close()
				}
				if tt.is == nil && err != nil || tt.is != nil && !tt.is(err) {
					t.Errorf("exchange(%q) error = %v, %T; want another", tt.url, err, err)
				}
				if tr.Stage != tt.stage || (tr.State != nil) != tt.state {
					t.Errorf("Trace stage %d, state %v; want %d, one: %t", tr.Stage, tr.State, tt.stage, tt.state)
				}
				if tt.state && (len(tr.State.PeerCertificates) == 0 || len(tr.State.VerifiedChains) != tt.chains) {
					t.Errorf("state has %d certificates and %d chains; want some and %d", len(tr.State.PeerCertificates), len(tr.State.VerifiedChains), tt.chains)
				}
			})
		})
	}
}

// The server is told its name without the dot, and the caller's configuration
// stays as it was.
func TestServerName(t *testing.T) {
	id := newIdentity(t)
	for _, tt := range []struct{ url, name, want string }{
		{"https://example.com/", "", "example.com"},
		{"https://example.com./", "", "example.com"},
		{"https://example.com.:8443/", "", "example.com"},
		{"https://192.0.2.1/", "", ""},
		{"https://[2001:db8::1]/", "", ""},
		{"https://192.0.2.1/", "example.com", "example.com"},
	} {
		bubble.Test(t, func(t *testing.T) {
			var hello *tls.ClientHelloInfo
			conf := &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				hello = h
				return nil, nil
			}}
			rt := id.serve(id.config(answer(ok+"\r\n"), conf))
			rt.Config.ServerName = tt.name
			rt.Config.NextProtos = []string{"mine"}
			resp, err := rt.roundTrip(newRequest(t.Context(), http.MethodHead, tt.url))
			if err == nil {
				resp.Body.Close()
			}
			synctest.Wait()
			if hello == nil || hello.ServerName != tt.want || len(hello.SupportedProtos) != 1 || hello.SupportedProtos[0] != "http/1.1" {
				t.Errorf("exchange(%q) sends %+v; want name %q and protocol http/1.1", tt.url, hello, tt.want)
			}
			if rt.Config.ServerName != tt.name || rt.Config.NextProtos[0] != "mine" {
				t.Errorf("the exchange changed the configuration: %+v", rt.Config)
			}
		})
	}
}

// D10: with TLS 1.3 a server tells only after the handshake that it wanted a
// certificate. That takes a connection on which both sides may write at once.
func TestClientCertificate(t *testing.T) {
	id := newIdentity(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{id.cert},
		ClientAuth:   tls.RequireAnyClientCert,
		NextProtos:   []string{"http/1.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	rt := Transport{Config: &tls.Config{RootCAs: id.roots}}
	tr := new(Trace)
	_, err = rt.Exchange(t.Context(), requestOf(newRequest(t.Context(), http.MethodHead, "https://"+l.Addr().String())), tr)
	if number, ok := Alert(err); !ok || number != 116 || isHTTP2(err) || tr.Stage != TLS || tr.State == nil {
		t.Errorf("exchange error = %v in stage %d; want the alert certificate_required in %d", err, tr.Stage, TLS)
	}
}

// An RSA key is weak below the size that crypto/rsa takes, and only the leaf's matters.
func TestWeakKey(t *testing.T) {
	key := func(bits uint) *x509.Certificate {
		return &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1), E: 65537}}
	}
	for _, tt := range []struct {
		name  string
		chain []*x509.Certificate
		want  int
	}{
		{"none", nil, 0},
		{"512 bits", []*x509.Certificate{key(512)}, 512},
		{"1023 bits", []*x509.Certificate{key(1023)}, 1023},
		{"1024 bits", []*x509.Certificate{key(1024), key(512)}, 0},
		{"another kind", []*x509.Certificate{{PublicKey: new(ecdsa.PublicKey)}}, 0},
	} {
		if got := WeakKey(tt.chain); got != tt.want {
			t.Errorf("WeakKey() of %s = %d; want %d", tt.name, got, tt.want)
		}
	}
}

// A wildcard for all domains of a registry is for none of them, unless the leaf names the
// host too; one for a whole domain of one's own is its owner's.
func TestCheckName(t *testing.T) {
	for _, tt := range []struct {
		names []string
		host  string
		ok    bool
	}{
		{[]string{"*.com"}, "site.com", false},
		{[]string{"*.COM."}, "site.com.", false},
		{[]string{"*.co.uk"}, "site.co.uk", false},
		{[]string{"*.com", "Site.com"}, "site.com.", true},
		{[]string{"*.site.com", "*.com"}, "www.site.com", true},
		{[]string{"*.test"}, "site.test", true},
		{[]string{"*.github.io"}, "site.github.io", true},
		{[]string{"site.com"}, "site.com", true},
	} {
		state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{DNSNames: tt.names}}}
		err := checkName(state, tt.host)
		if _, wrong := errors.AsType[x509.HostnameError](err); wrong == tt.ok || (err == nil) != tt.ok {
			t.Errorf("checkName(%q, %q) = %v; want it accepted: %t", tt.names, tt.host, err, tt.ok)
		}
	}
}

// The key of a leaf is for signatures, where it says what it is for and has made one.
func TestCheckUsage(t *testing.T) {
	const signed, decrypted = tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_GCM_SHA256
	for _, tt := range []struct {
		usage x509.KeyUsage
		ca    bool
		suite uint16
		want  string
	}{
		{0, true, signed, ""},
		{x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, true, signed, ""},
		{x509.KeyUsageKeyEncipherment, false, decrypted, ""},
		{x509.KeyUsageKeyEncipherment, false, signed, "it is not for this handshake: its key usage lacks digitalSignature"},
		{x509.KeyUsageCertSign, true, signed, "it is an authority's and not a server's: its key usage lacks digitalSignature"},
	} {
		state := &tls.ConnectionState{CipherSuite: tt.suite, PeerCertificates: []*x509.Certificate{{KeyUsage: tt.usage, IsCA: tt.ca}}}
		got := ""
		if e, ok := errors.AsType[*UsageError](checkUsage(state)); ok {
			got = e.Error()
		}
		if got != tt.want {
			t.Errorf("checkUsage() of usage %b with suite %s = %q; want %q", tt.usage, tls.CipherSuiteName(tt.suite), got, tt.want)
		}
	}
}
