package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// asProgram makes the test binary the program.
const asProgram = "OTEL_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A keeper keeps spans beyond the shutdown of the provider, unlike the exporter
// in it.
type keeper struct{ *tracetest.InMemoryExporter }

func (keeper) Shutdown(context.Context) error { return nil }

// tree writes the spans as a tree, with their times since the first began.
func tree(spans tracetest.SpanStubs) string {
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	var b strings.Builder
	for _, check := range spans {
		if check.Parent.IsValid() {
			continue
		}
		write := func(indent string, s tracetest.SpanStub) {
			zero := spans[0].StartTime
			fmt.Fprintf(&b, "%s%s %v–%v", indent, s.Name, s.StartTime.Sub(zero), s.EndTime.Sub(zero))
			for _, a := range s.Attributes {
				fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.String())
			}
			if s.Status.Description != "" {
				fmt.Fprintf(&b, " %v: %s", s.Status.Code, s.Status.Description)
			}
			b.WriteByte('\n')
		}
		write("", check)
		for _, s := range spans {
			if s.Parent.SpanID() == check.SpanContext.SpanID() {
				write("  ", s)
			}
		}
	}
	return b.String()
}

// resolver needs 20 ms to find everything at one address.
type resolver struct{}

func (resolver) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	time.Sleep(20 * time.Millisecond)
	if network == "ip6" {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
}

// dial needs 30 ms to reach a site that takes 40 ms for the TLS handshake and
// 50 ms to answer, or to reset the connection on port 81.
func dial(conf *tls.Config) func(_ context.Context, _, addr string) (net.Conn, error) {
	conf.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		time.Sleep(40 * time.Millisecond)
		return nil, nil
	}
	return func(_ context.Context, _, addr string) (net.Conn, error) {
		time.Sleep(30 * time.Millisecond)
		mine, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			conn := net.Conn(theirs)
			if strings.HasSuffix(addr, ":443") {
				conn = tls.Server(theirs, conf)
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
			if !strings.HasSuffix(addr, ":81") {
				io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
			}
		}()
		return mine, nil
	}
}

// The clock of a bubble moves only by what the network above takes, so that the
// spans are exact. There is one check at a time, and the others wait.
func TestSpans(t *testing.T) {
	site := httptest.NewTLSServer(nil) // for its certificate
	site.Close()
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	bubble.Test(t, func(t *testing.T) {
		exporter := tracetest.NewInMemoryExporter()
		err := run(t.Context(), keeper{exporter},
			[]string{"https://example.com/", "http://example.com:81/", "ftp://x"},
			checker.WithConcurrency(1), checker.WithRetries(0), checker.WithMethod(http.MethodGet), checker.WithResolver(resolver{}),
			checker.WithDialContext(dial(site.TLS.Clone())), checker.WithTLSConfig(&tls.Config{RootCAs: roots}))
		if err != nil {
			t.Fatal(err)
		}
		want := `check 0s–140ms url.full=https://example.com/ checker.status=online http.response.status_code=204
  dns 0s–20ms
  connect 20ms–50ms
  tls 50ms–90ms
  response 90ms–140ms
check 0s–220ms url.full=http://example.com:81/ checker.status=offline error.type=reset checker.cause=before_answer Error: http://example.com:81/: the connection was closed before a whole answer
  wait 0s–140ms
  connect 140ms–170ms
  response 170ms–220ms
check 140ms–220ms url.full= checker.status=unknown error.type=invalid Error: not a site to check: the scheme "ftp" is neither http nor https
  wait 140ms–220ms
`
		if got := tree(exporter.GetSpans()); got != want {
			t.Errorf("the spans are\n%s; want\n%s", got, want)
		}
	})
}

func TestProgram(t *testing.T) {
	for _, test := range []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{"http://127.0.0.1:1/"}, `"Value": "refused"`, 0},
		{[]string{"-h"}, "Check sites and trace each check.", 0},
		{nil, "URL is required", 2},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], test.args...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); !strings.Contains(string(out), test.want) || got != test.status {
			t.Errorf("otel %q printed %q with status %d; want %q with %d", test.args, out, got, test.want, test.status)
		}
	}
}
