//go:build linux

package e2e_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// A victim is a process that makes one check while strace makes system calls of
// it fail. It is the test binary again, and its environment says what to do.
const (
	victimTarget  = "CHECKER_E2E_VICTIM" // what to check
	victimDNS     = "CHECKER_E2E_VICTIM_DNS"
	victimRetries = "CHECKER_E2E_VICTIM_RETRIES"

	victimTimeout = 2 * second
	ready         = "ready" // the line that it prints when strace may take hold of it
)

// A report is what a victim prints at its end.
type report struct {
	Result     checker.Result
	Took       time.Duration
	Goroutines int      // more than before the check
	Open       []string // descriptors that were not open before

	injected int // how many calls failed
}

// TestVictim is the victim.
func TestVictim(t *testing.T) {
	target := os.Getenv(victimTarget)
	if target == "" {
		t.Skip("runs as a part of TestNthFailure")
	}
	retries, err := strconv.Atoi(os.Getenv(victimRetries))
	if err != nil {
		t.Fatal(err)
	}
	c := sane(t, checker.WithTimeout(victimTimeout), checker.WithRetries(retries), resolver(os.Getenv(victimDNS)))
	// The runtime gives up if it cannot set up its poller: it must have one.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	goroutines, open := runtime.NumGoroutine(), descriptors()
	fmt.Println(ready)
	bufio.NewReader(os.Stdin).ReadString('\n')

	start := time.Now()
	rep := report{Result: c.Check(t.Context(), target)}
	rep.Took = time.Since(start)
	for end := start.Add(rep.Took + second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched()
	}
	rep.Goroutines = runtime.NumGoroutine() - goroutines
	for fd, what := range descriptors() {
		if open[fd] != what && !strings.HasPrefix(what, "anon_inode:") {
			rep.Open = append(rep.Open, what)
		}
	}
	b, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s\n", b)
	r.Close()
	w.Close()
}

// descriptors returns what is open. Listing it may be what fails; then it is
// listed again.
func descriptors() map[string]string {
	for range 10 {
		if links, err := os.ReadDir("/proc/self/fd"); err == nil {
			open := make(map[string]string)
			for _, l := range links {
				if what, err := os.Readlink("/proc/self/fd/" + l.Name()); err == nil {
					open[l.Name()] = what
				}
			}
			return open
		}
	}
	return nil
}

// A scene is what victims check: a site that is fine.
type scene struct {
	target string
	env    []string
}

func newScene(t *testing.T) scene {
	t.Helper()
	conf := hostile.SelfSigned(t, "site.test")
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.Respond(hostile.OK)))
	d := hostile.ServeDNS(t)
	d.Set("site.test", hostile.Addrs("127.0.0.1"))
	return scene{
		target: fmt.Sprintf("https://site.test:%d/", s.Port()),
		env:    append(onlyRoot(t, conf), victimDNS+"="+d.Addr()),
	}
}

// onlyRoot returns an environment in which conf's own certificate is the only
// root certificate of the system.
func onlyRoot(t *testing.T, conf *tls.Config) []string {
	t.Helper()
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: conf.Certificates[0].Certificate[0]}
	if err := os.WriteFile(roots, pem.EncodeToMemory(block), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"SSL_CERT_FILE=" + roots, "SSL_CERT_DIR=" + filepath.Join(dir, "none")}
}

