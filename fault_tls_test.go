package checker_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"example.com/checker"
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
			net:    func(n *hostile.Net) { n.Name("a.b.site.test", siteAddr) },
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
	rows := []fault{
		row("D0 all is well", hostile.TLS(ca.Config(good), ok), ""),
		cert("D1 expired", ca.Config(hostile.Cert{Names: names, NotAfter: past})),
		cert("D2 not yet valid", ca.Config(hostile.Cert{Names: names, NotBefore: future})),
		cert("D3 self-signed", hostile.SelfSigned(t, names...)),
		cert("D3 of an unknown authority", other.Config(good)),
		cert("D4 for another host", ca.Config(hostile.Cert{Names: []string{"other.test"}})),
		cert("D4 only a common name", ca.Config(hostile.Cert{CommonName: "site.test"})),
		with(cert("D4 wildcard over two labels", ca.Config(hostile.Cert{Names: []string{"*.site.test"}})), "https://a.b.site.test/"),
		cert("D5 no intermediate", ca.Config(hostile.Cert{Names: names, Via: ca.Intermediate(), Omit: true})),
		row("D5 with the intermediate", hostile.TLS(ca.Config(hostile.Cert{Names: names, Via: ca.Intermediate()}), ok), ""),
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
	fault{reason: checker.ReasonCertificate, phase: checker.PhaseTLS}.check(t, r)
	if r.TLS == nil {
		t.Errorf("Check(%q).TLS is nil; want the certificate", r.Target)
	}
}

// A server that speaks nothing but HTTP/2 is asked again in that.
func TestHTTP2Only(t *testing.T) {
	ca := hostile.NewCA(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithRetries(0))
	for range 3 {
		r := c.Check(t.Context(), s.URLS())
		if !r.Online() || r.StatusCode != http.StatusTeapot || r.Proto != "HTTP/2.0" || r.TLS == nil || r.Addr != s.Addr() {
			t.Errorf("Check(%q) = %v, %q, %v, %v; want Online over HTTP/2.0", r.Target, r, r.Proto, r.TLS, r.Addr)
		}
	}
}

// A target without a scheme is Online if either scheme is; where both fail, the
// one that got further explains.
func TestCandidates(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	ok := hostile.Respond(hostile.OK)
	opts := []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})}
	const site = "site.test"
	runFaults(t, []fault{
		{name: "http answers", target: site, site: ok, secure: hostile.TLS(conf, ok), opts: opts, also: dials(siteAddr + ":80")},
		{name: "D11 http is refused", target: site, secure: hostile.TLS(conf, ok), opts: opts, also: decidedBy("HEAD", "https://site.test/")},
		{
			name: "http is silent", target: site, site: hostile.Silent(), secure: hostile.TLS(conf, ok), opts: opts,
			takes: 300 * time.Millisecond, also: decidedBy("HEAD", "https://site.test/"),
		},
		{
			name: "http answers while https is silent", target: site, site: hostile.Trickle(hostile.OK, len(hostile.OK)-1, 500*time.Millisecond),
			secure: hostile.Silent(), opts: opts, takes: 500 * time.Millisecond, also: decidedBy("HEAD", "http://site.test/"),
		},
		{
			name: "http is refused, the certificate of https too", target: site, secure: hostile.TLS(hostile.SelfSigned(t, site), ok), opts: opts,
			reason: checker.ReasonCertificate, phase: checker.PhaseTLS, also: decidedBy("HEAD", "https://site.test/"),
		},
		{
			name: "both are refused", target: site, reason: checker.ReasonRefused, phase: checker.PhaseConnect,
			also: dials(siteAddr+":80", siteAddr+":443"),
		},
		{
			name: "the judge refuses http", target: site, site: hostile.Respond("HTTP/1.1 500 X\r\n\r\n"), secure: hostile.TLS(conf, ok),
			opts: append(opts, checker.WithJudge(checker.StatusIn(200, 299))), status: 200, also: decidedBy("HEAD", "https://site.test/"),
		},
	})
}
