//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// runCurl has curl check the list, as a process of its own with all transfers in it. What
// that process costs is its own figure, so that the one that waits for it does not count.
func runCurl(ctx context.Context, j *job) (t tally, err error) {
	cmd := exec.CommandContext(ctx, "curl", "--disable", "--silent", "--head", "--parallel", "--parallel-immediate",
		"--parallel-max", strconv.Itoa(j.width()), "--max-time", strconv.FormatFloat(j.Timeout.Seconds(), 'f', -1, 64),
		"--noproxy", "*", "--write-out", "%{http_code}\n", "--config", "-")
	var list bytes.Buffer
	for target := range j.targets() {
		fmt.Fprintf(&list, "url = %q\noutput = /dev/null\n", target)
	}
	cmd.Stdin = &list
	out, err := cmd.StdoutPipe()
	if err != nil {
		return t, err
	}
	if err := cmd.Start(); err != nil {
		return t, err
	}
	t.own = &measure{RSS: status(strconv.Itoa(cmd.Process.Pid), "VmRSS")}
	stop := every(10*time.Millisecond, func() { // the kernel forgets with the process what memory it had
		t.own.Peak = max(t.own.Peak, status(strconv.Itoa(cmd.Process.Pid), "VmHWM"))
	})
	t.online, err = countAnswers(out)
	stop()
	failed := cmd.Wait()
	if _, ok := failed.(*exec.ExitError); ok {
		t.failed, failed = failed, nil // a transfer has failed, and not curl
	}
	t.own.User, t.own.System = cmd.ProcessState.UserTime().Seconds(), cmd.ProcessState.SystemTime().Seconds()
	return t, cmp.Or(err, failed)
}

// countAnswers counts the lines that tell of a status.
func countAnswers(r io.Reader) (n int, err error) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if !strings.HasPrefix(s.Text(), "000") {
			n++
		}
	}
	return n, s.Err()
}
