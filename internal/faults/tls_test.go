package faults_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

func TestFaultsTLS(t *testing.T) {
	ca, other := hostile.NewCA(t), hostile.NewCA(t)
	names := []string{"site.test", siteAddr}
	good := hostile.Cert{Names: names}
	past, future := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	ok := hostile.Respond(hostile.OK)
	version := func(v uint16) *tls.Config {
		conf := ca.Config(good)
		conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, v
		return conf
	}
	client := func(v uint16) *tls.Config {
		conf := version(v)
		conf.ClientAuth = tls.RequireAnyClientCert
		return conf
	}
	bySNI := ca.Config(good)
	bySNI.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName != "other.test" {
			return nil, fmt.Errorf("no such name")
		}
		return nil, nil
	}
	row := func(name string, site hostile.Handler, reason checker.Reason) fault {
		f := fault{
			name: name, target: "https://site.test/", reason: reason,
			opts:   []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})},
			secure: site,
			net: func(n *hostile.Net) {
				n.Name("a.b.site.test", siteAddr)
				n.Name("site.com", siteAddr)
				n.Name("site.co.uk", siteAddr)
			},
		}
		if reason == "" {
			f.status = 200
		} else {
			f.phase = checker.PhaseTLS
		}
		return f
	}
	cert := func(name string, conf *tls.Config) fault {
		f := row(name, hostile.TLS(conf, ok), checker.ReasonCertificate)
		f.also = func(t *testing.T, _ *hostile.Net, r checker.Result) {
			if r.TLS == nil || r.TLS.NotAfter.IsZero() || r.TLS.Version == "" || r.TLS.CipherSuite == "" {
				t.Errorf("Check(%q).TLS = %+v; want what the server showed", r.Target, r.TLS)
			}
		}
		return f
	}
	with := func(f fault, target string) fault { f.target = target; return f }
	stall := row("D13 silent after the hello", hostile.AfterHello(hostile.Silent()), checker.ReasonTimeout)
	stall.takes = timeout
	trickle := row("D14 a byte every 200 ms", hostile.Sliced(hostile.TLS(ca.Config(good), ok), 1, 200*time.Millisecond), checker.ReasonTimeout)
	trickle.takes = timeout
	garbage := row("D20 HTTP/1 is agreed on and garbage comes", hostile.TLS(ca.Config(good), hostile.Respond("garbage")), checker.ReasonMalformed)
	garbage.phase = checker.PhaseResponse
	half := row("E12 the status line has no end", hostile.TLS(ca.Config(good), hostile.Respond("HTTP/1.1 200 OK")), checker.ReasonReset)
	half.phase = checker.PhaseResponse
	rows := []fault{
		half,
		row("E12 no blank line", hostile.TLS(ca.Config(good), hostile.Respond("HTTP/1.1 200 OK\r\n")), ""),
		row("D0 all is well", hostile.TLS(ca.Config(good), ok), ""),
		cert("D1 expired", ca.Config(hostile.Cert{Names: names, NotAfter: past})),
		cert("D2 not yet valid", ca.Config(hostile.Cert{Names: names, NotBefore: future})),
		cert("D3 self-signed", hostile.SelfSigned(t, names...)),
		cert("D3 of an unknown authority", other.Config(good)),
		cert("D4 for another host", ca.Config(hostile.Cert{Names: []string{"other.test"}})),
		cert("D4 only a common name", ca.Config(hostile.Cert{CommonName: "site.test"})),
		with(cert("D4 wildcard over two labels", ca.Config(hostile.Cert{Names: []string{"*.site.test"}})), "https://a.b.site.test/"),
		with(cert("D4 wildcard for a registry", ca.Config(hostile.Cert{Names: []string{"*.com"}})), "https://site.com/"),
		with(cert("D4 wildcard for a registry below another", ca.Config(hostile.Cert{Names: []string{"*.co.uk"}})), "https://site.co.uk/"),
		row("D4 wildcard for a domain of one's own", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"*.test"}}), ok), ""),
		cert("D5 no intermediate", ca.Config(hostile.Cert{Names: names, Via: ca.Intermediate(nil), Omit: true})),
		row("D5 with the intermediate", hostile.TLS(ca.Config(hostile.Cert{Names: names, Via: ca.Intermediate(nil)}), ok), ""),
		row("D8 TLS 1.0 only", hostile.TLS(version(tls.VersionTLS10), ok), checker.ReasonTLS),
		row("D8 TLS 1.1 only", hostile.TLS(version(tls.VersionTLS11), ok), checker.ReasonTLS),
		row("D8 TLS 1.2 only", hostile.TLS(version(tls.VersionTLS12), ok), ""),
		row("D10 client certificate wanted, TLS 1.2", hostile.TLS(client(tls.VersionTLS12), ok), checker.ReasonTLS),
		row("D10 client certificate wanted, TLS 1.3", hostile.TLS(client(tls.VersionTLS13), ok), checker.ReasonTLS),
		row("D11 HTTP on the https port", hostile.AfterHello(func(_ context.Context, c net.Conn) { fmt.Fprint(c, hostile.OK) }), checker.ReasonTLS),
		stall, trickle,
		row("D15 closed after the hello", hostile.AfterHello(hostile.Close()), checker.ReasonReset),
		row("D15 reset after the hello", hostile.AfterHello(hostile.Reset()), checker.ReasonReset),
		row("D16 no such name", hostile.TLS(bySNI, ok), checker.ReasonTLS),
		garbage,
		with(row("D21 rooted name", hostile.TLS(ca.Config(good), ok), ""), "https://site.test./"),
		with(row("D21 address", hostile.TLS(ca.Config(good), ok), ""), "https://"+siteAddr+"/"),
	}
	runFaults(t, rows)
}

