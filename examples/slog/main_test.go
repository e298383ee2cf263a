package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/checkertest"
	"example.com/checker/internal/bubble"
)

// asProgram makes the test binary the program.
const asProgram = "SLOG_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// inUTC makes the time of a line independent of where the test runs.
func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

// In a bubble time stands still while the program computes, so that what it
// writes is exact to the nanosecond.
func TestRun(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		network := checkertest.NewNetwork()
		network.Handle("up.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(30 * time.Millisecond)
			w.WriteHeader(http.StatusNoContent)
		}))
		network.Handle("down.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			time.Sleep(5 * time.Millisecond) // twice: GET is tried after HEAD
			panic(http.ErrAbortHandler)
		}))
		c, err := checker.New(network.Option(), checker.WithConcurrency(1), checker.WithRetries(0))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		urls := []string{"http://me:secret@up.example/", "http://down.example/", "ftp://x"}
		if err := run(t.Context(), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: inUTC})), c, urls, false); err != nil {
			t.Fatal(err)
		}
		want := `{"time":"2000-01-01T00:00:00.03Z","level":"INFO","msg":"checked","site":{"target":"http://xxxxx@up.example/","status":"online","url":"http://up.example/","status_code":204,"attempts":1,"total_ms":30}}
{"time":"2000-01-01T00:00:00.04Z","level":"WARN","msg":"checked","site":{"target":"http://down.example/","status":"offline","url":"http://down.example/","reason":"reset","cause":"before_answer","phase":"response","error":"http://down.example/: the connection was closed before a whole answer","attempts":1,"total_ms":10}}
{"time":"2000-01-01T00:00:00.04Z","level":"ERROR","msg":"checked","site":{"target":"ftp://x","status":"unknown","reason":"invalid","phase":"target","error":"not a site to check: the scheme \"ftp\" is neither http nor https","attempts":0,"total_ms":0}}
`
		if got := out.String(); got != want {
			t.Errorf("logged\n%s; want\n%s", got, want)
		}
	})
}

// What had no verdict when the program was interrupted is logged as canceled.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := checker.New()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(ctx, slog.New(slog.NewTextHandler(&out, nil)), c, []string{"http://127.0.0.1:1/"}, true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("run = %v; want %v", err, context.Canceled)
	}
	if got := out.String(); got != "" && !strings.Contains(got, "site.reason=canceled") {
		t.Errorf("logged %q; want nothing or the reason canceled", got)
	}
}

func TestProgram(t *testing.T) {
	for _, test := range []struct {
		args   []string
		want   string
		status int
	}{
		{[]string{"http://127.0.0.1:1/"}, `"reason":"refused"`, 0},
		{[]string{"-h"}, "Check sites and log what was found, to standard output.", 0},
		{[]string{"-fail", "http://127.0.0.1:1/"}, "slog: 1 site is offline\n", 1},
		{[]string{"-fail", "ftp://x"}, "slog: 1 site is unknown: there is no verdict\n", 3},
		{nil, "slog: no URLs to check; slog -h explains\n", 2},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], test.args...)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); !strings.Contains(string(out), test.want) || got != test.status {
			t.Errorf("slog %q printed %q with status %d; want %q with %d", test.args, out, got, test.want, test.status)
		}
	}
}

// What could not be written was not logged.
func TestFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip("needs Linux: ", err)
	}
	defer full.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "http://127.0.0.1:1/")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	cmd.Run()
	if got, want := stderr.String(), "slog: write /dev/stdout: no space left on device\n"; got != want || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("slog on a full disk said %q with status %d; want %q with 2", got, cmd.ProcessState.ExitCode(), want)
	}
}
