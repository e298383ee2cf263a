//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	catalogue "example.com/checker/internal/faults"
)

// What a test does to a whole process (its limits, its environment, its network
// namespace) it must not do to that of the other tests. Such a test runs its
// body in a process of its own, which is the same test binary again.

const insideEnv = "CHECKER_E2E_INSIDE" // the test whose body is to run

// A process is how the body of a test is run. The zero value is a process like
// that of the test itself.
type process struct {
	attr *syscall.SysProcAttr
	env  []string
	path string // the test binary; default: this one
}

// run runs body in a process of its own and fails t if it fails there. Calls of
// t before run are made in both processes.
func (p process) run(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	if os.Getenv(insideEnv) == t.Name() {
		body(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), p.binary(t), "-test.run="+exactly(t.Name()), "-test.v", "-test.timeout=2m")
	cmd.Env = append(append(os.Environ(), p.env...), insideEnv+"="+t.Name())
	cmd.SysProcAttr = p.attr
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		lacking(t, "needs root with all its capabilities")
	}
	// No error is not enough: a pattern that matches no test is none either.
	if err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()+" ") {
		t.Errorf("in a process of its own: %v\n%s", err, out.String())
		return
	}
	if text := said(out.String()); text != "" {
		t.Log(text)
	}
}

func (p process) binary(t *testing.T) string {
	t.Helper()
	if p.path != "" {
		return p.path
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// inside reports whether this is the process that run started.
func inside() bool { return os.Getenv(insideEnv) != "" }

// exactly returns the pattern of one test's name.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// said returns what a test logged, without the frame of the test binary.
func said(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if text := strings.TrimSpace(line); strings.Contains(text, "_test.go:") {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

// lacking skips a test that this machine cannot run. In CI that is a failure,
// since a test that never runs there proves nothing.
func lacking(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func needTool(t *testing.T, tool, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		lacking(t, "needs "+tool+": install the Debian package "+debianPackage)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 && !inside() { // inside, a test may have given root away
		lacking(t, "needs root")
	}
}

// sane returns a Checker for tests about this machine: without retries, so that
// a reason is that of one attempt.
func sane(t *testing.T, opts ...checker.Option) *checker.Checker {
	t.Helper()
	c, err := checker.New(append([]checker.Option{checker.WithTimeout(second), checker.WithRetries(0)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	second = time.Second
	idle   = 50 * time.Millisecond // how far an idle machine may overrun a bound
)

// phaseOf returns the phase in which a check failed.
func phaseOf(r checker.Result) checker.Phase {
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		return e.Phase
	}
	return ""
}

// wantResult compares what a check found with what it should have. The empty
// reason is that of a site that is Online.
func wantResult(t *testing.T, r checker.Result, reason checker.Reason, phase checker.Phase) {
	t.Helper()
	if r.Reason() != reason || phaseOf(r) != phase || r.Online() != (reason == "") {
		t.Errorf("Check(%q) = %q, Err = %v (%q in %q); want %q in %q",
			r.Target, r.Status(), r.Err, r.Reason(), phaseOf(r), reason, phase)
	}
	asCatalogued(t, strings.ReplaceAll(path.Base(t.Name()), "_", " "), r)
}

// asCatalogued compares what a check found with the catalogue.
func asCatalogued(t *testing.T, name string, r checker.Result) {
	t.Helper()
	catalogue.Hold(t, name, r)
}

// tally counts results by reason; "" stands for Online.
func tally(results []checker.Result) map[checker.Reason]int {
	counts := make(map[checker.Reason]int)
	for _, r := range results {
		counts[r.Reason()]++
	}
	return counts
}

// neverOffline fails for every Offline among results, showing the first few.
func neverOffline(t *testing.T, results []checker.Result) {
	t.Helper()
	shown := 0
	for _, r := range results {
		if r.Status() != checker.Offline {
			continue
		}
		if shown++; shown <= 3 {
			t.Errorf("Check(%q).Err = %v; want anything but Offline", r.Target, r.Err)
		}
	}
	if shown > 0 {
		t.Errorf("%d of %d Offline", shown, len(results))
	}
}

// A cut is a fault that begins and ends in the middle of a run.
type cut struct {
	target  func(i int) string
	opts    []checker.Option
	off, on func() // begin and end the fault; on returns when the end has taken effect

	// What the checks may find that run while it is cut, and those that only
	// begin or end then, which may also be Online. All others must be.
	during, across []checker.Reason
}

// run streams targets, slowly enough for the fault to fall into the middle, and
// holds each result against the time of its check.
func (c cut) run(t *testing.T) {
	const before, failing, after = 100, 300, 100
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := func(yield func(string) bool) {
		for i := 0; yield(c.target(i)); i++ {
		}
	}
	counts := map[string]map[checker.Reason]int{"outside": {}, "during": {}, "across": {}}
	var offs, ons [2]time.Time // the call of c.off and its return, and those of c.on
	fine, failed := 0, 0
	opts := append([]checker.Option{checker.WithRateLimit(400, 1), checker.WithConcurrency(1000)}, c.opts...)
	for r := range sane(t, opts...).Stream(ctx, endless) {
		if r.Reason() == checker.ReasonCanceled {
			continue
		}
		when, allowed := "across", append(c.across, "")
		switch {
		case offs[0].IsZero() || !ons[1].IsZero() && r.Start.After(ons[1]):
			when, allowed = "outside", []checker.Reason{""}
			fine++
		case r.Start.After(offs[1]) && ons[0].IsZero():
			when, allowed = "during", c.during
			failed++
		}
		if counts[when][r.Reason()]++; !slices.Contains(allowed, r.Reason()) && counts[when][r.Reason()] == 1 {
			t.Errorf("%s the cut, begun %v after its beginning: %v", when, r.Start.Sub(offs[0]), r)
		}
		switch {
		case fine == before && offs[0].IsZero():
			offs = around(c.off)
		case failed == failing && ons[0].IsZero():
			ons = around(c.on)
		case fine == before+after:
			cancel()
		}
	}
	t.Logf("%v; cut for %v", counts, ons[1].Sub(offs[0]).Round(time.Millisecond))
}

// around calls f and returns when.
func around(f func()) (times [2]time.Time) {
	times[0] = time.Now()
	f()
	times[1] = time.Now()
	return times
}
