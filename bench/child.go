//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childEnv makes this binary one of the processes below rather than the command.
const childEnv = "CHECKER_BENCH_CHILD"

// patience is how long a run may take before it is given up.
const patience = 3 * time.Minute

func isChild() bool { return os.Getenv(childEnv) != "" }

// child runs a process of its own: a server, or a contestant. Both read one line
// of JSON from standard input, if they want to know something, and write one to
// standard output.
func child() int {
	roles := map[string]func(io.Reader, func(any) error) error{
		"http": serveDelays, "https": serveTLS, "dns": serveDNS, "etc": tryEtc, "contestant": contend,
	}
	in := bufio.NewReader(os.Stdin)
	err := roles[os.Getenv(childEnv)](in, json.NewEncoder(os.Stdout).Encode)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// readLine reads one line of JSON. in must be buffered: what comes after the
// line stays there.
func readLine(in io.Reader, v any) error {
	line, err := in.(*bufio.Reader).ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// untilEnd waits until in ends, which it does when the process that started this
// one is gone, whatever the reason.
func untilEnd(in io.Reader, failed <-chan error) error {
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, in)
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case err := <-failed:
		return err
	}
}

// command returns a process of this binary in the given role.
func command(ctx context.Context, role string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childEnv+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// start starts a server and decodes into hello what it tells. The caller must
// call stop, which waits for its end.
func start(ctx context.Context, role string, args, hello any) (stop func(), err error) {
	cmd, err := command(ctx, role)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint strings.Builder
	cmd.Stderr = io.MultiWriter(os.Stderr, &complaint)
	if role == "etc" {
		cmd.SysProcAttr = ownMounts()
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	if err := errors.Join(json.NewEncoder(in).Encode(args), readLine(bufio.NewReader(out), hello)); err != nil {
		stop()
		return nil, fmt.Errorf("start the process %q: %w: %s", role, err, strings.TrimSpace(complaint.String()))
	}
	return stop, nil
}

// compete runs j in a process of its own.
func compete(ctx context.Context, j job) (measure, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd, err := command(ctx, "contestant")
	if err != nil {
		return measure{}, err
	}
	if j.DNS.IsValid() {
		cmd.SysProcAttr = ownMounts()
	}
	text, err := json.Marshal(j)
	if err != nil {
		return measure{}, err
	}
	var complaint strings.Builder
	cmd.Stdin = bytes.NewReader(append(text, '\n'))
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return measure{}, fmt.Errorf("%s: %w %s", j.Contestant, err, complaint.String())
	}
	var m measure
	return m, json.Unmarshal(out, &m)
}
