package main

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

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

func TestHelp(t *testing.T) {
	out, err := command(t, "-h").Output()
	for _, want := range []string{"--file FILE", "-f", "--every DUR", "-e", "--addr HOST:PORT", "-a", "--db FILE", "-d", "--status MIN-MAX", "--timeout DUR", "--canary URL", "--title TEXT", "[default: 30s]", "Example:"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("statuspage -h does not say %q", want)
		}
	}
	if err != nil {
		t.Errorf("statuspage -h: %v", err)
	}
}

// What is wrong is said on standard error, in a line, and ends the program.
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
		{nil, "Error: FILE is required; statuspage -h tells more\n"},
		{[]string{"-f", missing}, "Error: open " + missing + ": no such file or directory"},
		{[]string{"-f", t.TempDir()}, "is a directory"},
		{[]string{"-f", list(t, "# nothing", "  ")}, "sites.txt: no sites in it"},
		{[]string{"-f", list(t, "a.example", "", "http://u:p@b.example B", "http://u:p@b.example C")}, "sites.txt:4: http://b.example is already in line 3\n"},
		{[]string{"-f", list(t, "\xff\xfe")}, "sites.txt: not a text file in UTF-8"},
		{[]string{"-f", list(t, "# long", strings.Repeat("x", 1<<17))}, "sites.txt: line 2 is longer than 65536 bytes\n"},
		{[]string{"-f", good, "-addr", busy.Addr().String()}, "address already in use"},
		{[]string{"-f", good, "-addr", "nonsense"}, "missing port in address"},
		{[]string{"-f", good, "-every", "10ms"}, "Error: --every 10ms is too often: 1s is the least"},
		{[]string{"-f", good, "-every", "soon"}, `invalid duration "soon"`},
		{[]string{"-f", good, "-timeout", "-1s"}, "Error: invalid option: WithTimeout: -1s is not positive"},
		{[]string{"-f", good, "-status", "20-30"}, "want two codes from 200 to 999, such as 200-299, or one"},
		{[]string{"-f", good, "-canary", "http://:1"}, "Error: invalid option: WithCanaries"},
		{[]string{"-f", good, "-db", good}, good + ": file is not a database"},
	} {
		var stderr bytes.Buffer
		cmd := command(t, test.args...)
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		if err == nil || len(stdout) > 0 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("statuspage %q: %v, printed %q and on standard error %q; want %q", test.args, err, stdout, stderr.String(), test.want)
		}
	}
}

func TestParseSite(t *testing.T) {
	for line, want := range map[string][]string{
		"example.org":                  {"example.org", "example.org"},
		"  https://example.org/\r\n":   {"https://example.org/", "example.org"},
		"example.org\tThe   site # 1":  {"example.org", "The site # 1"},
		"http://u:p@h/x@y":             {"http://u:p@h/x@y", "h/x@y"},
		"u:p@h:1":                      {"u:p@h:1", "h:1"},
		"http://":                      {"http://", "http://"},
		"u:p@":                         {"u:p@", "no name"},
		"x " + strings.Repeat("ü", 99): {"x", strings.Repeat("ü", 60) + "…"},
	} {
		s := parseSite(line)
		if !slices.Equal([]string{s.target, s.name}, want) {
			t.Errorf("parseSite(%q) = %+v; want %q", line, s, want)
		}
	}
}

// An interrupt ends the program in peace, with a word on what it did.
func TestInterrupt(t *testing.T) {
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
	_ = cmd.Process.Signal(os.Interrupt)
	lines.Scan()
	if !regexp.MustCompile(`^Stopped after \d+ s: \d+ checks?, 0 changes of state$`).MatchString(lines.Text()) {
		t.Errorf("the program ended with %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("after an interrupt: %v, %q on standard error", err, stderr.String())
	}
}
