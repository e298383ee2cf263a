// Command shard checks one share of a list, for those who have something that
// starts processes and want no queue: Kubernetes (see job.yaml), xargs, systemd.
//
//	shard -shard 3/16 -f sites.txt -o out-3.jsonl -resume
//
// A share has all the lines of a host, so the shares may run at once and no
// host is asked by two. The output has a JSON line for each line of the list
// that belongs to the share, with its index in the list; in any order.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"example.com/checker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, errUsage) {
			fmt.Fprintln(os.Stderr, "Error:", err)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage")

// run is the program.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	var share share
	flags := flag.NewFlagSet("shard", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Var(&share, "shard", "which `share` to check: i/n, from 0/n to n-1/n (default 0/1)")
	list := flags.String("f", "", "the `file` with the list, a target a line")
	out := flags.String("o", "results.jsonl", "the `file` for the results")
	resume := flags.Bool("resume", false, "go on with an output that is there; without it that is an error")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return errUsage // flags has said why
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no flag, and there is nothing else to give; -h explains", flags.Arg(0))
	case *list == "":
		return errors.New("-f FILE is required; -h explains")
	}
	in, err := os.Open(*list)
	if err != nil {
		return err
	}
	defer in.Close()
	f, done, err := openOutput(*out, *resume)
	if err != nil {
		return err
	}
	return errors.Join(check(ctx, in, share, done, f), f.Close())
}

// check checks what belongs to a share and has no result yet.
func check(ctx context.Context, in io.Reader, share share, done *set, out io.Writer) error {
	c, err := checker.New(checker.WithHostConcurrency(2))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var pulled indexes
	enc := json.NewEncoder(out)
	for r := range c.Stream(ctx, todo(in, share, done, &pulled, cancel)) {
		index := pulled.take(r.Index)
		if r.Reason() == checker.ReasonCanceled {
			continue // for the next time
		}
		r.Index = index
		if err := enc.Encode(r); err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

// todo yields the targets to check, and notes the line of each. It cancels if
// the list cannot be read.
func todo(in io.Reader, share share, done *set, pulled *indexes, cancel context.CancelCauseFunc) iter.Seq[string] {
	return func(yield func(string) bool) {
		br := bufio.NewReader(in)
		for i := 0; ; i++ {
			text, err := br.ReadString('\n')
			if err == nil || text != "" {
				text = strings.TrimRight(text, "\r\n")
				if share.has(text) && !done.has(i) {
					pulled.add(i)
					if !yield(text) {
						return
					}
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				cancel(err)
				return
			}
		}
	}
}

// indexes translates positions in what was pulled to lines of the list. It
// holds those that have no result yet.
type indexes struct {
	mu   sync.Mutex
	n    int
	line map[int]int
}

func (x *indexes) add(line int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.line == nil {
		x.line = make(map[int]int)
	}
	x.line[x.n] = line
	x.n++
}

func (x *indexes) take(n int) (line int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	line = x.line[n]
	delete(x.line, n)
	return line
}
