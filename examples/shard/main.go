// Command shard checks one share of a list, for those who have something that
// starts processes and want no queue: Kubernetes (see job.yaml), xargs, systemd.
//
//	shard -shard 3/16 -f sites.txt -o out-3.jsonl -resume
//
// A share has all the lines of a host, so the shares may run at once and no
// host is asked by two. The output has a JSON line for each target of the list
// that belongs to the share, in any order. Its index is the number of the line in
// the list, from 0.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"example.com/checker"
	"example.com/checker/examples/cli"
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
	list, enc := cli.NewList(in), json.NewEncoder(out)
	var numbers cli.Numbers
	todo := func(line int, target string) bool { return share.has(target) && !done.has(line-1) }
	for r := range c.Stream(ctx, numbers.Targets(list.Lines(), todo)) {
		r.Index = numbers.Line(r.Index) - 1
		if r.Reason() == checker.ReasonCanceled {
			continue // for the next time
		}
		if err := enc.Encode(r); err != nil {
			cancel(err)
		}
	}
	return cmp.Or(context.Cause(ctx), list.Err())
}
