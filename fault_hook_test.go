package checker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// resolverFunc is a function as a resolver.
type resolverFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return f(ctx, network, host)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// K8, K9: a hook that panics, or ends its goroutine, costs its own check and no
// other.
func TestHooksThatFail(t *testing.T) {
	ca := hostile.NewCA(t)
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	secure := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(ca.Config(hostile.Cert{Names: []string{"127.0.0.1"}}), hostile.Respond(hostile.OK)))
	for how, fail := range map[string]func(){
		"panic":  func() { panic("no") },
		"Goexit": runtime.Goexit,
	} {
		for name, opt := range map[string]checker.Option{
			"judge":     checker.WithJudge(func(*http.Response) error { fail(); return nil }),
			"policy":    checker.WithAddrPolicy(func(netip.AddrPort) error { fail(); return nil }),
			"resolver":  checker.WithResolver(resolverFunc(func(context.Context, string, string) ([]netip.Addr, error) { fail(); return nil, nil })),
			"dial":      checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) { fail(); return nil, nil }),
			"transport": checker.WithTransport(roundTripper(func(*http.Request) (*http.Response, error) { fail(); return nil, nil })),
			"TLS config": checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), VerifyConnection: func(tls.ConnectionState) error {
				fail()
				return nil
			}}),
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				c := faults.NewChecker(t, opt, checker.WithRetries(0), checker.WithConcurrency(2), checker.WithTimeout(timeout))
				targets := []string{s.URL(), fmt.Sprintf("http://localhost:%d/", s.Port()), "http://:80/", s.URL(), s.URL()}
				if name == "TLS config" {
					targets[1] = secure.URLS()
				}
				ended := 0
				results := c.CheckAll(t.Context(), targets)
				for _, r := range results {
					if r.Reason() == checker.ReasonInternal {
						ended++
					}
				}
				if ended == 0 || results[2].Reason() != checker.ReasonInvalid {
					t.Errorf("CheckAll gave %v; want some internal, and the third invalid", results)
				}
				for _, r := range results {
					if r.Status() == checker.Offline {
						t.Errorf("Check(%q) = %v; want anything but Offline", r.Target, r)
					}
				}
			})
		}
	}
}

func TestHostKeyPanics(t *testing.T) {
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithHostKey(func(u *url.URL) string {
		if u.Host == "bad.test" {
			panic("no")
		}
		return "all"
	}))
	results := c.CheckAll(t.Context(), []string{"http://bad.test/", "http://good.test/"})
	if results[0].Reason() != checker.ReasonInternal || !results[1].Online() {
		t.Errorf("CheckAll gave %v; want internal and Online", results)
	}
}

// The value and the stack of a panic are there for whoever looks for the fault.
func TestPanicKeepsStack(t *testing.T) {
	boom := errors.New("boom")
	c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithJudge(func(*http.Response) error { panic(boom) }))
	r := c.Check(t.Context(), "http://site.test/")
	if want := "http://site.test/: a hook panicked"; r.Err == nil || r.Err.Error() != want {
		t.Errorf("Err = %v; want %q", r.Err, want)
	}
	cause := errors.Unwrap(r.Err)
	if cause == nil || cause.Error() != "panic: boom" {
		t.Errorf("the cause is %v; want the panic's value", cause)
	}
}

// A transport that does not keep to its contract says nothing of the site.
func TestTransportsThatLie(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"nothing":     nil,
		"no body":     {StatusCode: 200},
		"no status":   {Body: http.NoBody},
		"status 103":  {StatusCode: 103, Body: http.NoBody},
		"status 1000": {StatusCode: 1000, Body: http.NoBody},
	} {
		c := faults.NewChecker(t, checker.WithTransport(roundTripper(func(*http.Request) (*http.Response, error) { return resp, nil })))
		if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonLocal || r.StatusCode != 0 {
			t.Errorf("%s: Check() = %v; want local", name, r)
		}
	}
}

