package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
)

// asProgram makes the test binary a program that ends as its argument says.
const asProgram = "CLI_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		Main("prog", prog)
	}
	os.Exit(m.Run())
}

func prog(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("prog", flag.ContinueOnError)
	flags.Int("n", 1, "a `number`")
	args, err := Parse(flags, os.Stdout, "prog [flags] WHAT", args)
	if err != nil {
		return err
	}
	tally := Tally{}
	switch strings.Join(args, " ") {
	case "wait":
		fmt.Println("waiting")
		<-ctx.Done()
		return fmt.Errorf("%w after a while", context.Cause(ctx))
	case "hang":
		fmt.Println("waiting")
		select {}
	case "offline":
		tally.Add(checker.Result{Err: checker.ReasonRefused})
		tally.Add(checker.Result{})
	case "unknown":
		tally.Add(checker.Result{})
	case "broken":
		return errors.New("broken")
	}
	return tally.Err()
}

func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = &errs
	return cmd, &errs
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		args, stdout, stderr string
		status               int
	}{
		{"", "", "", 0},
		{"offline", "", "prog: 1 site is offline\n", 1},
		{"unknown", "", "prog: 1 site is unknown: there is no verdict\n", 3},
		{"broken", "", "prog: broken\n", 2},
		{"-x", "", "prog: flag provided but not defined: -x; prog -h lists the flags\n", 2},
		{"-n x", "", "prog: invalid value \"x\" for flag -n: parse error; prog -h lists the flags\n", 2},
		{"-h", "Usage: prog [flags] WHAT\n\n  -n number\n    \ta number (default 1)\n", "", 0},
		{"broken -h", "Usage: prog [flags] WHAT\n\n  -n number\n    \ta number (default 1)\n", "", 0},
	} {
		cmd, stderr := program(t, strings.Fields(test.args)...)
		out, _ := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); string(out) != test.stdout || stderr.String() != test.stderr || got != test.status {
			t.Errorf("prog %s printed %q and %q, with status %d; want %q, %q, %d", test.args, out, stderr, got, test.stdout, test.stderr, test.status)
		}
	}
}

// started starts the program and returns once it has begun.
func started(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd, stderr := program(t, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr
}

// A program that is told to end says so, with a shell's number for it.
func TestSignals(t *testing.T) {
	for signal, want := range map[os.Signal]string{
		os.Interrupt:    "130 prog: interrupted after a while\n",
		syscall.SIGTERM: "143 prog: terminated after a while\n",
	} {
		cmd, stderr := started(t, "wait")
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if got := fmt.Sprint(cmd.ProcessState.ExitCode(), " ", stderr); got != want {
			t.Errorf("%v: status and standard error %q; want %q", signal, got, want)
		}
	}
}

// One that does not listen is ended by the next.
func TestSecondSignal(t *testing.T) {
	cmd, _ := started(t, "hang")
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	for {
		cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v; want %v", status, syscall.SIGINT)
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// What does not end is not waited for, and why is told; what has ended is asked.
func TestUntil(t *testing.T) {
	why, broken := errors.New("interrupted"), errors.New("broken")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := Until(ctx, func() error { return broken }); err != broken {
		t.Errorf("Until = %v; want %v", err, broken)
	}
	never := make(chan error)
	time.AfterFunc(time.Millisecond, func() { cancel(why) })
	if err := Until(ctx, func() error { return <-never }); err != why {
		t.Errorf("Until = %v; want %v", err, why)
	}
	close(never)
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                "1 []",
		"a b":             "1 [a b]",
		"-n 2 a -n=3 b":   "3 [a b]",
		"a -- -n 2":       "1 [a -n 2]",
		"-n 4 -- a -n 2":  "4 [a -n 2]",
		"-- -- a":         "1 [-- a]",
		"- -n 5":          "5 [-]",
		"a --n=6 b --n 7": "7 [a b]",
	} {
		flags := flag.NewFlagSet("x", flag.ContinueOnError)
		n := flags.Int("n", 1, "")
		others, err := Parse(flags, nil, "", strings.Fields(text))
		if got := fmt.Sprint(*n, " ", others); err != nil || got != want {
			t.Errorf("Parse(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

// Help that nobody can read is no help.
func TestHelpUnwritten(t *testing.T) {
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	full := errors.New("no space left")
	if _, err := Parse(flags, writeFunc(func([]byte) (int, error) { return 0, full }), "", []string{"-h"}); err != full {
		t.Errorf("Parse(-h) = %v; want %v", err, full)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func TestWithStatus(t *testing.T) {
	err := errors.New("x")
	wrapped := fmt.Errorf("y: %w", WithStatus(NotWanted, err))
	if Status(wrapped) != NotWanted || !errors.Is(wrapped, err) || WithStatus(NotWanted, nil) != nil {
		t.Errorf("WithStatus loses the error or its status: %v", wrapped)
	}
	if got := []int{Status(nil), Status(flag.ErrHelp), Status(err)}; !slices.Equal(got, []int{Done, Done, Misused}) {
		t.Errorf("statuses %v; want done, done, misused", got)
	}
}

func TestWriter(t *testing.T) {
	full, other := errors.New("no space left"), errors.New("other")
	errs := []error{nil, full, other}
	w := &Writer{W: writeFunc(func(p []byte) (int, error) {
		err := errs[0]
		errs = errs[1:]
		return len(p), err
	})}
	for _, want := range []error{nil, full, full} {
		w.Write([]byte("x"))
		if w.Err() != want {
			t.Errorf("Err() = %v; want %v", w.Err(), want)
		}
	}
}
