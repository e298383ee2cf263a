package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"example.com/checker"
	"example.com/checker/checkertest"
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
			fmt.Fprintf(&b, "%s%v %s %v–%v%s", indent, s.SpanKind, s.Name, s.StartTime.Sub(zero), s.EndTime.Sub(zero), list(s.Attributes))
			if s.Status.Code != codes.Unset {
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

func list(attrs []attribute.KeyValue) string {
	var b strings.Builder
	for _, a := range attrs {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.String())
	}
	return b.String()
}

// values keeps the values of histograms that it is told of, and the names of the
// services that they are from.
type values struct {
	metric.Exporter
	lines []string
}

func (v *values) Shutdown(context.Context) error { return nil }

func (v *values) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	name, _ := rm.Resource.Set().Value("service.name")
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				return fmt.Errorf("%s is a %T; want a histogram", m.Name, m.Data)
			}
			for _, p := range h.DataPoints {
				v.lines = append(v.lines, fmt.Sprintf("%s: %s = %d × %.3f %s%s",
					name.AsString(), m.Name, p.Count, p.Sum, m.Unit, list(p.Attributes.ToSlice())))
			}
		}
	}
	slices.Sort(v.lines)
	return nil
}

// In a bubble what is made now begins when the last one has ended, so that the spans are
// exact.
func TestSpans(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		exporter, metrics := tracetest.NewInMemoryExporter(), &values{}
		var err error
		if metrics.Exporter, err = stdoutmetric.New(); err != nil {
			t.Fatal(err)
		}
		_, err = run(t.Context(), keeper{exporter}, metrics, func(yield func(checker.Result) bool) {
			for _, site := range []struct {
				target string
				why    error
			}{{"https://me:secret@example.com/", nil}, {"http://example.com:81/", checker.CauseBeforeAnswer}, {"ftp://x", checker.ReasonInvalid}} {
				r := checkertest.Result(site.target, site.why)
				if r.Timing.Wait = time.Second; !yield(r) {
					return
				}
				time.Sleep(r.Timing.Total)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		want := `client HEAD 0s–75ms http.request.method=HEAD server.address=example.com server.port=443 url.scheme=https http.response.status_code=200 network.protocol.version=1.1 url.full=https://example.com/ network.peer.address=1.0.0.1 network.peer.port=443 checker.status=online checker.wait=1
  internal dns 0s–5ms
  internal connect 5ms–15ms
  internal tls 15ms–35ms
  internal response 35ms–75ms
client HEAD 75ms–130ms http.request.method=HEAD server.address=example.com server.port=81 url.scheme=http error.type=reset url.full=http://example.com:81/ network.peer.address=1.0.0.1 network.peer.port=81 checker.status=offline checker.cause=before_answer checker.wait=1 Error: http://example.com:81/: the connection was closed before a whole answer
  internal dns 75ms–80ms
  internal connect 80ms–90ms
  internal response 90ms–130ms
internal check 130ms–130ms error.type=invalid checker.status=unknown checker.wait=1 Error: not a site to check
`
		if got := tree(exporter.GetSpans()); got != want {
			t.Errorf("the spans are\n%s; want\n%s", got, want)
		}
		want = `checker: http.client.request.duration = 1 × 0.055 s error.type=reset http.request.method=HEAD server.address=example.com server.port=81 url.scheme=http
checker: http.client.request.duration = 1 × 0.075 s http.request.method=HEAD http.response.status_code=200 network.protocol.version=1.1 server.address=example.com server.port=443 url.scheme=https`
		if got := strings.Join(metrics.lines, "\n"); got != want {
			t.Errorf("the values are\n%s; want\n%s", got, want)
		}
	})
}

// Browsers take URLs that net/url does not, so that a Result may have one.
func TestRequest(t *testing.T) {
	for _, test := range []struct {
		r    checker.Result
		want string
	}{
		{checker.Result{URL: "http://[::1]:8080/100%", Method: "HEAD"},
			" url.full=http://[::1]:8080/100% http.request.method=HEAD server.address=::1 server.port=8080 url.scheme=http"},
		{checker.Result{URL: "https://b.example/", Hops: []checker.Hop{{URL: "http://a.example/?q=1"}}, Method: "GET"},
			" url.full=http://a.example/?q=1 http.request.method=GET server.address=a.example server.port=80 url.scheme=http"},
		{checker.Result{URL: "https://a.example/", Method: "HEAD", StatusCode: 404, Proto: "HTTP/2.0", Addr: netip.MustParseAddrPort("192.0.2.1:443")},
			" url.full=https://a.example/ network.peer.address=192.0.2.1 network.peer.port=443 http.request.method=HEAD server.address=a.example" +
				" server.port=443 url.scheme=https http.response.status_code=404 network.protocol.version=2"},
		{checker.Result{URL: "http://a.example/", Method: "HEAD", StatusCode: 200, Proto: "HTTP/1.0"},
			" url.full=http://a.example/ http.request.method=HEAD server.address=a.example server.port=80 url.scheme=http http.response.status_code=200 network.protocol.version=1.0"},
	} {
		own, common := request(test.r)
		if got := list(own) + list(common); got != test.want {
			t.Errorf("request(%q) =%s; want%s", test.r.URL, got, test.want)
		}
	}
}

// A collector takes what is sent by OTLP.
func TestCollector(t *testing.T) {
	var mu sync.Mutex
	got := make(map[string][]byte)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = append(got[r.URL.Path], body...) // messages of protobuf add up
	}))
	defer collector.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "--otlp", "http://127.0.0.1:1/")
	cmd.Env = append(os.Environ(), asProgram+"=1", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_SERVICE_NAME=mine")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("otel --otlp: %v\n%s", err, out)
	}
	mu.Lock()
	defer mu.Unlock()
	var traces tracepb.TracesData
	var metrics metricspb.MetricsData
	if err := errors.Join(proto.Unmarshal(got["/v1/traces"], &traces), proto.Unmarshal(got["/v1/metrics"], &metrics)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		traces.String():  "SPAN_KIND_CLIENT",
		metrics.String(): "http.client.request.duration",
	} {
		for _, want := range []string{want, "service.name", `"mine"`, "error.type", `"refused"`} {
			if !strings.Contains(text, want) {
				t.Errorf("the collector got %s; want %s in it", text, want)
			}
		}
	}
}

// One sentence tells what could not be sent, or written.
func TestUnsent(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-otlp", "http://127.0.0.1:1/")
	cmd.Env = append(os.Environ(), asProgram+"=1", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1")
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != 2 || strings.Count(string(out), "\n") != 1 || !strings.HasPrefix(string(out), "otel: ") {
		t.Errorf("otel without a collector printed %q with status %d; want a sentence, and 2", out, got)
	}
}

func TestProgram(t *testing.T) {
	for _, test := range []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{"http://127.0.0.1:1/"}, `"Value": "refused"`, 0},
		{[]string{"-h"}, "Check sites, and trace and measure each check.", 0},
		{[]string{"-fail", "http://127.0.0.1:1/"}, "otel: 1 site is offline\n", 1},
		{nil, "otel: no URLs to check; otel -h explains\n", 2},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], test.args...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); !strings.Contains(string(out), test.want) || got != test.status {
			t.Errorf("otel %q printed %q with status %d; want %q with %d", test.args, out, got, test.want, test.status)
		}
	}
}
