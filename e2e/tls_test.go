//go:build linux

package e2e_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// A tlsServer is a server of TLS, and what a check of it finds.
type tlsServer struct {
	name   string
	serve  hostile.Handler
	args   []string       // of openssl s_server, where serve is nil
	host   string         // default: site.test
	reason checker.Reason // "": Online
	agreed string         // why the verdict differs from that of Chromium and curl both; "": it does not
}

// The verdict on no set-up of TLS is contradicted by both Chromium and curl, but for
// reasons that are given.
func TestTLSSetups(t *testing.T) {
	needTool(t, "curl", "curl")
	needTool(t, "openssl", "openssl")
	needTool(t, "certutil", "libnss3-tools")
	ca := hostile.NewCA(t)
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, []byte(toPEM(t, tls.Certificate{Certificate: [][]byte{ca.Certificate().Raw}})), 0o644); err != nil {
		t.Fatal(err)
	}
	trustRoot(t, dir, roots)
	b := newBrowser(t, [2]string{"host-resolver-rules", "MAP *.test 127.0.0.1"})
	for _, s := range slices.Concat(suites(t, ca), tlsChains(t, ca), clientsAndProtocols(ca), unparsable(ca), byOpenSSL(t, ca, dir)) {
		t.Run(s.name, func(t *testing.T) {
			port := s.start(t)
			host := s.host
			if host == "" {
				host = "site.test"
			}
			url := fmt.Sprintf("https://%s:%s/", host, port)
			r := s.check(t, ca, url)
			if r.Reason() != s.reason || r.Online() != (s.reason == "") {
				t.Errorf("Check(%q) = %v; want %q", url, r, s.reason)
			}
			outcome, netError := b.load(url)
			exit := s.curl(t, roots, url)
			chromium, curl := outcome.visible(), exit == 0
			t.Logf("ours %v, Chromium %v %s, curl %v (%d)", r, chromium, netError, curl, exit)
			differs := chromium != r.Online() && curl != r.Online()
			if differs != (s.agreed != "") {
				t.Errorf("Check(%q) = %v; Chromium %q %s, curl exits with %d; agreed: %q", url, r, outcome, netError, exit, s.agreed)
			}
		})
	}
}

// trustRoot makes Chromium trust what is in a file, as its user would.
func trustRoot(t *testing.T, home, roots string) {
	t.Helper()
	t.Setenv("HOME", home)
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-N", "--empty-password"}, {"-A", "-t", "C,,", "-n", "test", "-i", roots}} {
		if out, err := exec.Command("certutil", append([]string{"-d", "sql:" + db}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %q: %v: %s", args, err, out)
		}
	}
}

