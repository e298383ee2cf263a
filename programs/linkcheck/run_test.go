package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker/examples/cli"
)

// A web is a site whose pages do what their names say, and which counts who asks.
type web struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int // by method and path
}

func newWeb(t *testing.T) *web {
	w := &web{asked: make(map[string]int)}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

const htmlPage = `<!doctype html><title>x</title><h1 id="one">1</h1><a name="two">2</a><p id="user-content-three"><p id="vier ü">`

func (s *web) count(asked string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[asked]
}

func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.Method+" "+r.URL.Path]++
	n := s.asked[r.Method+" "+r.URL.Path]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch r.URL.Path {
	case "/page":
		fmt.Fprint(w, htmlPage)
	case "/plain":
		w.Header().Set("Content-Type", "text/plain")
	case "/large":
		fmt.Fprint(w, strings.Repeat("<p>x</p>", 1<<18))
	case "/latin1":
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		fmt.Fprint(w, "<p id=\"\xfc\">")
	case "/stalls":
		fmt.Fprint(w, htmlPage)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case "/old":
		http.Redirect(w, r, "/page", http.StatusMovedPermanently)
	case "/gone":
		w.WriteHeader(http.StatusGone)
	case "/forbidden":
		w.WriteHeader(http.StatusForbidden)
	case "/busy":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/challenge":
		w.Header().Set("Cf-Mitigated", "challenge")
		w.WriteHeader(http.StatusForbidden)
	case "/flaky":
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
	default:
		http.NotFound(w, r)
	}
}

// folder writes files, by name, in which $ stands for the site, and makes their folder
// the current one.
func (s *web) folder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "$", s.URL)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// linkcheck runs the program; in what it prints, $ stands for the site.
func (s *web) linkcheck(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	err := run(t.Context(), append([]string{"-retries=0"}, args...), strings.NewReader(""), &out, &errs)
	if err != nil {
		fmt.Fprintln(&errs, "linkcheck:", err)
	}
	replace := func(b bytes.Buffer) string { return strings.ReplaceAll(b.String(), s.URL, "$") }
	return replace(out), replace(errs), cli.Status(err)
}

func TestRun(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{
		"a.md":              "[ok]($/page) [old]($/old#one)\n[gone]($/gone) [x]($/missing)\n<$/forbidden> $/busy $/challenge\n",
		"docs/b.html":       `<a href="$/page#two"></a><a href="$/page#five"></a><a href="https://example.org/"></a>`,
		"docs/c.markdown":   "[refused](http://127.0.0.1:1/) <ftp://h/> [ok]($/page) [flaky]($/flaky) [odd](http://a%41b/)",
		"docs/d.txt":        "http://127.0.0.1:1/",
		".git/e.md":         "http://127.0.0.1:1/",
		"node_modules/f.md": "http://127.0.0.1:1/",
	})
	want := `a.md:1:X: moved: $/old#one: moved for good to $/page#one
a.md:2:1: dead: $/gone: rejected
a.md:2:X: dead: $/missing: rejected
a.md:3:2: doubtful: $/forbidden: rejected
a.md:3:X: doubtful: $/busy: rejected
a.md:3:X: unknown: $/challenge: challenge
docs/b.html:1:X: fragment: $/page#five: the page has no place #five
docs/c.markdown:1:1: dead: http://127.0.0.1:1/: refused
docs/c.markdown:1:X: unknown: http://a%41b/: invalid
14 links in 3 files, 10 URLs: 4 ok, 1 moved, 1 fragment, 2 doubtful, 2 unknown, 3 dead, 1 skipped
`
	stdout, stderr, status := s.linkcheck(t, ".")
	if got := columns(stdout); got != want || stderr != "linkcheck: 3 links dead\n" || status != 1 {
		t.Errorf("linkcheck printed\n%s%swith status %d; want\n%s", got, stderr, status, want)
	}
	// Once for itself, and once at the end of the redirect.
	if get, head := s.count("GET /page"), s.count("HEAD /page"); get != 2 || head != 0 {
		t.Errorf("the page was asked for %d times by GET and %d by HEAD; want 2 and 0", get, head)
	}
}