// inject makes a victim check the scene's target, with a system call failing as
// strace's option says, such as "socket:error=EMFILE:when=2". strace takes hold
// of the victim after its start, so the runtime's own start is left alone.
func (s scene) inject(t *testing.T, retries int, fault string) (rep report) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), self, "-test.run=^TestVictim$", "-test.timeout=20s")
	// One processor makes for few threads. strace counts calls by thread. The
	// race detector would have each program end a second later.
	victim.Env = append(append(os.Environ(), s.env...), "GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0",
		victimTarget+"="+s.target, victimRetries+"="+strconv.Itoa(retries))
	in, err1 := victim.StdinPipe()
	out, err2 := victim.StdoutPipe()
	var said bytes.Buffer
	victim.Stderr = &said
	if err1 != nil || err2 != nil || victim.Start() != nil {
		t.Fatal("the victim does not start")
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); strings.TrimSpace(line) != ready {
		t.Fatalf("the victim said %q, %v", line, err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	call, _, _ := strings.Cut(fault, ":")
	wait := attach(t, victim.Process.Pid, trace, "-e", "trace="+call, "-e", "inject="+fault)

	in.Write([]byte("\n"))
	rest, _ := io.ReadAll(lines)
	err = victim.Wait()
	wait()
	if bytes.Contains(said.Bytes(), []byte("crypto/rand: failed to read random data")) {
		t.Logf("%s: the program ended", fault)
		return report{injected: 1}
	}
	start, end := bytes.IndexByte(rest, '{'), bytes.LastIndexByte(rest, '}')
	if start < 0 || end < 0 || json.Unmarshal(rest[start:end+1], &rep) != nil || err != nil {
		t.Fatalf("%s: %v\n%s%s", fault, err, rest, said.String())
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	rep.injected = bytes.Count(b, []byte("(INJECTED)"))
	return rep
}

// attach runs strace on a process and returns when it has hold of it.
func attach(t *testing.T, pid int, trace string, args ...string) (wait func() error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "strace", append([]string{"-f", "-o", trace, "-p", strconv.Itoa(pid)}, args...)...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	messages := bufio.NewReader(pipe)
	if line, err := messages.ReadString('\n'); !strings.Contains(line, " attached") {
		t.Fatalf("strace: %q, %v", line, err)
	}
	return func() error {
		io.Copy(io.Discard, messages)
		return cmd.Wait()
	}
}

// check fails for whatever no failing call may lead to.
func (rep report) check(t *testing.T, fault string) {
	t.Helper()
	r := rep.Result
	if r.Status() == checker.Offline {
		t.Errorf("%s: %v", fault, r)
	}
	if rep.Took > victimTimeout+second {
		t.Errorf("%s: took %v; want at most %v", fault, rep.Took, victimTimeout+second)
	}
	if rep.Goroutines > 0 || len(rep.Open) > 0 {
		t.Errorf("%s: left %d goroutines and %q", fault, rep.Goroutines, rep.Open)
	}
}

func needStrace(t *testing.T) {
	t.Helper()
	needRoot(t) // to trace what is not strace's own child
	needTool(t, "strace", "strace")
}

// A check of a site that is fine is made again and again, each time with
// another system call failing: the first, the second, and so on, until there
// are no more to fail. Whatever fails, the site is Online or there is no
// verdict, in time, and nothing is left behind.
//
// There is a second n-th call where there is a second thread, since strace
// counts by thread. Of getrandom there are few calls or none, where the kernel
// lets Go draw random numbers in user space (vDSO). Where not, Go ends the
// program if it cannot have any, on purpose (golang.org/issue/66821).
func TestNthFailure(t *testing.T) {
	needStrace(t)
	s := newScene(t)
	t.Run("each", func(t *testing.T) { // ends when all that is parallel has ended
		for _, test := range []struct {
			call   string
			errors string
		}{
			{"socket", "EMFILE ENFILE ENOBUFS ENOMEM EACCES EAFNOSUPPORT"},
			{"connect", "EADDRNOTAVAIL EAGAIN ENOBUFS EACCES EPERM ENETUNREACH"},
			{"openat", "EMFILE ENFILE ENOMEM EACCES"},
			{"epoll_ctl", "ENOMEM ENOSPC"},
			{"getsockopt", "ENOBUFS ENOMEM"},
			{"setsockopt", "ENOBUFS ENOMEM EPERM"},
			{"getrandom", "EAGAIN ENOSYS"},
		} {
			for errno := range strings.FieldsSeq(test.errors) {
				for retries := range 2 {
					name := fmt.Sprintf("%s %s, %d retries", test.call, errno, retries)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						s.fail(t, test.call, errno, retries)
					})
				}
			}
		}
	})
}

// fail makes the first call fail, then the second, and so on.
func (s scene) fail(t *testing.T, call, errno string, retries int) {
	t.Helper()
	found := make(map[checker.Reason]int)
	for n := 1; ; n++ {
		fault := fmt.Sprintf("%s:error=%s:when=%d", call, errno, n)
		rep := s.inject(t, retries, fault)
		if rep.check(t, fault); rep.injected == 0 {
			break
		}
		found[rep.Result.Reason()]++
	}
	if len(found) == 0 {
		t.Errorf("no call of %s", call)
	}
	t.Log(found)
}

// Calls that fail time and again.
func TestFailure(t *testing.T) {
	needStrace(t)
	named := newScene(t)
	address, inClear := named, named
	plainSite := hostile.Serve(t, "127.0.0.1:0", plain)
	address.target = plainSite.URL() + "/"
	inClear.target = fmt.Sprintf("http://site.test:%d/", plainSite.Port())
	local := checker.ReasonLocal
	for _, test := range []struct {
		name   string
		scene  scene
		fault  string
		reason checker.Reason
		phase  checker.Phase
	}{
		{"B7 resolv.conf cannot be opened", inClear, "openat:error=EMFILE:when=1..5", "", ""},
		{"J1 no descriptors in the process", address, "socket:error=EMFILE", local, checker.PhaseConnect},
		{"J2 no descriptors in the resolver", named, "socket:error=EMFILE", local, checker.PhaseDNS},
		{"J3 no descriptors in the system", address, "socket:error=ENFILE", local, checker.PhaseConnect},
		{"J4 no buffers", address, "socket:error=ENOBUFS", local, checker.PhaseConnect},
		{"J4 no buffers now and then", named, "socket:error=ENOBUFS:when=1+4", "", ""},
		{"J4 no memory for the poller", address, "epoll_ctl:error=ENOMEM", local, checker.PhaseConnect},
		{"J5 no ports", address, "connect:error=EADDRNOTAVAIL", local, checker.PhaseConnect},
		{"J8 a security policy forbids sockets", address, "socket:error=EACCES", local, checker.PhaseConnect},
		{"J8 a security policy forbids connects", address, "connect:error=EPERM", local, checker.PhaseConnect},
		{"J8 a security policy forbids the resolver's", named, "connect:error=EPERM", checker.ReasonDNS, checker.PhaseDNS},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rep := test.scene.inject(t, 0, test.fault)
			rep.check(t, test.fault)
			wantResult(t, rep.Result, test.reason, test.phase)
			if rep.injected == 0 {
				t.Errorf("%s: nothing failed", test.fault)
			}
		})
	}
}
