package hostile

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/errno"
)

// A fault that a server does not commit makes every test of it worthless, so
// here a plain client looks at each.
func TestHandlers(t *testing.T) {
	const request = "HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n"
	for _, test := range []struct {
		name string
		h    Handler
		want string // what is read
		err  error  // how reading ends; nil: with the peer's end
		send string
	}{
		{"Respond", Respond(OK), OK, nil, request},
		{"Respond without a request", Respond(OK), "", os.ErrDeadlineExceeded, ""},
		{"Banner", Banner("220 hello\r\n"), "220 hello\r\n", os.ErrDeadlineExceeded, ""},
		{"Silent", Silent(), "", os.ErrDeadlineExceeded, request},
		{"Close", Close(), "", nil, ""},
		{"CloseAfterRequest", CloseAfterRequest(), "", nil, request},
		{"Reset", Reset(), "", syscall.ECONNRESET, ""},
		{"ResetAfterRequest", ResetAfterRequest(), "", syscall.ECONNRESET, request},
		{"Trickle", Trickle("abc", 1, time.Millisecond), "abc", nil, request},
		{"Sliced", Sliced(Respond("abc"), 2, time.Millisecond), "abc", nil, request},
		{"AfterHello", AfterHello(Close()), "", nil, "hello"},
		{"ByMethod", ByMethod(map[string]Handler{"HEAD": Respond("head"), "GET": Respond("get")}), "head", nil, request},
		{"ByMethod of another", ByMethod(map[string]Handler{"GET": Respond("get")}), "", nil, request},
		{"RespondTo", RespondTo(func(n int, head string) string { return head[:n+4] }), "HEAD", nil, request},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := NewNet()
				ServeListener(t, n.Listen("192.0.2.80:80"), test.h)
				conn, err := n.DialContext(t.Context(), "tcp", "192.0.2.80:80")
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(time.Minute))
				io.WriteString(conn, test.send)
				got, err := io.ReadAll(conn)
				if string(got) != test.want || !errors.Is(err, test.err) {
					t.Errorf("read %q, %v; want %q, %v", got, err, test.want, test.err)
				}
			})
		})
	}
}

func TestSequence(t *testing.T) {
	s := Serve(t, "127.0.0.1:0", Sequence(Banner("1"), Banner("2")))
	for _, want := range []string{"1", "2", "2"} {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var got [1]byte
		if io.ReadFull(conn, got[:]); string(got[:]) != want {
			t.Errorf("read %q; want %q", got, want)
		}
		conn.Close()
	}
	if s.Accepted() != 3 {
		t.Errorf("Accepted() = %d; want 3", s.Accepted())
	}
}

func TestClosedPort(t *testing.T) {
	_, err := net.Dial("tcp", ClosedPort(t).String())
	if number, _ := errno.In(err); errno.Of(number) != errno.Refused {
		t.Errorf("Dial = %v; want %v", err, syscall.ECONNREFUSED)
	}
}

func TestHTTP(t *testing.T) {
	ca := NewCA(t)
	conf := ca.Config(Cert{Names: []string{"127.0.0.1"}})
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, test := range []struct {
		s     *Server
		url   func(*Server) string
		http2 bool // what the client may speak
		proto string
	}{
		{Serve(t, "127.0.0.1:0", HTTP(teapot)), (*Server).URL, false, "HTTP/1.1"},
		{Serve(t, "127.0.0.1:0", HTTP2(conf, teapot)), (*Server).URLS, true, "HTTP/2.0"},
		{Serve(t, "127.0.0.1:0", HTTP2(conf, teapot)), (*Server).URLS, false, ""},
	} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, ForceAttemptHTTP2: test.http2, DisableKeepAlives: true}
		proto := ""
		resp, err := (&http.Client{Transport: tr}).Get(test.url(test.s))
		if err == nil {
			resp.Body.Close()
			proto = resp.Proto
		}
		if proto != test.proto || err == nil && resp.StatusCode != http.StatusTeapot {
			t.Errorf("with HTTP/2 %t: Get = %v, %v over %q; want %q", test.http2, resp, err, proto, test.proto)
		}
	}
}

// The servers that run in processes of their own, here in this one.
func TestServeProcess(t *testing.T) {
	t.Setenv("GODEBUG", "") // which weak sets
	for name, listen := range map[string]func() (net.Listener, string, error){"plain": plain, "weak": weak} {
		stdin, end := io.Pipe()
		out, stdout := io.Pipe()
		done := make(chan error)
		go func() { done <- serveProcess(listen, stdin, stdout) }()
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		port, cert, _ := strings.Cut(strings.TrimSpace(line), " ")
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		if cert != "" {
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		}
		io.WriteString(conn, "HEAD / HTTP/1.1\r\n\r\n")
		if got, _ := io.ReadAll(conn); !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%s: read %q; want 200", name, got)
		}
		conn.Close()
		end.Close()
		if err := <-done; err != nil {
			t.Errorf("%s: serveProcess = %v; want nil", name, err)
		}
	}
}

