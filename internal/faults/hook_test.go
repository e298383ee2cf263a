package faults_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"runtime"
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
	if want := "http://site.test/: a hook panicked or ended its goroutine"; r.Err == nil || r.Err.Error() != want {
		t.Errorf("Err = %v; want %q", r.Err, want)
	}
	cause := errors.Unwrap(r.Err)
	if cause == nil || cause.Error() != "panic: boom" {
		t.Errorf("the cause is %v; want the panic's value", cause)
	}
}

type brokenConn struct {
	net.Conn
	broken string
}

func (c brokenConn) Close() error {
	err := c.Conn.Close()
	if c.broken == "Close" {
		panic("no")
	}
	return err
}

func (c brokenConn) SetDeadline(at time.Time) error {
	if c.broken == "SetDeadline" && at.Unix() == 1 { // an interruption
		panic("no")
	}
	return c.Conn.SetDeadline(at)
}

type brokenBody struct{ io.Reader }

func (brokenBody) Close() error { panic("no") }

// K8: also what runs on other goroutines, and after all is said.
func TestPanicsOnTheWay(t *testing.T) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	silent := hostile.Serve(t, "127.0.0.1:0", hostile.Silent())
	conns := func(method string) checker.Option {
		return checker.WithDialContext(func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			return brokenConn{nc, method}, err
		})
	}
	for _, test := range []struct {
		name, target string
		opt          checker.Option
		want         checker.Reason
	}{
		{"a resolver's dial function", "http://site.test/", checker.WithResolver(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			panic("no")
		}}), checker.ReasonInternal},
		{"the end of a connection", s.URL(), conns("Close"), checker.ReasonInternal},
		{"the interruption of a connection", silent.URL(), conns("SetDeadline"), checker.ReasonCanceled},
		{"the end of a body", s.URL(), checker.WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := faults.Respond(req, 200)
			resp.Body = brokenBody{http.NoBody}
			return resp, nil
		})), checker.ReasonInternal},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := faults.NewChecker(t, test.opt, checker.WithTimeout(300*time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if r := c.CheckAll(ctx, []string{test.target})[0]; r.Reason() != test.want {
				t.Errorf("Check(%q) = %v; want %q", test.target, r, test.want)
			}
		})
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
				n := faults.Site(t, row.site, row.secure)
				if row.net != nil {
					row.net(n)
				}
				c := faults.NewChecker(t, append(faults.On(n, trust), row.opts...)...)
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

// nilError is an error that cannot be asked anything, as a nil pointer in an error
// that is not nil often cannot.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }
func (e *nilError) Unwrap() error { return errors.New(e.text) }

// mute is one that only panics when it is asked for its text.
type mute struct{}

func (mute) Error() string { panic("no words") }

// An error of a hook that panics is the hook's panic, or has no text; it never ends
// the process.
func TestErrorsThatPanic(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	for name, test := range map[string]struct {
		err  error
		want []checker.Reason // of a judge, and of a function in a TLS configuration
	}{
		"nil pointer": {(*nilError)(nil), []checker.Reason{checker.ReasonInternal, checker.ReasonInternal}},
		"no text":     {mute{}, []checker.Reason{checker.ReasonRejected, checker.ReasonTLS}},
	} {
		conf := &tls.Config{InsecureSkipVerify: true}
		verify := conf.Clone()
		verify.VerifyConnection = func(tls.ConnectionState) error { return test.err }
		for i, opts := range [][]checker.Option{
			{checker.WithTLSConfig(conf), checker.WithJudge(func(*http.Response) error { return test.err })},
			{checker.WithTLSConfig(verify)},
		} {
			r := faults.NewChecker(t, opts...).CheckAll(t.Context(), []string{srv.URL})[0]
			if r.Reason() != test.want[i] || r.String() == "" {
				t.Errorf("%s, hook %d: CheckAll() = %v; want %q", name, i, r, test.want[i])
			}
		}
	}
}

// A resolver and a transport that return a nil pointer as an error are at fault
// themselves.
func TestNilPointersAsErrors(t *testing.T) {
	resolver := resolverFunc(func(context.Context, string, string) ([]netip.Addr, error) { return nil, (*nilError)(nil) })
	transport := roundTripper(func(*http.Request) (*http.Response, error) { return nil, (*net.OpError)(nil) })
	for name, opt := range map[string]checker.Option{
		"resolver":  checker.WithResolver(resolver),
		"transport": checker.WithTransport(transport),
	} {
		if r := faults.NewChecker(t, opt).CheckAll(t.Context(), []string{"http://site.test/"})[0]; r.Reason() != checker.ReasonInternal {
			t.Errorf("a %s that returns a nil pointer: %v; want %q", name, r, checker.ReasonInternal)
		}
	}
}
