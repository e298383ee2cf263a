package faults_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/emulator"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// child runs body in a process of its own, which is the same test binary again,
// with further environment variables. What a test does before is done in both.
func child(t *testing.T, env []string, body func(t *testing.T)) {
	t.Helper()
	const inside = "CHECKER_TEST_CHILD"
	if os.Getenv(inside) == t.Name() {
		body(t)
		return
	}
	emulator.Skip(t, emulator.QEMU, "the kernel runs no program of this machine by itself")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), env...), inside+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")) {
		t.Errorf("in a process of its own: %v\n%s", err, out[:min(len(out), 2000)])
	}
}

// L7, J14: a proxy that the environment names would connect in the checker's place, and
// ask no policy.
func TestProxyVariables(t *testing.T) {
	proxy := hostile.Serve(t, "127.0.0.1:0", hostile.Respond("HTTP/1.1 418 Proxy\r\n\r\n"))
	env := []string{"NO_PROXY=", "no_proxy=", "REQUEST_METHOD="}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"} {
		env = append(env, name+"="+proxy.URL(), strings.ToLower(name)+"="+proxy.URL())
	}
	env = append(env, "SOCKS_PROXY=socks5://"+proxy.Addr().String(), "socks_proxy=socks5://"+proxy.Addr().String())
	child(t, env, func(t *testing.T) {
		// The name stands for loopback, which Go itself would never have proxied.
		site := &url.URL{Scheme: "http", Host: "site.test"}
		if u, err := http.ProxyFromEnvironment(&http.Request{URL: site}); u == nil {
			t.Fatalf("ProxyFromEnvironment() = %v, %v; want a proxy, or this test proves nothing", u, err)
		}
		ca := hostile.NewCA(t)
		conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
		plain := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
		target := fmt.Sprintf("http://site.test:%d/", plain.Port())
		secure := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond("HTTP/1.1 302 Found\r\nLocation: "+target+"\r\n\r\n")))
		two := hostile.Serve(t, "127.0.0.1:0", hostile.HTTP2(conf, http.NotFoundHandler())).URLS()
		c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}), checker.WithRedirects(1), checker.WithResolver(&rebinding{answer: inside}))
		for _, target := range []string{
			target, strings.TrimPrefix(target, "http://"), fmt.Sprintf("https://site.test:%d/", secure.Port()), strings.Replace(two, "127.0.0.1", "site.test", 1),
		} {
			if r := c.Check(t.Context(), target); !r.Online() || r.StatusCode == http.StatusTeapot {
				t.Errorf("Check(%q) = %v; want the site's own answer", target, r)
			}
		}
	})
	if proxy.Accepted() > 0 {
		t.Errorf("the proxy was connected to %d times", proxy.Accepted())
	}
}

// K8: what a dial function returns is a caller's as well: whatever panics in it
// costs its own check only, also where addresses are tried beside each other.
func TestConnectionsThatPanic(t *testing.T) {
	child(t, nil, func(t *testing.T) {
		n := hostile.NewNet()
		n.Name("one.test", originAddr)
		n.Name("two.test", originAddr, "1.2.3.5")
		for _, method := range []string{"RemoteAddr", "LocalAddr", "Close"} {
			dial := checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
				here, _ := net.Pipe()
				return panicConn{here, method}, nil
			})
			c := faults.NewChecker(t, publicOn(n, checker.WithRetries(0), dial)...)
			for _, target := range []string{"http://" + originAddr + "/", "http://one.test/", "http://two.test/"} {
				if r := c.Check(t.Context(), target); r.Reason() != checker.ReasonInternal {
					t.Errorf("%s panics: Check(%q).Err = %v; want internal", method, target, r.Err)
				}
			}
		}
	})
}

// panicConn panics in one of its methods.
type panicConn struct {
	net.Conn
	method string
}

func (c panicConn) fail(method string) {
	if c.method == method {
		panic(method)
	}
}

func (c panicConn) RemoteAddr() net.Addr {
	c.fail("RemoteAddr")
	if c.method == "Close" {
		return nil // so that it is blocked, and closed
	}
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(originAddr + ":80"))
}

func (c panicConn) LocalAddr() net.Addr {
	c.fail("LocalAddr")
	return c.Conn.LocalAddr()
}

func (c panicConn) Close() error {
	c.fail("Close")
	return c.Conn.Close()
}

