package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/checker/examples/cli"
)

func TestDomain(t *testing.T) {
	for host, want := range map[string]string{
		"www.example.co.uk": "example.co.uk",
		"example.co.uk":     "example.co.uk",
		"co.uk":             "",
		"a.b.example.org":   "example.org",
		"127.0.0.1":         "",
		"[::1]:80":          "",
		"localhost":         "",
	} {
		if got := domain(&url.URL{Host: host}); got != want {
			t.Errorf("domain(%q) = %q; want %q", host, got, want)
		}
	}
}

func TestRun(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	var out strings.Builder
	if err := run(t.Context(), strings.NewReader(s.URL+" a name\n\nhttp://:80/"), &out, defaults()); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(strings.Lines(out.String()))
	if len(got) != 2 || !strings.HasPrefix(got[0], s.URL+": online (404, ") && !strings.HasPrefix(got[1], s.URL+": online (404, ") {
		t.Errorf("printed %q; want a line on each of two sites", got)
	}
}

// A list that cannot be read to its end is not passed off as a shorter one.
func TestBrokenList(t *testing.T) {
	var out strings.Builder
	err := run(t.Context(), strings.NewReader("http://:80/\n"+strings.Repeat("x", 1<<17)), &out, defaults())
	if err == nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("run = %v after printing %q; want an error after a line", err, &out)
	}
}

func defaults() (o options) {
	o.checks.Define(flag.NewFlagSet("", flag.ContinueOnError))
	return o
}

// The exit status tells the verdicts where that is asked for, and in any case what is
// no list.
func TestStatus(t *testing.T) {
	for _, test := range []struct {
		list string
		fail bool
		want int
	}{
		{"http://127.0.0.1:1\n", false, cli.Done},
		{"http://127.0.0.1:1\nftp://x\n", true, cli.NotWanted},
		{"ftp://x\n", true, cli.Untold},
		{"", false, cli.Misused},
		{"\xff\xfea\x00", false, cli.Misused},
	} {
		o := defaults()
		o.fail = test.fail
		if err := run(t.Context(), strings.NewReader(test.list), io.Discard, o); cli.Status(err) != test.want {
			t.Errorf("run of %q, with -fail=%v: %v; want status %d", test.list, test.fail, err, test.want)
		}
	}
}
