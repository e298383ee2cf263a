package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("QUICKSTART_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestProgram(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], s.URL, "http://:80/")
	cmd.Env = append(os.Environ(), "QUICKSTART_TEST_MAIN=1")
	out, err := cmd.Output()
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) != 3 || !strings.HasPrefix(lines[0], s.URL+": online (404, ") ||
		lines[1] != "http://:80/: unknown: not a site to check: it has no host" {
		t.Errorf("quickstart printed %q, %v", out, err)
	}
}

func TestNoURLs(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "QUICKSTART_TEST_MAIN=1")
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); string(out) != "quickstart: no URLs to check; quickstart -h explains\n" || got != 2 {
		t.Errorf("quickstart without URLs printed %q, with status %d; want a sentence and 2", out, got)
	}
}
