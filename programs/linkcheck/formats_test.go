package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// everyState is a folder with a link in each state.
func everyState(t *testing.T) *web {
	s := newWeb(t)
	s.folder(t, map[string]string{
		"docs/a b.md": "$/page $/old <$/gone> <http://me:secret@127.0.0.1:1/?a=1&b=%3C>\n$/forbidden $/challenge [x]($/page#five)\nhttps://example.org/ $/missing $/missing\n",
		"known":       "$/missing\n",
	})
	return s
}

func TestJSON(t *testing.T) {
	stdout, _, status := everyState(t).linkcheck(t, "-baseline=known", "-format=jsonl", "docs")
	var states []string
	for line := range strings.Lines(stdout) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		states = append(states, string(r.State))
		if (r.Result == nil) != (r.State == skipped) || r.File != "docs/a b.md" || r.Line == 0 || r.Column == 0 || r.URL == "" {
			t.Errorf("incomplete: %s", line)
		}
	}
	if got, want := strings.Join(states, " "), "ok moved dead dead doubtful unknown fragment skipped known known"; got != want || status != 1 {
		t.Errorf("states %s, status %d; want %s, 1", got, status, want)
	}
	if strings.Contains(stdout, "secret") {
		t.Error("a password is told")
	}
}

func TestSARIF(t *testing.T) {
	stdout, _, _ := everyState(t).linkcheck(t, "-baseline=known", "-format=sarif", "docs")
	var log struct {
		Version string
		Runs    []sarifRun
	}
	if err := json.Unmarshal([]byte(stdout), &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("version %q, %d runs, %v; want one of 2.1.0", log.Version, len(log.Runs), err)
	}
	var rules, got, prints []string
	for _, r := range log.Runs[0].Tool.Driver.Rules {
		rules = append(rules, r.ID)
	}
	for _, r := range log.Runs[0].Results {
		l := r.Locations[0].PhysicalLocation
		got = append(got, fmt.Sprintf("%s %s %s:%d", r.RuleID, r.Level, l.ArtifactLocation.URI, l.Region.StartLine))
		prints = append(prints, r.PartialFingerprints["link/v1"])
		if !slices.Contains(rules, r.RuleID) || r.Message.Text == "" || l.Region.StartColumn < 1 || len(r.Suppressions) > 0 != strings.Contains(r.Message.Text, "/missing") {
			t.Errorf("incomplete: %+v", r)
		}
	}
	const file = "docs/a%20b.md:"
	want := []string{
		"moved-link note " + file + "1", "dead-link error " + file + "1", "dead-link error " + file + "1",
		"doubtful-link warning " + file + "2", "unknown-link note " + file + "2", "missing-fragment warning " + file + "2",
		"dead-link error " + file + "3", "dead-link error " + file + "3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("results\n%q; want\n%q", got, want)
	}
	slices.Sort(prints)
	if len(slices.Compact(prints)) != len(want) {
		t.Error("two results have one fingerprint")
	}
}

func TestSARIFOfNothing(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{"a.md": "x"})
	if stdout, _, status := s.linkcheck(t, "-format=sarif", "a.md"); !strings.Contains(stdout, `"results": []`) || status != 0 {
		t.Errorf("without links, status %d: %s; want no results", status, stdout)
	}
}

func TestJUnit(t *testing.T) {
	s := everyState(t)
	for _, test := range []struct {
		args              string
		failures, skipped int
	}{{"docs", 2, 6}, {"-fail docs", 5, 3}} {
		stdout, _, _ := s.linkcheck(t, append(strings.Fields(test.args), "-baseline=known", "-format=junit")...)
		var all struct {
			XMLName  xml.Name `xml:"testsuites"`
			Tests    int      `xml:"tests,attr"`
			Failures int      `xml:"failures,attr"`
			Skipped  int      `xml:"skipped,attr"`
			Suites   []suite  `xml:"testsuite"`
		}
		if err := xml.Unmarshal([]byte(stdout), &all); err != nil {
			t.Fatal(err)
		}
		if len(all.Suites) != 1 || all.Suites[0].Name != "docs/a b.md" || all.Tests != 10 || all.Failures != test.failures || all.Skipped != test.skipped {
			t.Errorf("%s: %+v; want 10 tests of one file, %d failed, %d skipped", test.args, all, test.failures, test.skipped)
		}
		if strings.Contains(stdout, "secret") || !strings.Contains(stdout, "a=1&amp;b=%3C") {
			t.Errorf("%s: a password is told, or a URL is not escaped:\n%s", test.args, stdout)
		}
	}
}

// With -o there is text on standard output, too.
func TestOutput(t *testing.T) {
	s := everyState(t)
	stdout, _, status := s.linkcheck(t, "-format=sarif", "-o=out", "docs")
	data, err := os.ReadFile("out")
	if !strings.Contains(stdout, ":1:1: ") && !strings.Contains(stdout, "dead: $/gone") || status != 1 || err != nil || !json.Valid(data) {
		t.Errorf("printed %q, status %d, and wrote %.60q, %v; want text and JSON", stdout, status, data, err)
	}
	if _, _, status := s.linkcheck(t, "-o=out", "docs"); status != 2 {
		t.Errorf("again: status %d; want 2", status)
	}
	if _, _, status := s.linkcheck(t, "-o=out", "-force", "docs"); status != 1 {
		t.Errorf("-force: status %d; want 1", status)
	}
}

// A write that fails fails the program.
func TestFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /dev/full")
	}
	newWeb(t).folder(t, map[string]string{"a.md": "http://127.0.0.1:1/"})
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range []string{"a.md", "-format=jsonl a.md", "-format=sarif a.md", "-format=junit a.md", "-o=out a.md", "-h"} {
		err := run(t.Context(), append([]string{"-retries=0"}, strings.Fields(args)...), nil, full, io.Discard)
		if err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) || cli.Status(err) != cli.Misused {
			t.Errorf("linkcheck %s > /dev/full: %v; want %v", args, err, syscall.ENOSPC)
		}
	}
	for _, args := range []string{"-o=/dev/full a.md", "-write-baseline=/dev/full a.md"} {
		err := run(t.Context(), append([]string{"-retries=0"}, strings.Fields(args)...), nil, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
			t.Errorf("linkcheck %s: %v; want %v", args, err, syscall.ENOSPC)
		}
	}
}

func TestFileURI(t *testing.T) {
	for file, want := range map[string]string{
		"a/b.md": "a/b.md", "a b#c?.md": "a%20b%23c%3F.md", "/a/b.md": "file:///a/b.md", "a:b.md": "./a:b.md", "../ü.md": "../%C3%BC.md",
	} {
		if got := fileURI(file); got != want {
			t.Errorf("fileURI(%q) = %q; want %q", file, got, want)
		}
	}
}

// What an answer that is not wanted means for a link.
func TestDoubtful(t *testing.T) {
	for code, want := range map[int]bool{
		400: false, 401: true, 402: true, 403: true, 404: false, 405: false, 410: false, 429: true, 451: true, 500: true, 501: false, 503: true, 505: false, 520: true, 530: true, 999: true, 302: false,
	} {
		r := checker.Result{StatusCode: code, Err: checker.ReasonRejected}
		if got := isDoubtful(r); got != want {
			t.Errorf("status %d is doubtful: %v; want %v", code, got, want)
		}
	}
	if isDoubtful(checker.Result{StatusCode: 503, Err: checker.ReasonRedirect}) {
		t.Error("a redirect that leads nowhere is doubtful")
	}
}
