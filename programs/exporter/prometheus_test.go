package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// need skips the test where a program of Prometheus is missing, and fails it
// where none may be.
func need(t *testing.T, name string) {
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	const text = "%s is missing: apt-get install --no-install-recommends prometheus"
	if os.Getenv("CI") == "true" {
		t.Fatalf(text, name)
	}
	t.Skipf(text, name)
}

func TestPromtool(t *testing.T) {
	need(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"},
		{"test", "rules", "alerts_test.yml"},
		{"check", "config", "prometheus.yml"},
	} {
		if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}

// checkMetrics runs promtool check metrics on a page.
func checkMetrics(t *testing.T, page string) {
	need(t, "promtool")
	resp, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = resp.Body
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics of %s: %v\n%s", page, err, out)
	}
}

// A real Prometheus scrapes both jobs, and knows of each site what is so.
func TestScrape(t *testing.T) {
	need(t, "prometheus")
	w := newWeb(t)
	base, stop := start(t, "-f", list(t, w.up, w.busy, w.selfSigned, refused, "ftp://x"), "-every", "100ms", "-probe", "-allow-private")
	p := startPrometheus(t, strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/"), w.moved)
	got := p.await(t, 6, `probe_verdict{status!="unknown"} or probe_verdict{reason!=""}`, "job", "target", "status", "reason")
	for _, want := range []string{
		"sites " + w.up + " online -",
		"sites " + w.busy + " offline rejected",
		"sites " + w.selfSigned + " offline certificate",
		"sites " + refused + " offline refused",
		"sites ftp://x unknown invalid",
		"probe " + w.moved + " online -",
	} {
		if got[want] != "1" {
			t.Errorf("probe_verdict of %s is %q; want 1. There are %q", want, got[want], got)
		}
	}
	if got := p.await(t, 2, "min by (job) (up)", "job"); got["sites"] != "1" || got["probe"] != "1" {
		t.Errorf("up is %v; want 1 for both jobs", got)
	}
	if got := p.await(t, 3, "checker_exporter_checks_total > 0", "status"); len(got) != 3 {
		t.Errorf("checks are counted as %v; want some of each verdict", got)
	}
	checkMetrics(t, base+"metrics")
	checkMetrics(t, base+"probe?target="+url.QueryEscape(w.selfSigned))
	testRules(t, p)
	testDashboard(t, p)
	if said := stop(); !strings.Contains(said, " checks of 5 sites, of which last 1 were online, 3 offline, 1 unknown\n") {
		t.Errorf("interrupted, the exporter said %q; want what it did", said)
	}
}

// testRules tells whether Prometheus evaluates all rules, and has an alert on
// each site that is down.
func testRules(t *testing.T, p server) {
	p.await(t, 4, `ALERTS{alertname=~"SiteOffline|SiteUnknown"}`, "alertname", "target")
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.get(t, "rules", &data)
	for _, r := range data.Groups[0].Rules {
		if r.Health != "ok" {
			t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
		}
	}
}

// testDashboard tells whether each query of the dashboard has results.
func testDashboard(t *testing.T, p server) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			query := strings.NewReplacer("$target", ".*", "$__range", "1h").Replace(target.Expr)
			if got := p.query(t, query); len(got) == 0 {
				t.Errorf("panel %q has no results of %s", panel.Title, query)
			}
		}
	}
	if len(board.Panels) < 8 {
		t.Errorf("the dashboard has %d panels; want more", len(board.Panels))
	}
}
