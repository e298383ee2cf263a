package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/checker"
)

// many writes a list of sites on as many addresses, one in ten of which is up.
func many(t *testing.T, n, port int) string {
	var b strings.Builder
	for i := range n {
		p := 1
		if i%10 == 0 {
			p = port
		}
		fmt.Fprintf(&b, "http://127.%d.%d.%d:%d/\n", 1+i>>16, i>>8&255, i&255, p)
	}
	return file(t, b.String())
}

// A run that is killed half way and resumed has each index once.
func TestKill(t *testing.T) {
	const n = 20_000
	var answers atomic.Int32
	half := make(chan struct{})
	list := many(t, n, serve(t, func(http.ResponseWriter, *http.Request) {
		if answers.Add(1) == n/10/2 {
			close(half)
		}
	}))
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"-retries", "0", "-o", out, "-resume", list}

	cmd, _, _ := command(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	killed := strings.Count(read(t, out), "\n")
	if killed == 0 || killed == n {
		t.Fatalf("killed after %d results; want some", killed)
	}

	stdout, stderr, status := sweeps(t, "", args...)
	if stderr != "" || status != 0 {
		t.Errorf("resumed: %q on standard error, status %d; want nothing and 0", stderr, status)
	}
	all := results(t, "jsonl", read(t, out))
	for i := range n {
		if r := all[i]; r.Online() != (i%10 == 0) || r.Reason() != checker.ReasonRefused != (i%10 == 0) {
			t.Fatalf("line %d of %d = %v; want every tenth online", i, len(all), r)
		}
	}
	want := fmt.Sprintf("%s sites in ", group(n-killed))
	from := fmt.Sprintf(", and %s from before\n\nonline          2 000   10.0 %%\n", group(killed))
	if !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, from) {
		t.Errorf("the summary is\n%s; want %q… and %q", stdout, want, from)
	}
}

// Wherever an output is cut, -resume makes it whole.
func TestTorn(t *testing.T) {
	in := fmt.Sprintf("http://127.0.0.1:%d\nhttp://127.0.0.1:1\n\nftp://x\n", serve(t, answer))
	for name := range formats {
		t.Run(name, func(t *testing.T) {
			whole, _, _ := sweeps(t, in, "-retries", "0", "-format", name)
			o := options{format: formats[name]}
			for cut := range len(whole) + 1 {
				f, err := os.OpenFile(file(t, whole[:cut]), os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				var have set
				n := 0
				err = o.recall(t.Context(), f, &have, func(checker.Result) { n++ })
				left := read(t, f.Name())
				f.Close()
				want := whole[:strings.LastIndexByte(whole[:cut], '\n')+1]
				if lines := max(0, strings.Count(want, "\n")-strings.Count(o.format.header, "\n")); err != nil || left != want || n != lines {
					t.Fatalf("cut after %d: %v, %d results, %q left; want %d, %q", cut, err, n, left, lines, want)
				}
			}
			for _, cut := range []int{0, 5, len(whole) / 2, len(whole) - 1, len(whole)} {
				out := file(t, whole[:cut])
				_, stderr, status := sweeps(t, in, "-retries", "0", "-format", name, "-resume", "-o", out)
				got := results(t, name, read(t, out))
				if len(got) != 3 || !got[0].Online() || unwarned(stderr) != "" || status != 0 {
					t.Errorf("cut after %d: %d results, %q, status %d; want 3, nothing, 0", cut, len(got), stderr, status)
				}
			}
		})
	}
}

// A file that is not such an output stays as it is.
func TestForeign(t *testing.T) {
	whole, _, _ := sweeps(t, "://\n", "-format", "csv")
	text, _, _ := sweeps(t, "://\n", "-format", "text")
	for _, test := range []struct{ format, text string }{
		{"jsonl", "http://a.example\nhttp://b.example"},
		{"jsonl", "one line without an end"},
		{"jsonl", whole},
		{"jsonl", `{"index":0,"status":"online","timing":{}}` + "\n" + `{"index":0,"status":"online","timing":{}}` + "\n"},
		{"jsonl", `{"index":-1,"status":"online","timing":{}}` + "\n"},
		{"jsonl", "\n"},
		{"csv", "name,email\n"},
		{"csv", "name"},
		{"csv", whole + "0,x\n"},
		{"csv", csvHeader + "\n" + strings.Replace(whole[len(csvHeader)+1:], "unknown", "online", 1)},
		{"csv", csvHeader + "\n" + strings.Replace(whole[len(csvHeader)+1:], "0,", "zero,", 1)},
		{"text", "a list of things\n"},
		{"text", text + text},
	} {
		name := file(t, test.text)
		_, stderr, status := sweeps(t, "://\n", "-resume", "-o", name, "-format", test.format)
		if !strings.Contains(stderr, "sweep: "+name+":") || status != 2 || read(t, name) != test.text {
			t.Errorf("-resume -format %s on %q: %q, status %d, and it is %q; want it untouched", test.format, test.text, stderr, status, read(t, name))
		}
	}
}

// With -only, -resume adds what is not there yet, and nothing twice.
func TestResumeOnly(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	in := "http://127.0.0.1:1\n://\nhttp://127.0.0.2:1\n"
	for _, only := range []string{"offline", "offline", "unknown", "unknown"} {
		if _, stderr, status := sweeps(t, in, "-retries", "0", "-resume", "-only", only, "-o", out); unwarned(stderr) != "" || status != 0 {
			t.Fatalf("-only %s: %q, status %d", only, stderr, status)
		}
	}
	if got := results(t, "jsonl", read(t, out)); len(got) != 3 {
		t.Errorf("%d results; want 3", len(got))
	}
}

// After ^C the output holds what was done and nothing else.
func TestInterrupt(t *testing.T) {
	var once sync.Once
	asked, release := make(chan struct{}), make(chan struct{})
	port := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-release
	})
	defer close(release)
	out, page := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "page.html")
	cmd, stdout, stderr := command(t, "-retries", "0", "-c", "1", "-o", out, "-report", page,
		file(t, fmt.Sprintf("http://127.0.0.1:1\nhttp://127.0.0.1:%d\nhttp://127.0.0.3:1\n", port)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("the status is %d; want 130", got)
	}
	if got, want := stderr.String(), "sweep: interrupted after 1 site; -resume goes on from there\n"; got != want {
		t.Errorf("standard error has %q; want %q", got, want)
	}
	if got := stdout.String(); !strings.HasPrefix(got, "1 site in ") {
		t.Errorf("the summary is %q; want that of 1 site", got)
	}
	if got := results(t, "jsonl", read(t, out)); len(got) != 1 || got[0].Reason() != checker.ReasonRefused {
		t.Errorf("the output has %v; want the first line only", got)
	}
	if got := read(t, page); !strings.Contains(got, "Interrupted") {
		t.Error("the report does not say that it is of a part")
	}
}