// L9: what a check tells of a name that leads inside is the same, and takes as long,
// wherever it leads and whatever is there.
func TestBlockedTellsNothing(t *testing.T) {
	var first string
	for _, addrs := range [][]string{
		{"10.1.2.3"}, {"10.1.2.4"}, {"127.0.0.1"}, {"169.254.169.254"}, {"fd00:ec2::254"}, {"64:ff9b::a01:203"}, {"10.1.2.3", "fd00::7"}, {"10.1.2.4", "10.1.2.3", "::1"},
	} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("hidden.test", addrs...)
			hostile.ServeListener(t, n.Listen("10.1.2.3:80"), hostile.Respond(hostile.OK))
			n.Drop("10.1.2.4:80")
			r := faults.NewChecker(t, publicOn(n)...).Check(t.Context(), "http://hidden.test/")
			text, err := r.MarshalJSON()
			told := fmt.Sprint(r, r.Err, r.Addr, r.LogValue(), string(text), err)
			if first == "" {
				first = told
			}
			if r.Reason() != checker.ReasonBlocked || told != first {
				t.Errorf("for %q is told\n%s; want as for all\n%s", addrs, told, first)
			}
			cause := errors.Unwrap(r.Err)
			if cause == nil || !slices.ContainsFunc(addrs, func(a string) bool { return strings.Contains(cause.Error(), a) }) {
				t.Errorf("the cause is %v; want one of %q in it, for the operator", cause, addrs)
			}
		})
	}
	for _, secret := range []string{"10.", "private", "RFC", "loopback", "fd00"} {
		if strings.Contains(first, secret) {
			t.Errorf("%q is told in %q", secret, first)
		}
	}
}

// L10: nor do other failures tell of this side: its addresses, its resolver, the names
// in its search list, what its hooks say.
func TestErrorsTellNothingOfThisSide(t *testing.T) {
	here, there := &net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 54321}, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 80}
	wrap := func(op string, err error) error {
		return &net.OpError{Op: op, Net: "tcp", Source: here, Addr: there, Err: os.NewSyscallError(op, err)}
	}
	said := errors.New("10.1.2.3 is the payroll server of corp.internal")
	rows := []fault{
		{name: "a policy", reason: checker.ReasonBlocked, opts: []checker.Option{checker.WithAddrPolicy(func(netip.AddrPort) error { return said })}},
		{name: "a policy's panic", reason: checker.ReasonInternal, opts: []checker.Option{checker.WithAddrPolicy(func(netip.AddrPort) error { panic(said) })}},
		{name: "a dial function", reason: checker.ReasonLocal, net: func(n *hostile.Net) { n.Fail(siteAddr+":80", said) }},
	}
	for errno, reason := range map[syscall.Errno]checker.Reason{
		syscall.ECONNREFUSED: checker.ReasonRefused, syscall.EHOSTUNREACH: checker.ReasonUnreachable, syscall.ETIMEDOUT: checker.ReasonTimeout,
		syscall.ENETUNREACH: checker.ReasonLocal, syscall.EPERM: checker.ReasonLocal, syscall.EACCES: checker.ReasonLocal, syscall.EINVAL: checker.ReasonLocal,
	} {
		rows = append(rows, fault{name: errno.Error(), reason: reason, net: func(n *hostile.Net) { n.Fail(siteAddr+":80", wrap("connect", errno)) }})
	}
	for i := range rows {
		rows[i].phase = checker.PhaseConnect
	}
	for name, err := range map[string]error{
		"SERVFAIL": &net.DNSError{Err: "server misbehaving", Name: "site.test.corp.internal.", Server: "10.9.8.7:53"},
		"silence":  &net.DNSError{Err: "i/o timeout", Name: "site.test.corp.internal.", Server: "10.9.8.7:53", IsTimeout: true},
		"no name":  &net.DNSError{Err: "no such host", Name: "site.test.corp.internal.", Server: "10.9.8.7:53", IsNotFound: true},
		"an error": wrap("read", errors.New("corp.internal")),
		"a text":   said,
	} {
		f := fault{name: "resolver: " + name, reason: checker.ReasonDNS, phase: checker.PhaseDNS, net: func(n *hostile.Net) {
			n.NameFails("ip4", "site.test", err)
			n.NameFails("ip6", "site.test", err)
		}}
		if name == "no name" {
			f.reason = checker.ReasonNotFound
		}
		rows = append(rows, f)
	}
	for i := range rows {
		rows[i].also = func(t *testing.T, _ *hostile.Net, r checker.Result) {
			text, err := r.MarshalJSON()
			told := fmt.Sprint(r, r.Err, string(text), err, r.LogValue())
			for _, secret := range []string{"10.", "corp.internal", "payroll"} {
				if strings.Contains(told, secret) {
					t.Errorf("Check(%q) tells %q in %q", r.Target, secret, told)
				}
			}
		}
	}
	runFaults(t, rows)
}
