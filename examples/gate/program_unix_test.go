//go:build unix

package main

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary the program.
const asProgram = "GATE_TEST_MAIN"

func TestMain(m *testing.M) {
	os.Unsetenv("GITHUB_ACTIONS") // whose jobs are written for
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// gate runs the program.
func gate(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := program(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// A port is one that nobody listens on and nobody else can have.
type port struct {
	fd   int
	host string
}

func newPort(t *testing.T) port {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	syscall.CloseOnExec(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	addr, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return port{fd, (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.(*syscall.SockaddrInet4).Port}).String()}
}

// serve brings up a site on the port, with the given status.
func (p port) serve(t *testing.T, status int) {
	if err := syscall.Listen(p.fd, 16); err != nil {
		t.Error(err)
		return
	}
	f := os.NewFile(uintptr(p.fd), p.host)
	l, err := net.FileListener(f)
	if err != nil {
		t.Error(err)
		return
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })}
	t.Cleanup(func() { srv.Close(); f.Close() })
	go srv.Serve(l)
}

// match fails the test unless text matches the whole pattern, in which HOST
// stands for host.
func match(t *testing.T, what, text, pattern, host string) {
	t.Helper()
	if re := regexp.MustCompile(`^(?s:` + strings.ReplaceAll(pattern, "HOST", regexp.QuoteMeta(host)) + `)$`); !re.MatchString(text) {
		t.Errorf("%s is\n%s; want\n%s", what, text, re)
	}
}

// A site that comes up after a second is waited for.
func TestComesUp(t *testing.T) {
	p := newPort(t)
	time.AfterFunc(time.Second, func() { p.serve(t, 204) })
	stdout, stderr, status := gate(t, "-within", "30s", "-every", "50ms", p.host)
	if status != 0 || stderr != "" {
		t.Errorf("gate exited with status %d and said %q; want 0 and nothing", status, stderr)
	}
	match(t, "standard output", stdout, `HOST: refused: the host refused the connection\nHOST: up after \d\S*s \(204\)\n`, p.host)
}

// A site that never does fails the gate, which says why.
func TestNever(t *testing.T) {
	never, wrong := newPort(t), newPort(t)
	wrong.serve(t, 500)
	stdout, stderr, status := gate(t, "-within=1s", "-every=50ms", "-status=200", "http://"+never.host, "http://"+wrong.host)
	if status != 1 {
		t.Errorf("gate exited with status %d; want 1", status)
	}
	match(t, "standard error", stderr, `gate: gave up after 1\S*s: 2 of 2 not up
  http://HOST: refused: the host refused the connection
  http://\S+: rejected: the answer was not accepted: status 500, wanted 200
`, never.host)
	match(t, "standard output", stdout, `.*http://HOST: rejected.*`, wrong.host)
	match(t, "standard output", stdout, `.*http://HOST: refused.*`, never.host)
}

// ^C ends the program, which says how far it got.
func TestInterrupt(t *testing.T) {
	p := newPort(t)
	cmd := program(t, p.host)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	match(t, "the first line", line, `HOST: refused: the host refused the connection\n`, p.host)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("after ^C gate exited with status %d; want 130", got)
	}
	match(t, "standard error", stderr.String(), `gate: interrupted after \d\S*s: 1 of 1 not up\n  HOST: refused: the host refused the connection\n`, p.host)
}

// Reports for CI systems have what was found of each site, without passwords.
func TestReports(t *testing.T) {
	up, wrong := newPort(t), newPort(t)
	up.serve(t, 200)
	wrong.serve(t, 500)
	file := filepath.Join(t.TempDir(), "report.xml")
	stdout, _, status := gate(t, "-within=3s", "-every=50ms", "-junit", file, "-github", "http://me:secret@"+up.host, "http://me:secret@"+wrong.host, "x.invalid:99")
	if status != 1 {
		t.Errorf("gate exited with status %d; want 1", status)
	}
	const reason = `rejected: the answer was not accepted: status 500, wanted 200–299`
	match(t, "standard output", stdout, `.*::error title=gate::http://xxxxx@HOST: `+reason+`\n::error title=gate::x.invalid:99: .*\n`, wrong.host)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	match(t, "the report", string(text), `.*<testsuite name="gate" tests="3" .*name="http://xxxxx@\S+" time="0\.\d+"></testcase>.*`+
		`name="http://xxxxx@HOST" time="3\.\d+">\s*<failure message="`+reason+`"></failure>.*`, wrong.host)
	if strings.Contains(stdout+string(text), "secret") {
		t.Error("a password is in a report")
	}
}