// columns leaves out what depends on the length of the site's address, and the sentences
// of package checker.
func columns(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		parts := strings.SplitN(line, ":", 4)
		if len(parts) == 4 && len(parts[2]) > 1 {
			parts[2] = "X"
		}
		line = strings.Join(parts, ":")
		for _, reason := range []string{"rejected", "challenge", "refused", "invalid"} {
			if before, _, ok := strings.Cut(line, ": "+reason+": "); ok {
				line = before + ": " + reason + "\n"
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestStatuses(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{
		"ok.md": "$/page $/page#one $/page#top", "dead.md": "$/gone", "doubtful.md": "$/forbidden", "unknown.md": "$/challenge",
		"fragment.md": "$/page#five", "moved.md": "$/old", "none.md": "x", "empty.md": "", "flaky.md": "$/flaky",
		"utf16.md": "\xff\xfea\x00", "binary.html": "\x89PNG\x00", "list": "ok.md\nmoved.md\n", "a b.md": "$/page",
		"bom.md": "\ufeff[ok]($/page)", "folder/x.txt": "", "long.md": strings.Repeat("x", maxFile+1), "lines": "a b.md\n",
	})
	for _, test := range []struct {
		args   string
		status int
		stderr string
	}{
		{"ok.md", 0, ""},
		{"ok.md ok.md moved.md none.md empty.md", 0, ""},
		{"-fail bom.md", 0, ""},
		{"dead.md ok.md", 1, "linkcheck: 1 link dead\n"},
		{"doubtful.md unknown.md fragment.md", 0, ""},
		{"-fail doubtful.md unknown.md fragment.md", 3, "linkcheck: 3 links not known to be good\n"},
		{"-fail dead.md unknown.md", 1, "linkcheck: 1 link dead\n"},
		{"-fail ok.md moved.md", 0, ""},
		{"flaky.md", 0, ""},
		{"-status 200-410 dead.md", 0, ""},
		{"-redirects 0 moved.md", 1, "linkcheck: 1 link dead\n"},
		{"-exclude http:// dead.md", 0, ""},
		{"-public -fail ok.md", 3, "linkcheck: 3 links not known to be good\n"},
		{"-files list", 0, ""},
		{"-files lines", 0, ""},
		{"", 2, "no PATH to look for links in; linkcheck -h explains\n"},
		{"missing.md", 2, "missing.md: no such file or directory\n"},
		{"folder", 2, "folder has no Markdown and no HTML files\n"},
		{"-files missing", 2, "missing: no such file or directory\n"},
		{"-files empty.md", 2, "empty.md: there are no paths in it\n"},
		{"-files -", 2, "-: there are no paths in it\n"},
		{"-files folder", 2, "folder is a directory, not a list\n"},
		{"utf16.md ok.md", 2, "linkcheck: utf16.md: it is in UTF-16: save it as UTF-8\nlinkcheck: 1 file could not be read\n"},
		{"binary.html", 2, "linkcheck: binary.html: it is a binary file, not Markdown or HTML\nlinkcheck: 1 file could not be read\n"},
		{"long.md", 2, "it has more than 16 MiB, which no document has\nlinkcheck: 1 file could not be read\n"},
		{"-format xml ok.md", 2, "-format \"xml\" is none of jsonl, junit, sarif, text\n"},
		{"-o list ok.md", 2, "list is there already; -force writes over it\n"},
		{"-write-baseline list ok.md", 2, "list is there already; -force writes over it\n"},
		{"-baseline missing ok.md", 2, "missing: no such file or directory\n"},
		{"-again -1 ok.md", 2, "-again -1 is negative\n"},
		{"-host-rate -1 ok.md", 2, "-host-rate -1 is negative\n"},
		{"-c 0 ok.md", 2, "WithConcurrency: 0 is less than 1\n"},
		{"-nope", 2, "flag provided but not defined: -nope; linkcheck -h lists the flags\n"},
	} {
		_, stderr, status := s.linkcheck(t, strings.Fields(test.args)...)
		if status != test.status || !strings.HasSuffix(stderr, test.stderr) || test.stderr == "" && stderr != "" {
			t.Errorf("linkcheck %s: %q, status %d; want %q, %d", test.args, stderr, status, test.stderr, test.status)
		}
	}
}

// Places of a page are found in what it says they are, and missed only in a page that
// was read to its end.
func TestPlaces(t *testing.T) {
	s := newWeb(t)
	for link, want := range map[string]state{
		"$/page#one": good, "$/page#two": good, "$/page#three": good, "$/page#vier%20%C3%BC": good, "$/page#vier%20ü": good,
		"$/page#One": misplaced, "$/page#x": misplaced, "$/old#one": moved, "$/old#x": misplaced,
		"$/page#": good, "$/page#top": good, "$/page#!/x": good, "$/page#/x": good, "$/page#L3": good, "$/page#L3-L44": good, "$/page#L": misplaced, "$/page#Lx": misplaced,
		"$/page#:~:text=a": good, "$/page#one:~:text=a": good, "$/page#x:~:text=a": misplaced,
		"$/plain#x": good, "$/large#x": good, "$/latin1#ü": good, "$/latin1#ö": misplaced, "$/gone#x": dead,
	} {
		s.folder(t, map[string]string{"a.html": `<a href="` + link + `">`})
		stdout, _, _ := s.linkcheck(t, "-format", "jsonl", "a.html")
		var r record
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || r.State != want {
			t.Errorf("%s is %s (%v): %s; want %s", link, r.State, err, stdout, want)
		}
	}
}

// A page whose end does not come is there all the same.
func TestStalled(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{"a.md": "$/stalls#x"})
	start := time.Now()
	stdout, stderr, status := s.linkcheck(t, "-timeout", "1s", "a.md")
	if status != 0 || !strings.HasPrefix(stdout, "1 link in 1 file, 1 URL: 1 ok") {
		t.Errorf("linkcheck printed %q and %q with status %d after %v; want 1 ok", stdout, stderr, status, time.Since(start))
	}
}

// What is known to be dead does not fail, wherever in its file it is; what is dead
// elsewhere does, and what is not dead any more is told.
func TestBaseline(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{"a.md": "$/gone $/gone $/missing#x", "b.md": "$/page"})
	if _, stderr, status := s.linkcheck(t, "-write-baseline", "known", "a.md", "b.md"); status != 0 || stderr != "" {
		t.Fatalf("-write-baseline: %q, status %d; want nothing and 0", stderr, status)
	}
	text, _ := os.ReadFile("known")
	want := "# Links that are known to be dead, and the file that each is in.\n$/gone a.md\n$/missing#x a.md\n"
	if got := strings.ReplaceAll(string(text), s.URL, "$"); got != want {
		t.Errorf("the baseline is\n%s; want\n%s", got, want)
	}
	s2 := func(name, text string) {
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "$", s.URL)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s2("a.md", "\n\n$/gone")
	stdout, stderr, status := s.linkcheck(t, "-baseline", "known", "a.md", "b.md")
	if status != 0 || !strings.Contains(stdout, "a.md:3:1: known: $/gone: ") || stderr != "linkcheck: known: $/missing#x in a.md is not dead any more, or not there: take it out\n" {
		t.Errorf("-baseline: %q and %q, status %d; want one known, one to be taken out, and 0", stdout, stderr, status)
	}
	s2("b.md", "$/gone")
	if _, stderr, status := s.linkcheck(t, "-baseline", "known", "a.md", "b.md"); status != 1 || !strings.HasSuffix(stderr, "linkcheck: 1 link dead\n") {
		t.Errorf("-baseline, and dead in another file: %q, status %d; want 1", stderr, status)
	}
	s2("known", "# all files\n$/gone\n")
	if _, stderr, status := s.linkcheck(t, "-baseline", "known", "a.md", "b.md"); status != 0 || stderr != "" {
		t.Errorf("-baseline for all files: %q, status %d; want nothing and 0", stderr, status)
	}
}

// What had been found when ^C came is told.
func TestInterrupt(t *testing.T) {
	s := newWeb(t)
	s.folder(t, map[string]string{"a.md": "http://127.0.0.1:1/ $/stalls#x $/page#one"})
	ctx, cancel := context.WithCancelCause(t.Context())
	var out, errs bytes.Buffer
	stalls := time.AfterFunc(0, func() {
		for s.count("GET /stalls") == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel(errors.New("interrupted"))
	})
	defer stalls.Stop()
	err := run(ctx, []string{"-retries=0", "-method=get", "-c=1", "-timeout=1m", "a.md"}, nil, &out, &errs)
	if err == nil || !strings.HasPrefix(err.Error(), "interrupted with ") || !strings.HasSuffix(err.Error(), " not checked") {
		t.Errorf("run = %v; want that some are not checked", err)
	}
	// Of the page whose end did not come, the beginning may have counted.
	if got := columns(out.String()); !strings.HasPrefix(got, "a.md:1:1: dead: http://127.0.0.1:1/: refused\n3 links in 1 file, ") || !strings.HasSuffix(got, " unchecked\n") {
		t.Errorf("it printed\n%s; want what is dead, and how many are not checked", got)
	}
}
