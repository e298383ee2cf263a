package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

// asProgram makes the test binary the program.
const asProgram = "EXPORTER_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// successes are answers of which the usual ones are accepted.
func successes() *answers { return newAnswers(checker.StatusIn(200, 299)) }

func program(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// start starts the program on a free port and returns its URL, and a function
// that interrupts it and returns what it said at the end.
func start(t *testing.T, args ...string) (base string, stop func() string) {
	t.Helper()
	base, _, stop = startProcess(t, args...)
	return base, stop
}

func startProcess(t *testing.T, args ...string) (base string, cmd *exec.Cmd, stop func() string) {
	t.Helper()
	cmd = program(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(stderr)
	line, _ := r.ReadString('\n')
	base, found := strings.CutPrefix(strings.TrimSpace(line), "exporter: listening on ")
	if !found {
		t.Fatalf("exporter %q said %q; want where it listens", args, line)
	}
	return base, cmd, func() string {
		cmd.Process.Signal(os.Interrupt)
		said, _ := io.ReadAll(r)
		if err := cmd.Wait(); err != nil {
			t.Errorf("interrupted, exporter %q ended with %v; want success", args, err)
		}
		return string(said)
	}
}

// A web is some sites: one that is up and moved to, and some that are not.
type web struct {
	up, busy, moved, selfSigned string
}

func newWeb(t *testing.T) web {
	mux := http.NewServeMux()
	mux.HandleFunc("/up", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/moved", http.RedirectHandler("/up", http.StatusFound))
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	s, secure := httptest.NewServer(mux), httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	secure.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(secure.Close)
	return web{s.URL + "/up", s.URL + "/busy", s.URL + "/moved", secure.URL + "/up"}
}

const refused = "http://127.0.0.1:1/"

// list writes a file with the sites.
func list(t *testing.T, sites ...string) string {
	name := filepath.Join(t.TempDir(), "sites.txt")
	if err := os.WriteFile(name, []byte(strings.Join(sites, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// get returns the lines of a page that are samples of probe_ metrics, by what
// stands before the value.
func get(t *testing.T, url string) map[string]string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	samples := make(map[string]string)
	sc := bufio.NewScanner(resp.Body)
	for sc.Scan() {
		if i := strings.LastIndexByte(sc.Text(), ' '); strings.HasPrefix(sc.Text(), "probe_") {
			samples[sc.Text()[:i]] = sc.Text()[i+1:]
		}
	}
	if resp.StatusCode != http.StatusOK || len(samples) == 0 {
		t.Fatalf("GET %s: status %d with %d samples", url, resp.StatusCode, len(samples))
	}
	return samples
}

// A site has as many series as it ever will after its first check, whatever it
// answers then, and its label has no password.
func TestCardinality(t *testing.T) {
	m, err := newMonitor([]site{{"http://me:secret@h/", checker.Redact("http://me:secret@h/")}}, successes())
	if err != nil {
		t.Fatal(err)
	}
	reg := http.Handler(handler(m, nil))
	for _, reason := range []checker.Reason{"", checker.ReasonRefused, checker.ReasonTimeout, checker.ReasonDNS} {
		r := checker.Result{StatusCode: 200, Start: time.Now()}
		if reason != "" {
			r.Err = &checker.Error{Reason: reason}
		}
		m.set(0, finding{Result: r})
		w := httptest.NewRecorder()
		reg.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if n := strings.Count(w.Body.String(), `target="http://xxxxx@h/"`); n < 12 || n > 24 {
			t.Errorf("after %q the site has %d series; want 12 to 24", reason, n)
		}
		if n := strings.Count(w.Body.String(), "\nprobe_verdict{"); n != 1 {
			t.Errorf("after %q there are %d verdicts; want 1", reason, n)
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Error("the password is published")
		}
	}
}

func TestReadSites(t *testing.T) {
	got, err := readSites(t.Context(), list(t, "\ufeffa.example", "", "# a comment", "  b.example\r", "a.example", "http://me:1@h/", "http://me:2@h/", "\xff"))
	want := []site{{"a.example", "a.example"}, {"b.example", "b.example"}, {"http://me:1@h/", "http://xxxxx@h/"}, {"\xff", `\xff`}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("readSites = %q, %v; want %q", got, err, want)
	}
}

func TestUsage(t *testing.T) {
	empty, long := list(t, "# nothing"), list(t, "a.example", strings.Repeat("x", 1<<17))
	for _, test := range []struct{ args, want string }{
		{"", "nothing to do: want -f FILE or -probe; exporter -h explains"},
		{"example.org", "\"example.org\" is no flag; sites go into a file, see -f"},
		{"-f " + empty, empty + ": there are no sites in it"},
		{"-f " + long, long + ": line 2 is longer than 65536 bytes"},
		{"-f /no/such/file", "open /no/such/file: no such file or directory"},
		{"-f /", "/ is a directory, not a list"},
		{"-probe -every 0s", "-every 0s is not positive"},
		{"-probe -timeout 0s", "invalid option: WithTimeout: 0s is not positive"},
		{"-probe -addr nowhere", "listen tcp: address nowhere: missing port in address"},
		{"-status ok", "invalid value \"ok\" for flag -status: want two codes from 200 to 999, such as 200-299, or one; exporter -h lists the flags"},
	} {
		var stdout, stderr bytes.Buffer
		cmd := program(t, strings.Fields(test.args)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != 2 || stdout.Len() > 0 || stderr.String() != "exporter: "+test.want+"\n" {
			t.Errorf("exporter %s exited with status %d and said %q and %q; want 2 and %q", test.args, got, &stdout, &stderr, test.want)
		}
	}
	var stderr bytes.Buffer
	cmd := program(t, "-h")
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil || stderr.Len() > 0 || !strings.HasPrefix(string(out), "Usage: exporter [flags]\n") || !strings.Contains(string(out), "-canary URL") {
		t.Errorf("exporter -h = %v, and said %q and %q; want its flags", err, out, &stderr)
	}
}

// The monitor ends when its context does, in the middle of a check too.
func TestMonitorEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer s.Close()
	m, err := newMonitor([]site{{s.URL, s.URL}, {refused, refused}}, successes())
	if err != nil {
		t.Fatal(err)
	}
	m.run(ctx, time.Hour, nil)
	if m.sites[0].last.Attempts != 0 {
		t.Errorf("a check that was interrupted is kept: %v", m.sites[0].last)
	}
}