// start returns the port of the server.
func (s tlsServer) start(t *testing.T) (port string) {
	t.Helper()
	if s.serve != nil {
		_, port, _ = net.SplitHostPort(hostile.Serve(t, "127.0.0.1:0", s.serve).Addr().String())
		return port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd := exec.CommandContext(t.Context(), "openssl", append([]string{"s_server", "-accept", port, "-www", "-quiet"}, s.args...)...)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	if err := await("127.0.0.1:"+port, nil); err != nil {
		t.Fatal(err)
	}
	return port
}

func (s tlsServer) check(t *testing.T, ca *hostile.CA, url string) checker.Result {
	t.Helper()
	dns := hostile.ServeDNS(t)
	dns.Set(strings.Trim(url[len("https://"):strings.LastIndex(url, ":")], "/"), hostile.Addrs("127.0.0.1"))
	c, err := checker.New(checker.WithTimeout(curlTimeout), checker.WithRetries(0), checker.WithMethod("GET"),
		checker.WithResolver(dns.Resolver()), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
	if err != nil {
		t.Fatal(err)
	}
	return c.Check(t.Context(), url)
}

// curl returns curl's exit status.
func (s tlsServer) curl(t *testing.T, roots, url string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "curl", "-q", "-sS", "--max-time", fmt.Sprint(curlTimeout.Seconds()), "--cacert", roots,
		"-o", "/dev/null", "--resolve", "*:"+url[strings.LastIndex(url, ":")+1:len(url)-1]+":127.0.0.1", "--", url)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.Exited() {
		t.Logf("%s", out)
		return failed.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

var helloPage = hostile.Respond("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// suites are about versions, suites, curves and keys.
func suites(t *testing.T, ca *hostile.CA) []tlsServer {
	site := []string{"site.test"}
	key := newRSA(t, 2048)
	both := func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }
	set := func(name string, reason checker.Reason, key crypto.Signer, f func(*tls.Config)) tlsServer {
		conf := ca.Config(hostile.Cert{Names: site, Key: key, Change: both})
		f(conf)
		return tlsServer{name: name, serve: hostile.TLS(conf, helloPage), reason: reason}
	}
	suite := func(id uint16, reason checker.Reason) tlsServer {
		return set(tls.CipherSuiteName(id), reason, key, func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{id} })
	}
	version := func(v uint16, reason checker.Reason) tlsServer {
		return set(tls.VersionName(v), reason, key, func(c *tls.Config) { c.MinVersion, c.MaxVersion = v, v })
	}
	curve := func(id tls.CurveID) tlsServer {
		return set(id.String(), "", nil, func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{id} })
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	none := func(*tls.Config) {}
	return []tlsServer{
		version(tls.VersionTLS13, ""), version(tls.VersionTLS12, ""), version(tls.VersionTLS11, checker.ReasonTLS), version(tls.VersionTLS10, checker.ReasonTLS),
		suite(tls.TLS_RSA_WITH_AES_128_GCM_SHA256, ""), suite(tls.TLS_RSA_WITH_AES_256_GCM_SHA384, ""),
		suite(tls.TLS_RSA_WITH_AES_128_CBC_SHA, ""), suite(tls.TLS_RSA_WITH_AES_256_CBC_SHA, ""),
		suite(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, checker.ReasonTLS), suite(tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, checker.ReasonTLS),
		suite(tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, ""), suite(tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, ""),
		curve(tls.X25519), curve(tls.CurveP256), curve(tls.CurveP384), curve(tls.CurveP521), curve(tls.X25519MLKEM768),
		set("RSA key of 1024 bits", "", newRSA(t, 1024), none), set("RSA key of 4096 bits", "", newRSA(t, 4096), none),
		set("Ed25519 key", "", ed, none),
	}
}

// tlsChains are about certificates.
func tlsChains(t *testing.T, ca *hostile.CA) []tlsServer {
	site := []string{"site.test"}
	other := hostile.NewCA(t)
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	cert := func(name string, reason checker.Reason, spec hostile.Cert) tlsServer {
		if spec.Names == nil {
			spec.Names = site
		}
		return tlsServer{name: name, serve: hostile.TLS(ca.Config(spec), helloPage), reason: reason}
	}
	change := func(name string, reason checker.Reason, f func(*x509.Certificate)) tlsServer {
		return cert(name, reason, hostile.Cert{Change: f})
	}
	via := func(name string, reason checker.Reason, f func(*x509.Certificate)) tlsServer {
		return cert(name, reason, hostile.Cert{Via: ca.Intermediate(f)})
	}
	at := func(host string, s tlsServer) tlsServer { s.host = host; return s }
	sub := ca.Intermediate(nil)
	root := ca.Certificate().Raw
	const bad = checker.ReasonCertificate
	untrusted := tlsServer{name: "untrusted", serve: hostile.TLS(other.Config(hostile.Cert{Names: site}), helloPage), reason: bad}
	return []tlsServer{
		cert("expired", bad, hostile.Cert{NotAfter: year(2020)}),
		cert("not yet valid", bad, hostile.Cert{NotBefore: year(2099)}),
		untrusted,
		cert("another host", bad, hostile.Cert{Names: []string{"other.test"}}),
		change("only a common name", bad, func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "site.test" }),
		at("a.site.test", cert("wildcard", "", hostile.Cert{Names: []string{"*.site.test"}})),
		at("a.b.site.test", cert("wildcard over two labels", bad, hostile.Cert{Names: []string{"*.site.test"}})),
		at("127.0.0.1", cert("address", "", hostile.Cert{Names: []string{"127.0.0.1"}})),
		cert("no intermediate", bad, hostile.Cert{Via: ca.Intermediate(func(c *x509.Certificate) { c.Subject.CommonName = "never sent" }), Omit: true}),
		via("intermediate", "", nil),
		cert("chain in another order", "", hostile.Cert{Via: sub, Omit: true, With: [][]byte{root, sub.Certificate().Raw}}),
		cert("stranger in the chain", "", hostile.Cert{Via: sub, With: [][]byte{other.Certificate().Raw}}),
		via("intermediate expired", bad, func(c *x509.Certificate) { c.NotAfter, c.Subject.CommonName = year(2020), "expired" }),
		via("intermediate no authority", bad, func(c *x509.Certificate) { c.IsCA, c.Subject.CommonName = false, "no authority" }),
		via("intermediate for another domain", bad, func(c *x509.Certificate) {
			c.PermittedDNSDomainsCritical, c.PermittedDNSDomains, c.Subject.CommonName = true, []string{"other.test"}, "constrained"
		}),
		change("an authority's certificate", bad, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }),
		change("an authority's certificate that signs", "", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }),
		change("no key usage", "", func(c *x509.Certificate) { c.KeyUsage = 0 }),
		change("key usage without signatures", bad, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		change("for clients only", bad, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
		change("no extended key usage", "", func(c *x509.Certificate) { c.ExtKeyUsage = nil }),
	}
}

// clientsAndProtocols are about what a server wants of a client.
func clientsAndProtocols(ca *hostile.CA) []tlsServer {
	set := func(name string, reason checker.Reason, f func(*tls.Config)) tlsServer {
		conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
		f(conf)
		return tlsServer{name: name, serve: hostile.TLS(conf, helloPage), reason: reason}
	}
	wants := func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }
	return []tlsServer{
		set("client certificate asked for", "", func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }),
		set("client certificate wanted", checker.ReasonTLS, wants),
		set("client certificate wanted, TLS 1.2", checker.ReasonTLS, func(c *tls.Config) { wants(c); c.MaxVersion = tls.VersionTLS12 }),
		set("HTTP/1.1 agreed on", "", func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }),
		set("another protocol only", checker.ReasonTLS, func(c *tls.Config) { c.NextProtos = []string{"imap"} }),
		set("no such name", checker.ReasonTLS, func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no such name") }
		}),
		{name: "plain HTTP", reason: checker.ReasonTLS, serve: hostile.AfterHello(func(_ context.Context, c net.Conn) { io.WriteString(c, hostile.OK) })},
		{name: "closed in the handshake", reason: checker.ReasonReset, serve: hostile.AfterHello(hostile.Close())},
	}
}

