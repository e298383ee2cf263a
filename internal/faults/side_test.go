package faults_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// What goes wrong on this side, in a caller's code or for want of a token, is
// not the site's fault, and does not end the process.

// A policy that takes longer than there is time is this side's fault, wherever
// it is asked.
func TestSlowPolicy(t *testing.T) {
	for _, target := range []string{"http://" + siteAddr, "http://one.test", "http://two.test"} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("one.test", siteAddr)
			n.Name("two.test", siteAddr, "192.0.2.81")
			hostile.ServeListener(t, n.Listen(siteAddr+":80"), hostile.Respond(hostile.OK))
			c := faults.NewChecker(t, checker.WithResolver(n), checker.WithDialContext(n.DialContext), checker.WithTimeout(timeout),
				checker.WithAddrPolicy(func(netip.AddrPort) error { time.Sleep(2 * timeout); return nil }))
			if r := c.Check(t.Context(), target); r.Reason() != checker.ReasonLocal {
				t.Errorf("Check(%q) = %v; want local", target, r)
			}
			time.Sleep(2 * timeout) // the policy may go on for that long
		})
	}
}

// A deadline that a dial function has left on its connection is not the site's.
func TestDeadlineOfDialContext(t *testing.T) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.RespondTo(func(int, string) string {
		time.Sleep(300 * time.Millisecond)
		return hostile.OK
	}))
	connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			nc.SetDeadline(time.Now().Add(100 * time.Millisecond)) // for a proxy's handshake, say
		}
		return nc, err
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		c := faults.NewChecker(t, checker.WithDialContext(connect), checker.WithMethod(method), checker.WithRetries(0))
		if r := c.Check(t.Context(), s.URL()); !r.Online() {
			t.Errorf("%s: Check of a site that answers after 300ms = %v; want Online", method, r)
		}
	}
}

// A proxy that is down, or any other error of a transport that no type tells to
// be the site's, is no verdict on the site.
func TestTransportsOwnFaults(t *testing.T) {
	dead := &url.URL{Scheme: "http", Host: hostile.ClosedPort(t).String()}
	refusing := hostile.Serve(t, "127.0.0.1:0", hostile.Respond("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
	asking := &url.URL{Scheme: "http", Host: refusing.Addr().String()}
	proxy := func(u *url.URL) http.RoundTripper {
		return &http.Transport{Proxy: http.ProxyURL(u), DisableKeepAlives: true}
	}
	for _, test := range []struct {
		name, target string
		rt           http.RoundTripper
	}{
		{"a dead proxy", "http://site.test/", proxy(dead)},
		{"a dead proxy for https", "https://site.test/", proxy(dead)},
		{"a proxy that wants a password", "https://site.test/", proxy(asking)},
		{"a quota", "http://site.test/", roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("used up") })},
		{"a name of the proxy's", "http://site.test/", roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "proxyconnect", Err: &net.DNSError{IsNotFound: true}}
		})},
	} {
		c := faults.NewChecker(t, checker.WithTransport(test.rt), checker.WithRetries(0))
		if r := c.Check(t.Context(), test.target); r.Reason() != checker.ReasonLocal {
			t.Errorf("%s: Check(%q) = %v; want local", test.name, test.target, r)
		}
	}
}

// failingKey is a key that cannot sign.
type failingKey struct{ crypto.Signer }

func (failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errOwn
}

// broke is a source of bytes, and a writer, that fails.
type broke struct{}

func (broke) Read([]byte) (int, error)  { return 0, errOwn }
func (broke) Write([]byte) (int, error) { return 0, errOwn }

var errOwn = errors.New("out of order")

// What a caller brings into the handshake and that is out of order is not the site's.
func TestOwnFaultsInTLS(t *testing.T) {
	ca := hostile.NewCA(t)
	key := ca.Issue(hostile.Cert{Names: []string{"client"}})
	key.PrivateKey = failingKey{key.PrivateKey.(crypto.Signer)}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		conf := ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}})
		conf.ClientAuth, conf.MaxVersion = tls.RequireAnyClientCert, version
		s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK)))
		for name, own := range map[string]*tls.Config{
			"key":                  {Certificates: []tls.Certificate{key}},
			"GetClientCertificate": {GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, errOwn }},
			"its key":              {GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &key, nil }},
			"Rand":                 {Rand: broke{}},
			"KeyLogWriter":         {KeyLogWriter: broke{}},
		} {
			own.RootCAs = ca.Pool()
			r := faults.NewChecker(t, checker.WithTLSConfig(own)).Check(t.Context(), s.URLS())
			if r.Reason() != checker.ReasonLocal || !errors.Is(r.Err, errOwn) {
				t.Errorf("%s, TLS %#x: Check() = %v (%q); want local", name, version, r, r.Reason())
			}
		}
	}
}

// stubConn is a connection some of whose methods do nothing.
type stubConn struct {
	net.Conn
	stub string
}

func (c stubConn) SetDeadline(t time.Time) error {
	if c.stub == "SetDeadline" {
		return nil
	}
	return c.Conn.SetDeadline(t)
}

func (c stubConn) Read(b []byte) (int, error) {
	if c.stub == "Read" {
		return 0, nil
	}
	return c.Conn.Read(b)
}

func (c stubConn) Write(b []byte) (int, error) {
	if c.stub == "Write" {
		return 0, nil
	}
	return c.Conn.Write(b)
}

// A connection that takes deadlines and does not keep them is closed when its time is
// over, and one that reads or writes nothing is out of order.
func TestStubs(t *testing.T) {
	for stub, want := range map[string]checker.Reason{"SetDeadline": checker.ReasonTimeout, "Read": checker.ReasonLocal, "Write": checker.ReasonLocal} {
		for _, target := range []string{"http://site.test/", "https://site.test/"} {
			bubble.Test(t, func(t *testing.T) {
				n := faults.Site(t, hostile.Silent(), hostile.Silent())
				dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := n.DialContext(ctx, network, addr)
					return stubConn{nc, stub}, err
				}
				c := faults.NewChecker(t, checker.WithResolver(n), checker.WithDialContext(dial), checker.WithTimeout(timeout), checker.WithRetries(0))
				start := time.Now()
				r := c.Check(t.Context(), target)
				if took := time.Since(start); r.Reason() != want || took > timeout+50*time.Millisecond {
					t.Errorf("%s is a stub: Check(%q) = %v after %v; want %q within %v", stub, target, r, took, want, timeout)
				}
				synctest.Wait()
				if n.Open() != 0 {
					t.Errorf("%s is a stub: %d connections are open", stub, n.Open())
				}
			})
		}
	}
}
