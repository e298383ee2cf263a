package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/checker"
)

// asProgram makes the test binary the program.
const asProgram = "SWEEP_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command returns the program, not started.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1",
		"GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE")) // -race would have each run last a second longer
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// sweeps runs the program on an input.
func sweeps(t *testing.T, stdin string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd, out, errs := command(t, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// unwarned returns what standard error has beside a warning.
func unwarned(stderr string) string {
	if strings.HasPrefix(stderr, "sweep: warning: ") {
		_, stderr, _ = strings.Cut(stderr, "\n")
	}
	return stderr
}

func file(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// serve starts a server for all of 127.0.0.0/8 and returns its port.
func serve(t *testing.T, h http.HandlerFunc) (port int) {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().(*net.TCPAddr).Port
}

func answer(http.ResponseWriter, *http.Request) {}

// results reads an output back, by index.
func results(t *testing.T, format, text string) map[int]checker.Result {
	t.Helper()
	f := formats[format]
	all := make(map[int]checker.Result)
	body, ok := strings.CutPrefix(text, f.header)
	if !ok {
		t.Fatalf("the output begins with %.80q; want the header %q", text, f.header)
	}
	for line := range strings.Lines(body) {
		r, err := f.decode([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Fatalf("decode(%q) = %v", line, err)
		}
		if _, ok := all[r.Index]; ok {
			t.Errorf("the index %d is there twice", r.Index)
		}
		all[r.Index] = r
	}
	return all
}

// quarter is what is said where one of four sites is not to be checked.
const quarter = "sweep: warning: 1 of 4 sites is unknown, which says nothing about them. " +
	"Look at the lines that are no URLs (-only unknown lists them): 1 of them say \"invalid\"\n"

// The index is the number of the line, blank lines and comments counted.
func TestFormats(t *testing.T) {
	up := fmt.Sprintf("127.0.0.1:%d", serve(t, answer))
	in := "\ufeff" + up + "\r\n\n  http://127.0.0.1:1/a  a name \n# \t\nftp://x\nhttp://me:secret@" + up + "/q?x=1"
	want := map[int]string{0: "online  " + up, 2: "offline refused http://127.0.0.1:1/a", 4: "unknown invalid ftp://x", 5: "online  http://xxxxx@" + up + "/q?x=1"}
	for name := range formats {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := sweeps(t, in, "-retries", "0", "-format", name)
			if stderr != quarter || status != 0 {
				t.Errorf("sweep printed %q on standard error, with status %d; want a warning and 0", stderr, status)
			}
			if strings.Contains(stdout, "secret") {
				t.Errorf("the output has a password:\n%s", stdout)
			}
			got := results(t, name, stdout)
			for i, r := range got {
				if s := fmt.Sprintf("%s %s %s", r.Status(), r.Reason(), r.Target); s != want[i] {
					t.Errorf("line %d: %s; want %s", i, s, want[i])
				}
				if r.Online() && (r.StatusCode != 200 || r.Timing.Total <= 0) {
					t.Errorf("line %d: status code %d in %v; want 200 in some time", i, r.StatusCode, r.Timing.Total)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d results; want %d", len(got), len(want))
			}
		})
	}
}

// What a terminal or a spreadsheet would obey does not reach it.
func TestUntrusted(t *testing.T) {
	in := "http://h/\x1b[2J\n=1+2\n\xff.example\n"
	for _, name := range []string{"csv", "text"} {
		stdout, _, _ := sweeps(t, in, "-format", name)
		if strings.Contains(stdout, "\x1b") || !utf8.ValidString(stdout) || strings.Contains(stdout, ",=1") {
			t.Errorf("-format %s: %q", name, stdout)
		}
		if got := results(t, name, stdout); len(got) != 3 {
			t.Errorf("-format %s: %d results; want 3", name, len(got))
		}
	}
}

func TestOnlyAndFail(t *testing.T) {
	in := fmt.Sprintf("127.0.0.1:%d\nhttp://127.0.0.1:1\n://\nhttp://127.0.0.2:1\n", serve(t, answer))
	for only, want := range map[string]int{"online": 1, "offline": 2, "unknown": 1} {
		stdout, stderr, status := sweeps(t, in, "-retries=0", "-only", only)
		if got := results(t, "jsonl", stdout); len(got) != want || stderr != quarter || status != 0 {
			t.Errorf("-only %s: %d results, %q, status %d; want %d, a warning, 0", only, len(got), stderr, status, want)
		}
	}
	_, stderr, status := sweeps(t, in, "-retries=0", "-fail", "-only", "online")
	if stderr != quarter+"sweep: 2 sites are offline\n" || status != 1 {
		t.Errorf("-fail: %q, status %d; want two offline and 1", stderr, status)
	}
	if _, stderr, status := sweeps(t, "://\n", "-fail"); !strings.HasSuffix(stderr, "\nsweep: 1 site is unknown: there is no verdict\n") || status != 3 {
		t.Errorf("-fail with nothing offline: %q, status %d; want one unknown and 3", stderr, status)
	}
}

// A list that breaks off is not passed off as a shorter one.
func TestBrokenList(t *testing.T) {
	up := fmt.Sprintf("127.0.0.1:%d", serve(t, answer))
	stdout, stderr, status := sweeps(t, up+"\n\n"+strings.Repeat("x", 1<<17)+"\n://\n")
	if got := results(t, "jsonl", stdout); len(got) != 1 || status != 2 || stderr != "sweep: the list ends early: line 3 is longer than 65536 bytes\n" {
		t.Errorf("%d results, %q, status %d; want 1, the line and 2", len(got), stderr, status)
	}
}

func TestSummary(t *testing.T) {
	list := file(t, fmt.Sprintf("127.0.0.3:%d\nhttp://127.0.0.1:1\n\n://\n", serve(t, answer)))
	stdout, stderr, status := sweeps(t, "", list, "-retries", "0", "-o", filepath.Join(t.TempDir(), "out"))
	if !strings.HasPrefix(stderr, "sweep: warning: 1 of 3 sites ") || status != 0 {
		t.Errorf("sweep printed %q on standard error, with status %d; want a warning and 0", stderr, status)
	}
	for _, want := range []string{
		"3 sites in ", "/s)\n",
		"online              1   33.3 %\n",
		"offline             1   33.3 %  refused\n",
		"unknown             1   33.3 %  invalid\n",
		"\nstatus of the answers\n200                 1   33.3 %  OK\n",
		"\ndead sites\nline        2  http://127.0.0.1:1  refused: the host refused the connection\n",
		"\np50  ", "\np99  ", "\nslowest  ", " ms  127.0.0.3:",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the summary has no %q:\n%s", want, stdout)
		}
	}
}

func TestUsage(t *testing.T) {
	list, empty := file(t, "127.0.0.1"), file(t, "")
	const missing = "missing.txt"
	for _, test := range []struct {
		args   string
		stderr string
	}{
		{"missing.txt", "sweep: open missing.txt: no such file or directory"},
		{t.TempDir(), "is a directory, not a list"},
		{empty, "there are no sites in it"},
		{file(t, "\xff\xfea\x00"), "not a text file in UTF-8 but in UTF-16"},
		{file(t, "\x7fELF\x02\x01\x01\x00\x00"), "not a text file in UTF-8 but a binary one"},
		{"-nope", "flag provided but not defined: -nope; sweep -h lists the flags"},
		{"-timeout 10", `invalid value "10" for flag -timeout`},
		{"-c 0", "WithConcurrency: 0 is less than 1"},
		{"-timeout -1s", "WithTimeout: -1s is not positive"},
		{"-retries -1", "WithRetries: -1 is negative"},
		{"-host-rate -1", "-host-rate -1 is negative"},
		{"-format xml", `-format "xml" is none of jsonl, csv and text`},
		{"-only down", `-only "down" is none of`},
		{"-resume " + list, "-resume needs -o FILE"},
		{"a b", `one FILE at a time, not ["a" "b"]`},
		{"-o " + list + " " + list, "is the list; it would be written over"},
		{"-report " + list + " " + list, "is the list; it would be written over"},
		{"-o " + list + " " + missing, "is there already; -resume goes on with it, -force writes over it"},
		{"-report " + list + " " + missing, "is there already; -resume goes on with it, -force writes over it"},
		{"-resume -force -o x", "one of them"},
		{"-again -1", "-again -1 is negative"},
		{"-o x -report x", "x cannot be both the output and the report"},
		{"-o " + list + "/x " + list, "not a directory"},
		{"-report " + list + "/x " + list, "not a directory"},
	} {
		_, stderr, status := sweeps(t, "", strings.Fields(test.args)...)
		if !strings.Contains(stderr, test.stderr) || status != 2 {
			t.Errorf("sweep %s printed %q, with status %d; want %q and 2", test.args, stderr, status, test.stderr)
		}
	}
	stdout, stderr, status := sweeps(t, "", "-h")
	if !strings.HasPrefix(stdout, "Usage: "+usage+"\n\n") || !strings.Contains(stdout, "\n  -again N\n") || stderr != "" || status != 0 {
		t.Errorf("sweep -h printed %q and %q, with status %d; want the usage and 0", stdout, stderr, status)
	}
}
