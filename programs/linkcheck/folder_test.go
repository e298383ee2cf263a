package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/checker/examples/cli"
)

// asProgram makes the test binary the program.
const asProgram = "LINKCHECK_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, io.Discard)
	// What a parent is told of a child's memory is at least what it has itself.
	memory, _ := os.ReadFile("/proc/self/status")
	_, memory, _ = bytes.Cut(memory, []byte("VmHWM:"))
	memory, _, _ = bytes.Cut(memory, []byte("kB"))
	os.Stderr.Write(bytes.TrimSpace(memory))
	os.Exit(cli.Status(err))
}

// kinds are what becomes of links, one in twenty each unless it is there more often. The
// page of a link says its kind; the rest are good.
var kinds = []state{dead, doubtful, dead, doubtful, moved, unknown, misplaced}

// kind returns what becomes of the link with a number.
func kind(i int) state {
	if i %= 20; i < len(kinds) {
		return kinds[i]
	}
	return good
}

// answer answers as the kind in the path says.
func answer(w http.ResponseWriter, r *http.Request) {
	switch state(strings.Split(r.URL.Path, "/")[1]) {
	case dead:
		http.NotFound(w, r)
	case doubtful:
		status := http.StatusForbidden
		if strings.HasSuffix(r.URL.Path, "3") { // half of them
			status = http.StatusServiceUnavailable
		}
		w.WriteHeader(status)
	case moved:
		http.Redirect(w, r, "/ok"+r.URL.Path, http.StatusMovedPermanently)
	case unknown:
		w.Header().Set("Cf-Mitigated", "challenge")
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, htmlPage)
	}
}

// many is a folder with links to sites on many addresses.
func many(t testing.TB, files, links, hosts int) (dir string) {
	var sites []string
	for i := range hosts {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", 1+i))
		switch {
		case err != nil && runtime.GOOS == "linux":
			t.Fatal(err)
		case err != nil:
			t.Skip("this system has one address of loopback: ", err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
		s.Listener.Close()
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		sites = append(sites, s.URL)
	}
	dir = t.TempDir()
	for f := range files {
		var text strings.Builder
		name, form := fmt.Sprintf("%d.md", f), "A [link](%s) in a line.\n"
		if f%4 == 0 {
			name, form = fmt.Sprintf("%d.html", f), "<p>A <a href=\"%s\">link</a> in a line.\n"
		}
		for l := range links {
			i := f*links + l
			url := fmt.Sprintf("%s/%s/%d", sites[i/20%hosts], kind(i), i)
			if kind(i) == misplaced {
				url += "#nowhere"
			}
			fmt.Fprintf(&text, form, url)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A cost is what a run of the program took.
type cost struct {
	user, system time.Duration
	memory       float64 // kB
}

// checked runs the program on a folder, and reports an error unless each link is in the state
// that it was made for.
func checked(ctx context.Context, dir string, links int, flags ...string) (c cost, err error) {
	cmd := exec.CommandContext(ctx, os.Args[0], append(flags, "-format", "jsonl", dir)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var memory bytes.Buffer
	cmd.Stderr = &memory
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 1 { // some are dead
		return c, fmt.Errorf("linkcheck: %v", err)
	}
	n := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); n++ {
		var r record
		if err := d.Decode(&r); err != nil {
			return c, err
		}
		if want := state(strings.Split(r.URL, "/")[3]); r.State != want {
			return c, fmt.Errorf("%s is %s: %s", r.URL, r.State, r.Text)
		}
	}
	if n != links {
		return c, fmt.Errorf("%d links are told of; want %d", n, links)
	}
	c = cost{user: cmd.ProcessState.UserTime(), system: cmd.ProcessState.SystemTime()}
	c.memory, _ = strconv.ParseFloat(memory.String(), 64) // none on other systems
	return c, nil
}

// Each of many links is in the state that it was made for.
func TestFolder(t *testing.T) {
	const files, links = 20, 20
	if _, err := checked(t.Context(), many(t, files, links, 5), files*links); err != nil {
		t.Error(err)
	}
}

// BenchmarkFolder measures what README.md tells of a folder of a thousand files, on so many
// addresses.
func BenchmarkFolder(b *testing.B) {
	for _, hosts := range []int{50, 1} {
		b.Run(strconv.Itoa(hosts), func(b *testing.B) {
			const files, links = 1000, 20
			dir := many(b, files, links, hosts)
			var all cost
			for b.Loop() {
				c, err := checked(b.Context(), dir, files*links)
				if err != nil {
					b.Fatal(err)
				}
				all = cost{all.user + c.user, all.system + c.system, max(all.memory, c.memory)}
			}
			b.ReportMetric(all.user.Seconds()/float64(b.N), "user-s")
			b.ReportMetric(all.system.Seconds()/float64(b.N), "system-s")
			b.ReportMetric(all.memory/1024, "MiB")
		})
	}
}
