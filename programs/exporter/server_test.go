package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A server is a Prometheus that the test has started.
type server struct{ base string }

// startPrometheus starts a Prometheus with the configuration of prometheus.yml, but
// for the hosts, the site to probe and the intervals.
func startPrometheus(t *testing.T, exporter, site string) server {
	config, err := os.ReadFile("prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Abs("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	text := strings.NewReplacer("127.0.0.1:9115", exporter, "https://example.org/", site,
		"30s", "200ms", "alerts.yml", rules).Replace(string(config))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`)
	var s server
	sc := bufio.NewScanner(stderr)
	for sc.Scan() {
		if m := listening.FindStringSubmatch(sc.Text()); m != nil {
			s.base = "http://" + m[1]
		}
		if strings.Contains(sc.Text(), "ready to receive web requests") {
			break
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for sc.Scan() {
			t.Log(sc.Text())
		}
	}()
	t.Cleanup(func() { // t.Context has ended, and with it Prometheus
		<-drained
		cmd.Wait()
	})
	if s.base == "" {
		t.Fatal("Prometheus does not say where it listens")
	}
	return s
}

// A sample is one of the results of a query.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

// get asks the API of Prometheus.
func (s server) get(t *testing.T, path string, data any) {
	t.Helper()
	resp, err := http.Get(s.base + "/api/v1/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %v %s", path, err, answer.Error)
	}
}

// query returns the results of a query, by the labels of the given names.
func (s server) query(t *testing.T, query string, labels ...string) map[string]string {
	t.Helper()
	var data struct{ Result []sample }
	s.get(t, "query?query="+url.QueryEscape(query), &data)
	values := make(map[string]string)
	for _, r := range data.Result {
		var key []string
		for _, l := range labels {
			key = append(key, cmp.Or(r.Metric[l], "-"))
		}
		values[strings.Join(key, " ")] = fmt.Sprint(r.Value[1])
	}
	return values
}

// await asks again until there are n results.
func (s server) await(t *testing.T, n int, query string, labels ...string) map[string]string {
	t.Helper()
	end := time.After(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got := s.query(t, query, labels...)
		if len(got) >= n {
			return got
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s has %d results; want %d: %v", query, len(got), n, got)
		}
	}
}
