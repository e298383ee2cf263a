package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// maxFailures is how many workers may give up, one right after the other.
// Workers that are killed do not count.
const maxFailures = 5

// supervise keeps one worker process running until ctx ends.
func (c *runCmd) supervise(ctx context.Context, a *app, n int, l link) error {
	for failures := 0; ; {
		began := time.Now()
		err := c.worker(ctx, a, n, l)
		if ctx.Err() != nil {
			return nil
		}
		failures++
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() < 0 || time.Since(began) > 10*time.Second {
			failures = 0
		}
		if failures == maxFailures {
			return fmt.Errorf("worker %d: %w", n, err)
		}
		a.logf("worker %d has ended (%v); starting another", n, err)
		pause(ctx, 250*time.Millisecond)
	}
}

// worker runs a worker process. It is told to end by the end of its standard
// input, which comes also if this process is killed.
func (c *runCmd) worker(ctx context.Context, a *app, n int, l link) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, slices.Concat([]string{"work", "-tied", "-nats", l.NATS}, l.args(), c.manners.flags())...)
	cmd.Env = append(os.Environ(), "NATS_TOKEN="+token(l.Token))
	cmd.Stdout, cmd.Stderr = a.log, a.log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close
	cmd.WaitDelay = c.manners.endLimit() + 5*time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	a.logf("worker %d has pid %d", n, cmd.Process.Pid)
	return cmd.Wait()
}

// flags returns the flags that give a worker the same manners.
func (m manners) flags() []string {
	f := append(m.Args(),
		"-host-rate", strconv.FormatFloat(m.HostRate, 'g', -1, 64),
		"-hands", strconv.Itoa(m.Hands),
		"-log="+strconv.FormatBool(m.Log))
	if m.Public {
		f = append(f, "-public")
	}
	return f
}
