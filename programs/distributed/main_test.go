package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// The test binary is the program too: tests start it as processes that they can
// kill. What a child does to itself is in its environment.
const (
	childEnv  = "CHECKER_TEST_CHILD"  // is set
	killEnv   = "CHECKER_TEST_KILL"   // "point n": dies at the n-th time it comes there
	plainEnv  = "CHECKER_TEST_PLAIN"  // checks this list by the library alone, and writes the results beside it
	poisonEnv = "CHECKER_TEST_POISON" // dies when it is about to check a chunk with this target
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		flag.Parse()
		flag.Set("test.parallel", "4") // they wait more than they work
		os.Exit(m.Run())
	}
	cli.Main("distributed", func(ctx context.Context, args []string) error {
		if path := os.Getenv(plainEnv); path != "" {
			return plain(ctx, path)
		}
		return run(ctx, &app{out: os.Stdout, log: os.Stderr, mark: dieAt()}, args)
	})
}

// patience is how long a test waits before it gives up: on a machine that is busy with
// others and under the race detector, some take a minute.
const patience = 3 * time.Minute

// quiet is an app for what runs inside of a test.
func quiet() *app { return &app{out: io.Discard, log: io.Discard} }

// command runs a subcommand inside of the test and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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

// plain checks a list by the library alone.
func plain(ctx context.Context, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(path + ".jsonl")
	if err != nil {
		return err
	}
	defer out.Close()
	c, err := checker.New(checker.WithConcurrency(64), checker.WithTimeout(30*time.Second))
	if err != nil {
		return err
	}
	buf := bufio.NewWriter(out)
	enc := json.NewEncoder(buf)
	for r := range c.Each(ctx, cli.NewList(in).Targets()) {
		if !r.Online() {
			return fmt.Errorf("%s: %w", r.Target, r.Err)
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return buf.Flush()
}
