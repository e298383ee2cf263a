package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/checker/examples/cli"
)

// The test binary is the program too: tests start it as processes that they can
// kill. What a child does to itself is in its environment.
const (
	childEnv  = "CHECKER_TEST_CHILD"  // is set
	killEnv   = "CHECKER_TEST_KILL"   // "point n": dies at the n-th time it comes there
	poisonEnv = "CHECKER_TEST_POISON" // dies when it is about to check a chunk with this target
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		flag.Parse()
		flag.Set("test.parallel", "4") // they wait more than they work
		os.Exit(m.Run())
	}
	cli.Main("distributed", func(ctx context.Context, args []string) error {
		return run(ctx, &app{out: os.Stdout, log: os.Stderr, mark: dieAt()}, args)
	})
}

// quiet is an app for what runs inside of a test.
func quiet() *app { return &app{out: io.Discard, log: io.Discard} }

// command runs a subcommand inside of the test and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var b strings.Builder
	err := run(ctx, &app{out: &b, log: io.Discard}, args)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	return b.String(), err
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// inBackground runs a subcommand beside the test, which must wait.
func inBackground(t *testing.T, args ...string) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if out, err := command(t, args...); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}()
	return func() { <-done }
}

// writeList writes a list and returns its path.
func writeList(t *testing.T, lines ...string) string {
	t.Helper()
	path := t.TempDir() + "/list.txt"
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
