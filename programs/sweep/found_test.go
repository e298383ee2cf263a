package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
)

// What has moved for good is told with its new place, in the summary and the report,
// and from an output that is read back.
func TestMoved(t *testing.T) {
	url := fmt.Sprintf("http://127.0.0.1:%d/", serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case "/now":
			http.Redirect(w, r, "/new", http.StatusFound)
		}
	}))
	list := file(t, url+"old\n"+url+"now\n")
	for _, format := range []string{"jsonl", "csv"} {
		dir := t.TempDir()
		out, page := filepath.Join(dir, "out"), filepath.Join(dir, "page.html")
		for range 2 {
			stdout, stderr, status := sweeps(t, "", "-format", format, "-o", out, "-report", page, "-resume", list)
			if want := "\nmoved for good\nline        1  replace " + url + "old by " + url + "new\n"; !strings.HasSuffix(stdout, want) || stderr != "" || status != 0 {
				t.Errorf("-format %s: the summary is\n%s%s; want %q at its end", format, stdout, stderr, want)
			}
			if _, text := wellFormed(t, read(t, page)); strings.Count(text, url+"old") != 1 || !strings.Contains(text, url+"new") {
				t.Errorf("-format %s: the report does not say what has moved", format)
			}
		}
	}
}

// An output that is there stays, unless it is given up.
func TestSpared(t *testing.T) {
	dir := t.TempDir()
	out, page, list := filepath.Join(dir, "out"), filepath.Join(dir, "page"), file(t, "http://127.0.0.1:1\n")
	run := func(args ...string) int {
		_, _, status := sweeps(t, "", append(args, "-retries=0", "-o", out, "-report", page, list)...)
		return status
	}
	if status := run(); status != 0 {
		t.Fatalf("status %d; want 0", status)
	}
	first := read(t, out) + read(t, page)
	if status := run(); status != 2 || read(t, out)+read(t, page) != first {
		t.Errorf("again: status %d; want 2, and the files as they were", status)
	}
	if status := run("-force"); status != 0 || read(t, out)+read(t, page) == first {
		t.Errorf("-force: status %d; want 0, and new files", status)
	}
	// Input that is none costs nothing either.
	second := read(t, out)
	if _, _, status := sweeps(t, "", "-force", "-o", out); status != 2 || read(t, out) != second {
		t.Errorf("-force with an empty list: status %d; want 2, and the file as it was", status)
	}
}

func TestWarning(t *testing.T) {
	for _, test := range []struct {
		online int
		errs   []error
		want   string
	}{
		{9, []error{checker.ReasonDNS}, ""}, // a tenth
		{8, []error{checker.ReasonDNS}, "1 of 9 sites is unknown, which says nothing about them. Look at the nameservers"},
		{0, []error{checker.ReasonLocal, checker.ReasonDNS, checker.ReasonLocal, checker.ReasonRefused, checker.ReasonRefused, checker.ReasonRefused}, `3 of 6 sites are unknown, which says nothing about them. Look at this machine`},
		{0, []error{checker.ReasonChallenge}, `1 of 1 site is unknown`},
		{0, nil, ""},
	} {
		s := newStats(time.Now())
		for range test.online {
			s.add(found("http://h/", time.Second, ""))
		}
		for _, err := range test.errs {
			s.add(checker.Result{Err: err})
		}
		if got := s.warning(); !strings.HasPrefix(got, test.want) || got != "" && test.want == "" {
			t.Errorf("%d online and %v: %q; want %q", test.online, test.errs, got, test.want)
		}
	}
}

// Tables do not grow with the list.
func TestPlaces(t *testing.T) {
	var p places
	for i := range 3 * kept {
		p.add(site{index: kept - i, Name: "h"})
	}
	text := p.table("title", func(s site) string { return s.Name })
	if n := len(p.Sites()); n != kept || strings.Count(text, "\n") != 1+1+shown+1 || !strings.HasSuffix(text, "and 2 980 more\n") || p.Left(kept) != "and 2 000 more" {
		t.Errorf("%d sites are kept, and the table is\n%s", n, text)
	}
	if s := p.Sites(); s[0].index > s[1].index {
		t.Error("the table is not in the order of the list")
	}
}

// A write that fails fails the program.
func TestFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /dev/full")
	}
	list := file(t, "http://127.0.0.1:1\n")
	for _, args := range []string{"-o /dev/full", "-format csv -o /dev/full", "-report /dev/full", "-h"} {
		cmd, _, stderr := command(t, append(strings.Fields(args), "-retries=0", list)...)
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = full
		cmd.Run()
		full.Close()
		if got := cmd.ProcessState.ExitCode(); got != 2 || !strings.Contains(stderr.String(), "sweep: write /dev/") || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("sweep %s > /dev/full: %q, status %d; want why, and 2", args, stderr, got)
		}
	}
}