// Redirects are followed if asked for, and header fields go to the site's own origin.
func TestRedirectsAndHeaders(t *testing.T) {
	var lost atomic.Bool
	there := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			lost.Store(true)
		}
	}))
	t.Cleanup(there.Close)
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer x: y" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, there.URL, http.StatusFound)
	}))
	t.Cleanup(here.Close)
	header := []string{"-header", "Authorization: Bearer x: y"}
	for _, test := range []struct {
		args   []string
		status int
	}{
		{nil, 1}, {header, 1}, {[]string{"-redirects", "1"}, 1}, {append(header, "-redirects", "1"), 0}, {append(header, "-status", "302"), 0},
	} {
		within := []string{"20s", "400ms"}[test.status]
		if _, stderr, status := gate(t, append(append([]string{"-within", within, "-every", "50ms"}, test.args...), here.URL)...); status != test.status {
			t.Errorf("gate %q exited with status %d and said %q; want %d", test.args, status, stderr, test.status)
		}
	}
	if lost.Load() {
		t.Error("the field went to another origin")
	}
}

func TestUsage(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("h\nftp://h/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, `no URLs to wait for; gate -h explains`},
		{[]string{"-within", "0s", "h"}, `-within 0s is not positive`},
		{[]string{"-every", "-1s", "h"}, `-every -1s is not positive`},
		{[]string{"-timeout", "0s", "h"}, `invalid option: WithTimeout: 0s is not positive`},
		{[]string{"h", "-redirects", "-1"}, `invalid option: WithRedirects: -1 is negative`},
		{[]string{"-header", "A b: c", "h"}, `invalid option: WithHeader: .*`},
		{[]string{"-header", "nonsense", "h"}, `invalid value "nonsense" for flag -header: want Key: value; gate -h lists the flags`},
		{[]string{"-junit", "/no/where", "h"}, `open /no/where: no such file or directory`},
		{[]string{"-status", "ok", "h"}, `invalid value "ok" for flag -status: want two codes from 200 to 999, such as 200-299, or one; gate -h lists the flags`},
		{[]string{"-retries", "1", "h"}, `flag provided but not defined: -retries; gate -h lists the flags`},
		{[]string{"h", "ftp://me:secret@h/"}, `ftp://xxxxx@h/: not a site to check: the scheme "ftp" is neither http nor https`},
		{[]string{"-f", list}, `ftp://h/: not a site to check: the scheme "ftp" is neither http nor https`},
	} {
		stdout, stderr, status := gate(t, test.args...)
		if status != 2 || stdout != "" {
			t.Errorf("gate %q exited with status %d and printed %q; want 2 and nothing", test.args, status, stdout)
		}
		match(t, "standard error", stderr, "gate: "+test.want+`\n`, "")
	}
	if stdout, stderr, status := gate(t, "-h"); status != 0 || stderr != "" || !strings.Contains(stdout, "-timeout") || strings.Contains(stdout, "  -c N") {
		t.Errorf("gate -h printed %q and %q with status %d", stdout, stderr, status)
	}
}

// Sites come from arguments and from a list, of which names and comments are left out.
func TestListed(t *testing.T) {
	p, never := newPort(t), newPort(t)
	p.serve(t, 200)
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("# sites\n\n"+never.host+" The shop\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, status := gate(t, "-within", "500ms", "-f", list, p.host)
	if status != 1 {
		t.Errorf("gate exited with status %d; want 1", status)
	}
	match(t, "standard error", stderr, `gate: gave up after \S+s: 1 of 2 not up\n  HOST: refused: the host refused the connection\n`, never.host)
}