// unparsable are about certificates that crypto/x509 cannot parse.
func unparsable(ca *hostile.CA) (servers []tlsServer) {
	odd := ca.Unparsable("site.test")
	odd["garbage"] = tls.Certificate{Certificate: [][]byte{[]byte("garbage")}}
	for _, name := range slices.Sorted(maps.Keys(odd)) {
		_, err := x509.ParseCertificate(odd[name].Certificate[0])
		if odd[name].PrivateKey != nil && err != nil { // which depends on the release of Go
			leaf := &tls.Config{Certificates: []tls.Certificate{odd[name]}}
			s := tlsServer{name: "P3 leaf, " + name, serve: hostile.TLS(leaf, helloPage), reason: checker.ReasonCertificate}
			if name != "a subject in BIT STRING" {
				s.agreed = "crypto/x509 cannot parse it, and so it cannot be verified here"
			}
			servers = append(servers, s)
		}
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			stray := ca.Config(hostile.Cert{Names: []string{"site.test"}, With: odd[name].Certificate[:1]})
			stray.MaxVersion = v
			servers = append(servers, tlsServer{name: "P3 beside the leaf, " + tls.VersionName(v) + ", " + name, serve: hostile.TLS(stray, helloPage)})
		}
	}
	return servers
}

// byOpenSSL are servers of what crypto/tls does not have.
func byOpenSSL(t *testing.T, ca *hostile.CA, dir string) []tlsServer {
	file := filepath.Join(dir, "server.pem")
	cert := ca.Issue(hostile.Cert{Names: []string{"site.test"}, Key: newRSA(t, 2048), Change: func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }})
	if err := os.WriteFile(file, []byte(toPEM(t, cert)), 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(name string, reason checker.Reason, args ...string) tlsServer {
		return tlsServer{name: "openssl, " + name, args: append([]string{"-cert", file, "-key", file}, args...), reason: reason}
	}
	return []tlsServer{
		set("as it is", ""),
		set("AES128-SHA", "", "-tls1_2", "-cipher", "AES128-SHA"),
		set("DHE", checker.ReasonTLS, "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"),
		set("Camellia", checker.ReasonTLS, "-tls1_2", "-cipher", "CAMELLIA128-SHA"),
		set("X448", checker.ReasonTLS, "-groups", "X448"),
		set("AES-256 of TLS 1.3", "", "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
		set("no tickets", "", "-tls1_2", "-no_ticket"),
	}
}