func TestNet(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := NewNet()
		n.Name("site.test", "192.0.2.1", "2001:db8::1")
		n.Drop("192.0.2.2:80")
		n.Delay("192.0.2.3:80", time.Second)
		n.Fail("192.0.2.4:80", syscall.EHOSTUNREACH)
		ServeListener(t, n.Listen("192.0.2.3:80"), Close())
		start := time.Now()
		conn, err := n.DialContext(t.Context(), "tcp", "192.0.2.3:80")
		if err != nil || time.Since(start) != time.Second || n.Open() != 1 {
			t.Fatalf("DialContext = %v after %v; want a connection after 1s", err, time.Since(start))
		}
		conn.Close()
		for addr, want := range map[string]error{
			"192.0.2.1:80": syscall.ECONNREFUSED, "192.0.2.2:80": context.DeadlineExceeded, "192.0.2.4:80": syscall.EHOSTUNREACH,
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if _, err := n.DialContext(ctx, "tcp", addr); !errors.Is(err, want) {
				t.Errorf("DialContext(%s) = %v; want %v", addr, err, want)
			}
			cancel()
		}
		if n.Open() != 0 || len(n.Dials()) != 4 {
			t.Errorf("%d connections are open after %v; want none after four", n.Open(), n.Dials())
		}
		got, err := n.LookupNetIP(t.Context(), "ip6", "site.test.")
		if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr("2001:db8::1")}) {
			t.Errorf("LookupNetIP = %v, %v", got, err)
		}
	})
}

// What is said of one port of an address counts before what is said of all.
func TestNetHandle(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := NewNet()
		n.Handle("192.0.2.1", Respond("all"))
		ServeListener(t, n.Listen("192.0.2.1:80"), Respond("one"))
		n.Handle("2001:db8::1", Respond("all"))
		n.Fail("2001:db8::1", syscall.EHOSTUNREACH)
		n.Fail("[2001:db8::1]:81", nil)
		ask := func(addr string) string {
			conn, err := n.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				return err.(*net.OpError).Err.Error()
			}
			defer conn.Close()
			io.WriteString(conn, "HEAD / HTTP/1.1\r\n\r\n")
			got, _ := io.ReadAll(conn)
			return string(got)
		}
		for addr, want := range map[string]string{
			"192.0.2.1:80": "one", "192.0.2.1:81": "all", "192.0.2.2:80": syscall.ECONNREFUSED.Error(),
			"[2001:db8::1]:80": syscall.EHOSTUNREACH.Error(), "[2001:db8::1]:81": "all",
		} {
			if got := ask(addr); got != want {
				t.Errorf("at %s there is %q; want %q", addr, got, want)
			}
		}
		if n.Handle("192.0.2.1", nil); ask("192.0.2.1:81") != syscall.ECONNREFUSED.Error() {
			t.Errorf("at an address that is served no more there is %q; want nobody", ask("192.0.2.1:81"))
		}
	})
}

func TestDNS(t *testing.T) {
	d := ServeDNS(t)
	d.Set("site.test", Addrs("192.0.2.1", "2001:db8::1"))
	d.Set("many.test", Addrs(strings.Fields(strings.Repeat("192.0.2.1 ", 500))...).Truncated(true))
	d.Set("once.test", ServFail().Once(), ServFail().Once(), Addrs("192.0.2.9"))
	r := d.Resolver()
	for name, want := range map[string]int{"site.test.": 2, "many.test.": 500, "none.test.": -1} {
		got, err := r.LookupNetIP(t.Context(), "ip", name)
		dnsErr, _ := errors.AsType[*net.DNSError](err)
		if want < 0 {
			if dnsErr == nil || !dnsErr.IsNotFound {
				t.Errorf("LookupNetIP(%s) = %v, %v; want that it is not there", name, got, err)
			}
			continue
		}
		if err != nil || len(got) != want {
			t.Errorf("LookupNetIP(%s) = %d addresses, %v; want %d", name, len(got), err, want)
		}
	}
	if d.Queries("site.test") != 2 {
		t.Errorf("Queries(site.test) = %d; want one for each family", d.Queries("site.test"))
	}
}

func TestCertificates(t *testing.T) {
	ca := NewCA(t)
	past := time.Now().Add(-time.Hour)
	for name, test := range map[string]struct {
		conf *tls.Config
		good bool
	}{
		"good":         {ca.Config(Cert{Names: []string{"site.test"}}), true},
		"via another":  {ca.Config(Cert{Names: []string{"site.test"}, Via: ca.Intermediate(nil)}), true},
		"without it":   {ca.Config(Cert{Names: []string{"site.test"}, Via: ca.Intermediate(nil), Omit: true}), false},
		"expired":      {ca.Config(Cert{Names: []string{"site.test"}, NotAfter: past}), false},
		"of another":   {ca.Config(Cert{Names: []string{"other.test"}}), false},
		"self-signed":  {SelfSigned(t, "site.test"), false},
		"another's CA": {NewCA(t).Config(Cert{Names: []string{"site.test"}}), false},
	} {
		s := Serve(t, "127.0.0.1:0", TLS(test.conf, Close()))
		conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"})
		if good := err == nil; good != test.good {
			t.Errorf("%s: Dial = %v; want success %t", name, err, test.good)
		}
		if err == nil {
			conn.Close()
		}
	}
}