// D7: a key that is too weak to trust.
func TestWeakKey(t *testing.T) {
	addr, roots := hostile.StartWeak(t)
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: roots}), checker.WithRetries(0))
	r := c.Check(t.Context(), "https://"+addr)
	fault{name: "D7", reason: checker.ReasonCertificate, phase: checker.PhaseTLS}.check(t, r)
	if r.TLS == nil {
		t.Errorf("Check(%q).TLS is nil; want the certificate", r.Target)
	}
}

// TLS that few servers have, but that costs much where they do.
func TestFaultsRareTLS(t *testing.T) {
	ca := hostile.NewCA(t)
	ok := hostile.Respond(hostile.OK)
	names := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("host%d.site.test", i))
		}
		return append(names, "site.test")
	}
	row := func(name string, conf *tls.Config, reason checker.Reason) fault {
		f := fault{
			name: name, target: "https://site.test/", secure: hostile.TLS(conf, ok), reason: reason,
			opts: []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})},
		}
		if reason == "" {
			f.status = 200
		} else {
			f.phase = checker.PhaseTLS
		}
		return f
	}
	old := ca.Config(hostile.Cert{Names: names(0)})
	old.MaxVersion, old.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
	// A box in between that takes no hello of more than one segment, as those
	// with a post-quantum key share are.
	small := row("D19 no hello over 1 400 bytes", old, checker.ReasonTLS)
	small.secure = func(_ context.Context, conn net.Conn) {
		var hello [16 << 10]byte
		if n, err := conn.Read(hello[:]); err == nil && n > 1400 {
			conn.Write([]byte{21, 3, 3, 0, 2, 2, 40}) // alert: handshake_failure
		}
	}
	runFaults(t, []fault{
		row("D9 no common cipher", old, checker.ReasonTLS),
		row("D17, I6 a certificate of 10 000 names", ca.Config(hostile.Cert{Names: names(10_000)}), ""),
		row("D17 a certificate over 256 KiB", ca.Config(hostile.Cert{Names: names(20_000)}), checker.ReasonTLS),
		row("D18 an RSA key of 16 384 bits", ca.Config(hostile.Cert{Names: names(0), Key: newHugeKey(16384)}), checker.ReasonTLS),
		small,
	})
}

