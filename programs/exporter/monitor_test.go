package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// page returns what a monitor tells Prometheus.
func page(m *monitor) string {
	w := httptest.NewRecorder()
	handler(m, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// Each site has its series from the first scrape on, before any check, and each counter
// begins with 0.
func TestFirstScrape(t *testing.T) {
	m, err := newMonitor([]site{{"a.example", "a.example"}, {"b.example", "b.example"}}, successes())
	if err != nil {
		t.Fatal(err)
	}
	got := page(m)
	for _, want := range []string{
		`probe_verdict{reason="",status="unknown",target="a.example"} 1`, `probe_verdict{reason="",status="unknown",target="b.example"} 1`,
		`probe_last_check_timestamp_seconds{target="b.example"} 0`, `probe_duration_seconds{target="b.example"} 0`,
		`checker_exporter_checks_total{status="online"} 0`, `checker_exporter_checks_total{status="offline"} 0`,
		`checker_exporter_checks_total{status="unknown"} 0`, `checker_exporter_sites 2`, `checker_exporter_config_last_reload_successful 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("before any check there is no %s", want)
		}
	}
	if strings.Contains(got, "\nprobe_success{") {
		t.Error("before any check there is a probe_success")
	}
	m.set(1, finding{Result: checker.Result{StatusCode: 200, Start: time.Now()}})
	if got := page(m); !strings.Contains(got, "\nprobe_success{target=\"b.example\"} 1\n") || !strings.Contains(got, `checker_exporter_checks_total{status="online"} 1`) {
		t.Error("a check does not show")
	}
}

// What is known of a site stays while it is listed, wherever.
func TestList(t *testing.T) {
	a, b, c := site{"a", "a"}, site{"b", "b"}, site{"c", "c"}
	m, err := newMonitor([]site{a, b}, successes())
	if err != nil {
		t.Fatal(err)
	}
	m.set(0, finding{Result: checker.Result{StatusCode: 201}})
	m.set(1, finding{Result: checker.Result{StatusCode: 202}})
	m.unreadable()
	m.list([]site{c, b})
	var got []int
	for _, s := range m.sites {
		got = append(got, s.last.StatusCode)
	}
	if fmt.Sprint(got) != "[0 202]" || m.reload.failed {
		t.Errorf("with a list of c and b their statuses are %v, %+v; want 0 and 202, and no failure", got, m.reload)
	}
}

// While no canary answers, no site is offline.
func TestCanary(t *testing.T) {
	base, stop := start(t, "-probe", "-allow-private", "-timeout", "1s", "-canary", "http://127.0.0.2:1/")
	if got := get(t, base+"probe?target="+refused); got[`probe_verdict{reason="local",status="unknown"}`] != "1" || got["probe_success"] != "" {
		t.Errorf("with a canary that is dead there is %v; want no verdict", got)
	}
	stop()
}

// A site in maintenance that asks to be left alone for an hour asks for itself: its
// neighbours on the same host are checked as if it were not there.
func TestMaintenance(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		rt := roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", Header: http.Header{}, Body: http.NoBody, Request: req}
			if req.URL.Path == "/3" {
				resp.StatusCode = http.StatusServiceUnavailable
				resp.Header.Set("Retry-After", "3600")
			}
			return resp, nil
		})
		var sites []site
		for i := range 10 {
			url := fmt.Sprintf("http://h.test/%d", i)
			sites = append(sites, site{url, url})
		}
		m, err := newMonitor(sites, successes(), checker.WithTransport(rt))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		m.run(ctx, 30*time.Second, nil)
		for i, site := range m.sites {
			if age := time.Since(site.last.Start); age > 30*time.Second {
				t.Errorf("after an hour site %d was checked last %v ago; want half a minute at most", i, age)
			}
		}
		if checks := m.checks[checker.Online] + m.checks[checker.Offline]; checks < 9*120 {
			t.Errorf("in an hour there were %d checks; want %d", checks, 10*120)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
