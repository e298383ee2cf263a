// Package programs runs the programs and the examples as their users do, with input that
// is none, disks that are full, readers that go away and signals; distributed is run by
// the tests beside its source.
package programs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A program is one of them. In its arguments LIST stands for a list of sites, DOC for a
// document with links to them, RESULTS for what sweep found of them, URLS for some of
// them, OUT for a file to be written and ADDR for an address to listen on.
type program struct {
	dir     string   // of its source
	inputs  []string // arguments with a file that is read, for each way to read one
	stdin   []string // the same, of standard input
	prints  string   // arguments to find something, and print it
	writes  []string // arguments to write a file
	serves  string   // arguments to serve until it is told to end
	misused int      // the status of an error, if that is not 2
	prefix  string   // of errors, if that is not its name
}

func (p program) name() string { return path.Base(p.dir) }

func (p program) failed() int { return cmp.Or(p.misused, 2) }

func (p program) says() string { return cmp.Or(p.prefix, p.name()) + ": " }

var programs = []program{
	{
		dir: "programs/sweep", inputs: []string{"LIST", "-o OUT LIST", "-o OUT -report OUT.html LIST"}, stdin: []string{"", "-o OUT -"},
		prints: "LIST", writes: []string{"-o OUT LIST", "-o /dev/null -report OUT LIST", "-format csv -o OUT LIST"},
	},
	{
		dir: "programs/linkcheck", inputs: []string{"DOC", "-files LIST", "-baseline LIST GOOD"}, stdin: []string{"-files -"},
		prints: "-format jsonl GOOD", writes: []string{"-o OUT -format jsonl GOOD", "-o OUT -format sarif GOOD", "-write-baseline OUT GOOD"},
	},
	{dir: "programs/exporter", inputs: []string{"-f LIST -addr ADDR"}, stdin: []string{"-f - -addr ADDR"}, serves: "-f LIST -addr ADDR"},
	{dir: "programs/statuspage", inputs: []string{"-f LIST -addr ADDR"}, stdin: []string{"-f - -addr ADDR"}}, // its own tests have it serve
	{dir: "programs/quorum", inputs: []string{"a=RESULTS b=RESULTS"}, stdin: []string{"a=/dev/stdin b=/dev/null"}, prints: "a=RESULTS b=RESULTS"},
	{
		dir: "examples/gate", inputs: []string{"-f LIST", "-junit OUT -f LIST"}, stdin: []string{"-f -"},
		prints: "-f LIST", writes: []string{"-junit OUT -f LIST"},
	},
	{dir: "examples/bydomain", inputs: []string{"LIST"}, stdin: []string{""}, prints: "LIST"},
	{
		dir: "examples/shard", inputs: []string{"-f LIST -o OUT"}, stdin: []string{"-f - -o OUT"},
		writes: []string{"-f LIST -o OUT"},
	},
	{dir: "examples/rpchecker", inputs: []string{"-f LIST", "-a -f LIST"}, stdin: []string{"-f /dev/stdin"}, prints: "-a -f LIST", misused: 1, prefix: "Error"},
	{dir: "examples/slog", prints: "URLS"},
	{dir: "examples/otel", prints: "URLS"},
	{dir: "examples/quickstart", prints: "URLS"},
	{dir: "examples/linkcheck-service", serves: "-addr ADDR"},
}

var bin string // a folder with all of them

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "programs"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(bin)
	args := []string{"build", "-o", bin + "/"}
	for _, p := range programs {
		args = append(args, "./"+p.dir)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go %q: %v\n%s", args, err, out)
		return 1
	}
	return m.Run()
}

// A web has sites, and files that name them.
type web struct {
	dir   string
	base  string
	sites []string
	asked chan struct{} // gets one for each request of a site that hangs
	free  chan struct{} // closed when those hang no more
}

// newWeb starts n sites that are up and one that hangs.
func newWeb(t *testing.T, n int) *web {
	w := &web{dir: t.TempDir(), asked: make(chan struct{}, 100), free: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hangs" {
			return
		}
		select {
		case w.asked <- struct{}{}:
		default:
		}
		select {
		case <-w.free:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	w.base = s.URL
	for i := range n {
		w.sites = append(w.sites, fmt.Sprintf("%s/%d", s.URL, i))
	}
	w.write(t)
	return w
}

// hang adds the site that hangs, as the last but one.
func (w *web) hang(t *testing.T) {
	w.sites = slices.Insert(w.sites, len(w.sites)-1, w.base+"/hangs")
	w.write(t)
}

// write writes the files.
func (w *web) write(t *testing.T) {
	var results, doc strings.Builder
	for i, site := range w.sites {
		fmt.Fprintf(&results, `{"index":%d,"target":%q,"status":"online","status_code":200,"timing":{}}`+"\n", i, site)
		fmt.Fprintf(&doc, "<%s>\n", site)
	}
	for name, text := range map[string]string{"LIST": strings.Join(w.sites, "\n"), "RESULTS": results.String(), "DOC": doc.String(), "GOOD": doc.String()} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// command returns a program to be run with arguments, in which the words stand for
// the files of w.
func (w *web) command(t *testing.T, p program, args string) *exec.Cmd {
	var all []string
	for _, arg := range strings.Fields(args) {
		if arg == "URLS" {
			all = append(all, w.sites...)
			continue
		}
		for _, name := range []string{"LIST", "DOC", "GOOD", "RESULTS", "OUT"} {
			arg = strings.Replace(arg, name, filepath.Join(w.dir, name), 1)
		}
		all = append(all, strings.Replace(arg, "ADDR", "127.0.0.1:0", 1))
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, p.name()), all...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, wherever the test has one
	cmd.WaitDelay = time.Second
	return cmd
}

// An end is what a program has come to.
type end struct {
	stdout, stderr string
	status         int // 128 and the number of the signal that ended it
	memory         int64
}

// finish waits for a command that has started, for half a minute.
func finish(t *testing.T, cmd *exec.Cmd) (e end) {
	t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	state := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if e.status = state.ExitStatus(); state.Signaled() {
		e.status = 128 + int(state.Signal())
	}
	e.memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	for to, from := range map[*string]any{&e.stdout: cmd.Stdout, &e.stderr: cmd.Stderr} {
		if b, ok := from.(*bytes.Buffer); ok {
			*to = b.String()
		}
	}
	return e
}

// start starts a command with its standard error, and its output unless that goes
// elsewhere, into buffers.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.Stdout == nil {
		cmd.Stdout = new(bytes.Buffer)
	}
	cmd.Stderr = new(bytes.Buffer)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// do runs a program.
func (w *web) do(t *testing.T, p program, args string) end {
	t.Helper()
	cmd := w.command(t, p, args)
	start(t, cmd)
	return finish(t, cmd)
}

// sentence reports an error unless text is lines that begin with the name of the program,
// the last of which has want in it.
func (p program) sentence(text, want string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, line := range lines {
		if !strings.HasPrefix(line, p.says()) && !strings.HasPrefix(line, "  ") {
			return fmt.Errorf("%q does not begin with %q", line, p.says())
		}
	}
	if !strings.Contains(text, want) {
		return fmt.Errorf("there is no %q", want)
	}
	if len(lines) > 3 {
		return errors.New("it is long")
	}
	return nil
}
