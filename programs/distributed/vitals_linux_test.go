package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// get returns what a process answers.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

var vitalsURL = regexp.MustCompile(`telling /metrics and /healthz at (http://[^/]+)/`)

// vitalsOf returns where a process tells its vitals, once it does.
func vitalsOf(t *testing.T, p *proc) string {
	t.Helper()
	var url string
	eventually(t, "telling vitals", func() bool {
		if m := vitalsURL.FindStringSubmatch(p.log.String()); m != nil {
			url = m[1]
		}
		return url != ""
	})
	return url
}

// Each part tells how it is doing, and whether it has a queue to work with; a worker
// says what it does.
func TestVitals(t *testing.T) {
	t.Parallel()
	const n = 8
	s := newTargets(t, "127.26.0", 1, 0)
	addr := freeAddr(t)
	vitals := []string{"-addr", "127.0.0.1:0", "-token", testToken}
	srv := start(t, nil, append([]string{"server", "-listen", addr, "-store", t.TempDir()}, vitals...)...)
	server := vitalsOf(t, srv)
	r := newTrial(t, "nats://"+addr, "500", append(s.urls(n), "::")...)
	mustRun(t, r.publishing(patientWait...)...)
	wants := func(url string, lines ...string) {
		t.Helper()
		status, got := get(t, url+"/metrics")
		for _, want := range lines {
			if status != http.StatusOK || !strings.Contains("\n"+got, "\n"+want+"\n") {
				t.Errorf("/metrics = %d; want %q in\n%s", status, want, got)
			}
		}
	}
	if status, body := get(t, server+"/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz of a server = %d, %q; want 200, ok", status, body)
	}
	wants(server, "# TYPE distributed_queue_messages gauge", `distributed_queue_messages{stream="JOBS"} 2`,
		`distributed_queue_messages{stream="RESULTS"} 0`, "distributed_connected 1")

	w := start(t, nil, append([]string{"work", "-nats", "nats://" + addr, "-host-rate", "0"}, vitals...)...)
	worker := vitalsOf(t, w)
	c := start(t, nil, append(r.collecting(), "-addr", "127.0.0.1:0")...)
	c.wait(t)
	eventually(t, "all acknowledged", func() bool {
		_, got := get(t, worker+"/metrics")
		return strings.Contains(got, `distributed_chunks_total{outcome="checked"} 2`) && strings.Contains(got, "distributed_chunks_in_hand 0")
	})
	wants(worker, `distributed_results_total{status="online",reason=""} 8`, `distributed_results_total{status="unknown",reason="invalid"} 1`,
		`distributed_chunks_total{outcome="dropped"} 0`, "distributed_connected 1")
	wants(server, `distributed_queue_messages{stream="JOBS"} 0`)

	srv.kill()
	eventually(t, "the worker without a queue", func() bool {
		status, body := get(t, worker+"/healthz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "disconnected")
	})
	wants(worker, "distributed_connected 0")
	w.Process.Signal(syscall.SIGTERM)
	w.wait(t)
	if w.exitCode() != 0 || !strings.Contains(w.log.String(), "worked") {
		t.Errorf("the worker ended with %d; want 0 and a last word:\n%s", w.exitCode(), w.log)
	}
	for _, want := range []string{"8 lines in ", ": 8 online\n", "1 lines in ", ": 1 unknown (1 invalid)\n"} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the worker does not log %q:\n%s", want, w.log)
		}
	}
}

// A collector tells how far it is, and an address that is taken is refused.
func TestCollectorVitals(t *testing.T) {
	t.Parallel()
	url := serve(t)
	r := newTrial(t, url, "500", "::", "ftp://x")
	mustRun(t, r.publishing()...)
	c := start(t, nil, append(r.collecting(), "-addr", "127.0.0.1:0")...)
	collector := vitalsOf(t, c)
	_, got := get(t, collector+"/metrics")
	for _, want := range []string{"distributed_list_lines 2\n", "distributed_list_results 0\n", "distributed_run_start_timestamp_seconds "} {
		if !strings.Contains(got, want) {
			t.Errorf("/metrics of a collector has no %q:\n%s", want, got)
		}
	}
	taken := strings.TrimPrefix(collector, "http://")
	if _, err := command(t, "work", "-nats", url, "-token", testToken, "-addr", taken); err == nil || !strings.Contains(err.Error(), "-addr: ") ||
		!strings.Contains(err.Error(), "address already in use") {
		t.Errorf("work -addr %s = %v; want it refused", taken, err)
	}
}