// P1: what browsers offer is enough, where the caller does not say otherwise.
func TestBrowserSuites(t *testing.T) {
	ca := hostile.NewCA(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}, Key: key})
	for _, test := range []struct {
		suites []uint16 // of the server
		caller *tls.Config
		reason checker.Reason
	}{
		{suites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_256_GCM_SHA384}},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_256_CBC_SHA}},
		{suites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}, reason: checker.ReasonTLS},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA256}, reason: checker.ReasonTLS},
		{suites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}, reason: checker.ReasonTLS},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, caller: &tls.Config{MinVersion: tls.VersionTLS12}, reason: checker.ReasonTLS},
		{suites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, caller: &tls.Config{MaxVersion: tls.VersionTLS13}, reason: checker.ReasonTLS},
		{
			suites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, reason: checker.ReasonTLS,
			caller: &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
		},
	} {
		server := conf.Clone()
		server.MaxVersion, server.CipherSuites = tls.VersionTLS12, test.suites
		f := fault{
			target: "https://site.test/", secure: hostile.TLS(server, hostile.Respond(hostile.OK)),
			reason: test.reason, opts: []checker.Option{checker.WithTLSConfig(trusting(ca, test.caller))},
		}
		if f.reason != "" {
			f.phase = checker.PhaseTLS
		}
		t.Run("P1 "+tls.CipherSuiteName(test.suites[0]), func(t *testing.T) { bubble.Test(t, f.run) })
	}
}

// P1: what is offered is crypto/tls's own list and four suites behind it.
func TestOfferedSuites(t *testing.T) {
	offer := func(shake func(addr string)) (suites []uint16) {
		conf := hostile.SelfSigned(t, "site.test")
		conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			suites = hello.CipherSuites
			return nil, errors.New("seen")
		}
		done := make(chan struct{})
		s := hostile.Serve(t, "127.0.0.1:0", func(ctx context.Context, c net.Conn) {
			defer close(done)
			hostile.TLS(conf, hostile.Close())(ctx, c)
		})
		shake(s.Addr().String())
		<-done
		return suites
	}
	own := offer(func(addr string) { tls.Dial("tcp", addr, nil) })
	ours := offer(func(addr string) { faults.NewChecker(t, checker.WithRetries(0)).Check(t.Context(), "https://"+addr) })
	byRSA := func(id uint16) bool { return strings.HasPrefix(tls.CipherSuiteName(id), "TLS_RSA_") }
	byECDHE := func(id uint16) bool { return strings.HasPrefix(tls.CipherSuiteName(id), "TLS_ECDHE_") }
	rest := slices.DeleteFunc(slices.Clone(ours), byRSA)
	if !slices.Equal(rest, own) || len(ours) != len(own)+4 {
		t.Errorf("offered are %x; want %x and four of RSA key exchange", ours, own)
	}
	if first := slices.IndexFunc(ours, byRSA); slices.ContainsFunc(ours[max(0, first):], byECDHE) {
		t.Errorf("offered are %x; want RSA key exchange behind ECDHE", ours)
	}
}

