package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"example.com/checker/examples/cli"
	"example.com/checker/internal/hostile"
)

// asProgram makes the test binary the program.
const asProgram = "STATUSPAGE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// list writes a list of sites.
func list(t *testing.T, lines ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "sites.txt")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// parseSite returns the site of the first line of a list.
func parseSite(line string) *site {
	for l := range cli.NewList(strings.NewReader(line)).Sites() {
		return newSite(l)
	}
	return nil
}

// Help is what was asked for, so it goes to standard output and is no error.
func TestHelp(t *testing.T) {
	cmd := command(t, "-h")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	for _, want := range []string{"Usage: statuspage -f FILE [flags]\n", "-f FILE", "-every DUR", "-addr HOST:PORT", "-db FILE", "-webhook URL", "-title TEXT",
		"-status MIN-MAX", "-redirects N", "-canary URL", "-timeout DUR", "-header K:V", "-method M", "-c N", "(default 30s)", "(default 200-399)"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("statuspage -h does not say %q", want)
		}
	}
	if err != nil || stderr.Len() > 0 {
		t.Errorf("statuspage -h: %v, %q on standard error", err, &stderr)
	}
}

// What is wrong is said on standard error, in a line, and ends the program with
// status 2.
func TestErrors(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	good, missing := list(t, "127.0.0.1:1"), filepath.Join(t.TempDir(), "missing.txt")
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "statuspage: no list of sites: want -f FILE; statuspage -h explains\n"},
		{[]string{good}, "is no flag; the list of sites wants -f before it"},
		{[]string{"-f", missing}, "statuspage: open " + missing + ": no such file or directory"},
		{[]string{"-f", t.TempDir()}, "is a directory, not a list"},
		{[]string{"-f", list(t)}, "sites.txt: there are no sites in it"},
		{[]string{"-f", list(t, "# nothing", "  ")}, "sites.txt: there are no sites in it"},
		{[]string{"-f", list(t, "a.example", "", "http://u:p@b.example B", "http://u:p@b.example C")}, "sites.txt:4: http://b.example is already in line 3\n"},
		{[]string{"-f", list(t, "\xff\xfea\x00")}, "sites.txt: not a text file in UTF-8 but in UTF-16"},
		{[]string{"-f", os.Args[0]}, "not a text file in UTF-8 but a binary one"},
		{[]string{"-f", list(t, "# long", strings.Repeat("x", 1<<17))}, "sites.txt: line 2 is longer than 65536 bytes\n"},
		{[]string{"-f", list(t, "a.example", strings.Repeat("x", 1<<17))}, "sites.txt: line 2 is longer than 65536 bytes\n"},
		{[]string{"-f", good, "-addr", busy.Addr().String()}, "address already in use"},
		{[]string{"-f", good, "-addr", "nonsense"}, "missing port in address"},
		{[]string{"-f", good, "-every", "10ms"}, "statuspage: -every 10ms is too often: 1s is the least"},
		{[]string{"-f", good, "-every", "soon"}, `invalid value "soon" for flag -every`},
		{[]string{"-f", good, "-timeout", "-1s"}, "statuspage: invalid option: WithTimeout: -1s is not positive"},
		{[]string{"-f", good, "-c", "0"}, "statuspage: invalid option: WithConcurrency"},
		{[]string{"-f", good, "-redirects", "-1"}, "statuspage: invalid option: WithRedirects"},
		{[]string{"-f", good, "-header", "nonsense"}, "want Key: value"},
		{[]string{"-f", good, "-method", "PUT"}, "statuspage: invalid option: WithMethod"},
		{[]string{"-f", good, "-status", "20-30"}, "want two codes from 200 to 999, such as 200-299, or one"},
		{[]string{"-f", good, "-canary", "http://:1"}, "statuspage: invalid option: WithCanaries"},
		{[]string{"-f", good, "-webhook", "http://h/secret"}, "statuspage: -webhook wants -db FILE"},
		{[]string{"-f", good, "-db", good, "-webhook", "mailto:me"}, "statuspage: -webhook wants an http or https URL\n"},
		{[]string{"-f", good, "-db", good}, good + ": file is not a database"},
	} {
		var stderr bytes.Buffer
		cmd := command(t, test.args...)
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		if cmd.ProcessState.ExitCode() != 2 || len(stdout) > 0 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("statuspage %q: %v, printed %q and on standard error %q; want status 2 and %q", test.args, err, stdout, stderr.String(), test.want)
		}
	}
}

// A standard output that cannot be written to is found out at once.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full: ", err)
	}
	defer full.Close()
	var stderr bytes.Buffer
	cmd := command(t, "-f", list(t, "127.0.0.1:1"), "-addr", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr = full, &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), "statuspage: write /dev/stdout: no space left on device\n") {
		t.Errorf("with a full standard output: %v, %q on standard error; want status 2 and the reason", err, &stderr)
	}
}

// What the flags ask for reaches the sites.
func TestFlags(t *testing.T) {
	asked := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Key")
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/end", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	o, err := parse([]string{"-f", list(t, s.URL+"/"), "-every", "1h", "-addr", "127.0.0.1:0", "-header", "X-Key: 7", "-method", "get", "-redirects", "1", "-status", "200"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	start(t, o)
	for _, want := range []string{"GET / 7", "GET /end 7"} {
		if got := <-asked; got != want {
			t.Errorf("the site was asked %q; want %q", got, want)
		}
	}
}

func TestParseSite(t *testing.T) {
	for line, want := range map[string][]string{
		"example.org":                    {"example.org", "example.org"},
		"  https://example.org/\r\n":     {"https://example.org/", "example.org"},
		"example.org\tThe   site # 1":    {"example.org", "The site # 1"},
		"http://u:p@h/x@y":               {"http://u:p@h/x@y", "h/x@y"},
		"u:p@h:1":                        {"u:p@h:1", "h:1"},
		"http://":                        {"http://", "http://"},
		"u:p@":                           {"u:p@", "no name"},
		"h.example \xffa\x1b[2Jb\u2028c": {"h.example", "\ufffda [2Jb c"},
		"x " + strings.Repeat("ü", 99):   {"x", strings.Repeat("ü", 60) + "…"},
	} {
		s := parseSite(line)
		if !slices.Equal([]string{s.target, s.name}, want) {
			t.Errorf("parseSite(%q) = %+v; want %q", line, s, want)
		}
	}
}

// A signal ends the program in peace, with a word on what it did.
func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) { testSignal(t, signal) })
	}
}

func testSignal(t *testing.T, signal os.Signal) {
	s := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	cmd := command(t, "-f", list(t, s.URL()), "-every", "1s", "-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "history.db"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	if !regexp.MustCompile(`^Watching 1 site every 1s at http://127\.0\.0\.1:\d+/$`).MatchString(lines.Text()) {
		t.Errorf("the program began with %q", lines.Text())
	}
	_ = cmd.Process.Signal(signal)
	lines.Scan()
	if !regexp.MustCompile(`^Stopped after \d+ s: \d+ checks?, 0 changes of state$`).MatchString(lines.Text()) {
		t.Errorf("the program ended with %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("after %v: %v, %q on standard error", signal, err, stderr.String())
	}
}
