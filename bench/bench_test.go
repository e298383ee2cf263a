//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary be the processes that the command starts.
func TestMain(m *testing.M) {
	if isChild() {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

// TestShort runs everything once, small. No figure of time is looked at.
func TestShort(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	var out bytes.Buffer
	args := []string{"-short", "-rounds", "1", "-json", file("json"), "-md", file("md"), "-svg", file("svg")}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatalf("run(%q) = %v", args, err)
	}
	var rep report
	if err := json.Unmarshal(read(t, file("json")), &rep); err != nil {
		t.Fatal(err)
	}
	for _, s := range rep.Wrong {
		t.Error(s)
	}
	for _, name := range rep.LeftOut {
		if os.Getenv("CI") == "true" {
			t.Errorf("the scenario %s was left out", name)
		}
		t.Logf("the scenario %s was left out: it needs port 53 and mounts of its own", name)
	}
	for _, s := range scenarios(&servers{dns: make([]netip.Addr, 2)}, true) {
		if slices.Contains(rep.LeftOut, s.name) {
			continue
		}
		for _, tr := range s.trials {
			for _, who := range tr.who {
				checkRuns(t, tr, who, rep.Runs[tr.name][who])
			}
		}
		if !strings.Contains(out.String(), "\n"+s.name) {
			t.Errorf("the table lacks the scenario %s", s.name)
		}
	}
	for _, l := range rep.Lines {
		for who, f := range l.Figures {
			if !(f >= 0) {
				t.Errorf("%s, %s of %s = %v; want a figure", l.Scenario, l.What, who, f)
			}
		}
	}
	if n := strings.Count(string(read(t, file("md"))), "\n| "); n < len(rep.Lines) {
		t.Errorf("the Markdown table has %d rows; want at least %d", n, len(rep.Lines))
	}
	if err := xml.Unmarshal(read(t, file("svg")), new(any)); err != nil {
		t.Errorf("the plot is no XML: %v", err)
	}
}

// checkRuns checks that what one contestant cost is possible.
func checkRuns(t *testing.T, tr trial, who string, runs []measure) {
	t.Helper()
	if len(runs) != 1 {
		t.Errorf("%s: %s has %d runs; want 1", tr.name, who, len(runs))
		return
	}
	m := runs[0]
	if m.Wrong != 0 || m.Wall <= 0 || m.cpu() <= 0 || m.Peak < m.RSS || m.RSS <= 0 || m.Goroutines == 0 {
		t.Errorf("%s: %s = %+v", tr.name, who, m)
	}
	if who != "floor" && who != "curl" && m.Allocs < uint64(tr.job.Checks) {
		t.Errorf("%s: %s has %d allocations in %d checks", tr.name, who, m.Allocs, tr.job.Checks)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		in   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 3}, 3}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v; want %v", tt.in, got, tt.want)
		}
	}
}

// TestJudge checks each kind of bar on figures that are made up.
func TestJudge(t *testing.T) {
	figures := func(all ...float64) (ms []measure) {
		for _, f := range all {
			ms = append(ms, measure{Wall: f})
		}
		return ms
	}
	trials := []trial{{name: "a"}, {name: "b"}}
	res := results{
		"a": {ours: figures(2, 4, 30), "net/http": figures(5, 8, 40)},
		"b": {ours: figures(0.5, 2, 20)},
	}
	least := wall
	least.least = true
	for _, tt := range []struct {
		metric metric
		bar    bar
		want   float64
		ok     bool
	}{
		{wall, bar{limit: 4}, 4, true},
		{wall, bar{limit: 3.9}, 4, false},
		{wall, bar{limit: 0.5, rival: "net/http"}, 0.5, true},
		{wall, bar{limit: 0.4, rival: "net/http"}, 0.5, false},
		{wall, bar{limit: 2, trial: "b"}, 2, true},
		{wall, bar{limit: 1, ideal: 2}, 2, false},
		{least, bar{limit: 2}, 2, true},
		{least, bar{limit: 1, rival: "net/http"}, 0.4, true},
		{least, bar{limit: 1, trial: "b"}, 4, false},
	} {
		v := res.judge(row{trial: "a", metric: tt.metric}, tt.bar, trials)
		if v.Measured != tt.want || v.OK != tt.ok {
			t.Errorf("judge(%+v), the least: %t = %v, %v; want %v, %v", tt.bar, tt.metric.least, v.Measured, v.OK, tt.want, tt.ok)
		}
	}
}