// P3: what matters of a chain is the leaf and its issuers. In TLS 1.3 a stray
// certificate cannot be passed over, but it is told what is wrong.
func TestUnparsable(t *testing.T) {
	ca := hostile.NewCA(t)
	odd := ca.Unparsable("site.test")
	names := []string{"site.test"}
	garbage := []byte("garbage")
	only := func(v uint16, conf *tls.Config) *tls.Config { conf.MinVersion, conf.MaxVersion = v, v; return conf }
	both := func(conf *tls.Config) *tls.Config { return conf }
	for what, cert := range odd {
		if _, err := x509.ParseCertificate(cert.Certificate[0]); err == nil {
			t.Logf("%s can be parsed by %s", what, runtime.Version())
			continue
		}
		leaf := func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{cert}} }
		stray := func(spec hostile.Cert) *tls.Config {
			spec.Names, spec.With = names, append(spec.With, cert.Certificate[0], garbage)
			return ca.Config(spec)
		}
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		large := only(tls.VersionTLS12, stray(hostile.Cert{}))
		large.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
		keyed := only(tls.VersionTLS12, stray(hostile.Cert{Key: key}))
		keyed.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		chachaOnly := func(conf *tls.Config) *tls.Config {
			conf.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
			return only(tls.VersionTLS12, conf)
		}
		asking := both(stray(hostile.Cert{}))
		asking.ClientAuth = tls.RequestClientCert
		for _, test := range []struct {
			name   string
			conf   *tls.Config
			reason checker.Reason
			text   string
			own    bool // Result.TLS tells of the leaf
		}{
			{"leaf", leaf(), checker.ReasonCertificate, "it cannot be parsed: ", true},
			{"leaf, TLS 1.2", only(tls.VersionTLS12, leaf()), checker.ReasonCertificate, "it cannot be parsed: ", true},
			{"leaf, TLS 1.3", only(tls.VersionTLS13, leaf()), checker.ReasonCertificate, "it cannot be parsed: ", true},
			{"stray", stray(hostile.Cert{}), "", "", true},
			{"stray, TLS 1.2", only(tls.VersionTLS12, stray(hostile.Cert{})), "", "", true},
			{"stray, a client certificate asked for", asking, "", "", true},
			{"stray, AES-256", large, "", "", true},
			{"stray, RSA key exchange", keyed, "", "", true},
			{"stray behind an intermediate", stray(hostile.Cert{Via: ca.Intermediate(nil)}), "", "", true},
			{"stray, the leaf expired", stray(hostile.Cert{NotAfter: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}), checker.ReasonCertificate, "it expired on", true},
			{"stray, no intermediate", stray(hostile.Cert{Via: ca.Intermediate(nil), Omit: true}), checker.ReasonCertificate, "the server did not send", true},
			{
				"stray, TLS 1.3", only(tls.VersionTLS13, stray(hostile.Cert{})), checker.ReasonCertificate,
				"a certificate that the server sent beside its own cannot be parsed: ", false,
			},
			{"leaf, no suite that can be looked into", chachaOnly(leaf()), checker.ReasonCertificate, "it cannot be parsed: ", true},
			{
				"stray, no suite that can be looked into", chachaOnly(stray(hostile.Cert{})), checker.ReasonCertificate,
				"a certificate that the server sent beside its own cannot be parsed: ", false,
			},
		} {
			f := fault{
				name: "P3 " + what + ", " + test.name, target: "https://site.test/", reason: test.reason,
				secure: hostile.TLS(test.conf, hostile.Respond(hostile.OK)), opts: []checker.Option{checker.WithTLSConfig(trusting(ca, nil))},
				also: func(t *testing.T, _ *hostile.Net, r checker.Result) {
					if r.Err != nil && !strings.Contains(r.Err.Error(), test.text) {
						t.Errorf("Check().Err = %v; want %q", r.Err, test.text)
					}
					if test.own != (r.TLS != nil) || test.own && (r.TLS.NotAfter.IsZero() || !slices.Equal(r.TLS.DNSNames, names)) {
						t.Errorf("Check().TLS = %+v; want what can be told of the leaf: %v", r.TLS, test.own)
					}
				},
			}
			if f.reason != "" {
				f.phase = checker.PhaseTLS
			}
			t.Run(f.name, func(t *testing.T) { bubble.Test(t, f.run) })
		}
	}
}

// trusting returns conf, or a configuration without anything else, with the roots
// of ca.
func trusting(ca *hostile.CA, conf *tls.Config) *tls.Config {
	if conf == nil {
		return &tls.Config{RootCAs: ca.Pool()}
	}
	conf.RootCAs = ca.Pool()
	return conf
}

// hugeKey is an RSA key that nobody needs to have: a client refuses it by its
// size before it looks at a signature.
type hugeKey struct{ rsa.PublicKey }

func (k hugeKey) Public() crypto.PublicKey { return &k.PublicKey }

func (k hugeKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, k.Size()), nil
}

func newHugeKey(bits uint) hugeKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return hugeKey{rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}}
}

// A client certificate that cannot be had is this side's fault.
func TestClientCertificateFails(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	conf.ClientAuth = tls.RequestClientCert
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK)))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test", GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return nil, errors.New("the token is unplugged")
	}}))
	if r := c.Check(t.Context(), s.URLS()); r.Reason() != checker.ReasonLocal {
		t.Errorf("Check(%q) = %v; want local", s.URLS(), r)
	}
}
