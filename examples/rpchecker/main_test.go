package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asProgram makes the test binary the program.
const asProgram = "RPCHECKER_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// rpchecker runs the program.
func rpchecker(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// serve starts a site that answers after a while.
func serve(t *testing.T, after time.Duration) (host string) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(after) }))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func file(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "sites.txt")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func online(url string) string { return fmt.Sprintf("The status of %q is: \"Online!\" 👍\n", url) }

func offline(url, text string) string {
	return fmt.Sprintf("The status of %q is: \"Offline?\" 👎 \n  Error: \"%s\"\n", url, text)
}

const (
	dead    = "http://127.0.0.1:1/"
	refused = "http://127.0.0.1:1/: the host refused the connection"
	noURLs  = "Error: no URLs to check\n"
)

func TestProgram(t *testing.T) {
	host := serve(t, 0)
	empty, missing := file(t, " \n\n"), filepath.Join(t.TempDir(), "missing.txt")
	list := file(t, "\ufeff"+host+"\r\n\n  "+dead+"  \n"+host+"/x")
	long := file(t, "# sites\n"+host+"\n"+strings.Repeat("x", 1<<17)+"\n"+host)
	for _, test := range []struct {
		name           string
		args           []string
		stdout, stderr string
		status         int
	}{
		{"URLs in order", []string{"-u", dead, host}, offline(dead, refused) + online(host), "", 0},
		{"long flags", []string{"--urls", host}, online(host), "", 0},
		{"an invalid URL", []string{"-u", "ftp://x"}, offline("ftp://x", `not a site to check: the scheme "ftp" is neither http nor https`), "", 0},
		{"a file", []string{"-f", list}, online(host) + offline(dead, refused) + online(host+"/x"), "", 0},
		{"URLs and a file", []string{"-f", list, "-u", host + "/u"}, online(host+"/u") + online(host) + offline(dead, refused) + online(host+"/x"), "", 0},
		{"a file with a line that is no URL", []string{"-f", long}, online(host), "Error: line 3 is longer than 65536 bytes\n", 0},
		{"a file with names", []string{"-f", file(t, host+" The site\n")}, online(host), "", 0},
		{"a file in UTF-16", []string{"-f", file(t, "\xff\xfeh\x00\n\x00")}, "", "Error: not a text file in UTF-8 but in UTF-16: save it as UTF-8\n" + noURLs, 1},
		{"no URLs", nil, "", noURLs, 1},
		{"an empty file", []string{"-f", empty}, "", "Error: empty input file, " + empty + "\n" + noURLs, 1},
		{"a missing file", []string{"--input-file", missing}, "", "Error: input file not found\n" + noURLs, 1},
		{"a missing file beside URLs", []string{"-f", missing, "-u", host}, online(host), "Error: input file not found\n", 0},
		{"a folder", []string{"-f", t.TempDir() + "/"}, "", "is a directory", 1},
		{"an unknown flag", []string{"--no-such"}, "", "error: unknown argument --no-such", 2},
		{"asynchronous", []string{"-a", "-u", host}, online(host), "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := rpchecker(t, test.args...)
			if stdout != test.stdout || status != test.status {
				t.Errorf("rpchecker %q printed\n%s with status %d; want\n%s with %d", test.args, stdout, status, test.stdout, test.status)
			}
			if whole := strings.HasPrefix(test.stderr, "Error: ") || test.stderr == ""; whole && stderr != test.stderr || !strings.Contains(stderr, test.stderr) {
				t.Errorf("rpchecker %q printed on standard error\n%s; want\n%s", test.args, stderr, test.stderr)
			}
		})
	}
}

// With -a answers are printed in the order in which they come, without it in
// the order of the URLs.
func TestOrder(t *testing.T) {
	slow, fast := serve(t, 300*time.Millisecond), serve(t, 0)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-u", slow, fast}, online(slow) + online(fast)},
		{[]string{"-a", "-u", slow, fast}, online(fast) + online(slow)},
	} {
		if stdout, _, _ := rpchecker(t, test.args...); stdout != test.want {
			t.Errorf("rpchecker %q printed\n%s; want\n%s", test.args, stdout, test.want)
		}
	}
}

// Nor does a host that asks for a pause change the order.
func TestOrderOfPaused(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer busy.Close()
	other := strings.Replace(serve(t, 0), "127.0.0.1", "localhost", 1)
	want := online(busy.URL+"/1") + online(busy.URL+"/2") + online(other)
	if stdout, _, _ := rpchecker(t, "-u", busy.URL+"/1", busy.URL+"/2", other); stdout != want {
		t.Errorf("rpchecker printed\n%s; want\n%s", stdout, want)
	}
}

// What a target holds of a password is nobody's business.
func TestPassword(t *testing.T) {
	host := serve(t, 0)
	target := strings.Replace(host, "http://", "http://me:secret@", 1)
	want := online(strings.Replace(host, "http://", "http://xxxxx@", 1))
	if stdout, _, _ := rpchecker(t, "-u", target); stdout != want {
		t.Errorf("rpchecker printed\n%s; want\n%s", stdout, want)
	}
}

func TestHelp(t *testing.T) {
	stdout, stderr, status := rpchecker(t, "-h")
	for _, want := range []string{"--urls", "-u", "--input-file", "-f", "--asynchronous", "-a", "--help", "-h"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("rpchecker -h does not name %s", want)
		}
	}
	if stderr != "" || status != 0 {
		t.Errorf("rpchecker -h printed %q on standard error, with status %d", stderr, status)
	}
}