// K5: the caller's end is at once the end of the check, in every phase, and is
// no verdict on the site.
func TestCanceledInEveryPhase(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	trust := checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})
	for _, row := range []struct {
		name   string
		target string
		site   hostile.Handler
		secure hostile.Handler
		net    func(*hostile.Net)
		opts   []checker.Option
		phase  checker.Phase
	}{
		{name: "dns", phase: checker.PhaseDNS, net: func(n *hostile.Net) { n.NameHangs("ip4", "site.test"); n.NameHangs("ip6", "site.test") }},
		{name: "connect", phase: checker.PhaseConnect, net: func(n *hostile.Net) { n.Drop(siteAddr + ":80") }},
		{name: "connect, several addresses", phase: checker.PhaseConnect, net: func(n *hostile.Net) {
			n.Name("site.test", siteAddr, "192.0.2.81")
			n.Drop(siteAddr + ":80")
			n.Drop("192.0.2.81:80")
		}},
		{name: "tls", target: "https://site.test/", phase: checker.PhaseTLS, secure: hostile.AfterHello(hostile.Silent())},
		{name: "head", phase: checker.PhaseResponse, site: hostile.Silent()},
		{name: "head over tls", target: "https://site.test/", phase: checker.PhaseResponse, secure: hostile.TLS(conf, hostile.Silent())},
		{name: "head and get", phase: checker.PhaseResponse, site: hostile.Silent(), opts: []checker.Option{checker.WithTimeout(2 * time.Second)}},
		{name: "candidates", target: "site.test", phase: checker.PhaseResponse, site: hostile.Silent(), secure: hostile.TLS(conf, hostile.Silent())},
		{name: "body", phase: checker.PhaseJudge, site: hostile.Forever("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", func(int) string { return "" }, time.Second), opts: []checker.Option{
			checker.WithMethod("GET"), checker.WithJudge(func(resp *http.Response) error { _, err := resp.Body.Read(make([]byte, 1)); return err }),
		}},
		{name: "between attempts", phase: checker.PhaseWait, opts: []checker.Option{checker.WithRetries(1000)}},
		{name: "token", phase: checker.PhaseWait, site: hostile.Respond("garbage"), opts: []checker.Option{checker.WithRateLimit(0.1, 1), checker.WithTimeout(time.Minute)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := hostile.NewNet()
				n.Name("site.test", siteAddr)
				if row.net != nil {
					row.net(n)
				}
				if row.site != nil {
					hostile.ServeListener(t, n.Listen(siteAddr+":80"), row.site)
				}
				if row.secure != nil {
					hostile.ServeListener(t, n.Listen(siteAddr+":443"), row.secure)
				}
				c := faults.NewChecker(t, append([]checker.Option{trust, checker.WithResolver(n), checker.WithDialContext(n.DialContext)}, row.opts...)...)
				ctx, cancel := context.WithCancelCause(t.Context())
				cause := errors.New("enough")
				time.AfterFunc(time.Second, func() { cancel(cause) })
				target := row.target
				if target == "" {
					target = "http://site.test/"
				}
				start := time.Now()
				r := c.Check(ctx, target)
				if took := time.Since(start); took != time.Second {
					t.Errorf("Check(%q) took %v; want 1s", target, took)
				}
				e, _ := errors.AsType[*checker.Error](r.Err)
				if e == nil || e.Reason != checker.ReasonCanceled || !errors.Is(r.Err, cause) {
					t.Fatalf("Check(%q).Err = %v; want canceled for that cause", target, r.Err)
				}
				if row.phase != checker.PhaseWait && e.Phase != row.phase {
					t.Errorf("Check(%q) was canceled in %q; want %q", target, e.Phase, row.phase)
				}
				synctest.Wait()
				if n.Open() != 0 {
					t.Errorf("%d connections are open", n.Open())
				}
			})
		})
	}
}

// What a judge says is its verdict, whatever its error wraps, while there is
// time.
func TestJudgeWrapsAnything(t *testing.T) {
	for _, cause := range []error{
		context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded,
		&net.DNSError{IsTimeout: true}, &net.DNSError{IsNotFound: true}, syscall.EMFILE, io.EOF,
	} {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{}), checker.WithJudge(func(*http.Response) error {
			return fmt.Errorf("log in: %w", cause)
		}))
		if r := c.Check(t.Context(), "http://site.test/"); r.Reason() != checker.ReasonRejected {
			t.Errorf("a judge that wraps %v: Check() = %v; want rejected", cause, r)
		}
	}
}

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
		})
	}
}

// A judge gets no more of a transport's body than of one of our own.
func TestBodyOfTransportIsBounded(t *testing.T) {
	m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		resp := faults.Respond(req, 200)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20)))
		return resp, nil
	}}
	read := 0
	c := faults.NewChecker(t, checker.WithTransport(m), checker.WithJudge(func(resp *http.Response) error {
		b, err := io.ReadAll(resp.Body)
		read = len(b)
		return err
	}))
	if r := c.Check(t.Context(), "http://site.test/"); !r.Online() || read != 1<<20 {
		t.Errorf("Check() = %v, and the judge read %d bytes; want Online and 1 MiB", r, read)
	}
}
