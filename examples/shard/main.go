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
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `shard -f FILE [flags]

Check one share of the list in FILE, which has a URL a line.`

func main() {
	cli.Main("shard", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
}

type options struct {
	checks cli.Checks
	share  share
	list   string
	out    string
	resume bool
	fail   bool
}

func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("shard", flag.ContinueOnError)
	o.checks.Define(flags)
	flags.Var(&o.share, "shard", "which `share` to check: i/n, from 0/n to n-1/n (default 0/1)")
	flags.StringVar(&o.list, "f", "", "the `FILE` with the list")
	flags.StringVar(&o.out, "o", "results.jsonl", "the `FILE` for the results")
	flags.BoolVar(&o.resume, "resume", false, "go on with an output that is there; without it that is an error")
	flags.BoolVar(&o.fail, "fail", false, "exit with status 1 if any site that was checked is offline, or else 3 if any is unknown")
	others, err := cli.Parse(flags, stdout, usage, args)
	switch {
	case err != nil:
		return o, err
	case len(others) > 0:
		return o, fmt.Errorf("%q is no flag, and there is nothing else to give; shard -h explains", others[0])
	case o.list == "":
		return o, errors.New("-f FILE is required; shard -h explains")
	}
	return o, nil
}

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	in, err := cli.Open(o.list)
	if err != nil {
		return err
	}
	defer in.Close()
	list := cli.NewList(in)
	if err := cli.Until(ctx, list.Begin); err != nil {
		return fmt.Errorf("%s: %w", o.list, err)
	}
	f, done, err := openOutput(o.out, o.resume)
	if err != nil {
		return err
	}
	var tally cli.Tally
	err = errors.Join(o.check(ctx, list, done, f, &tally), f.Close())
	if err != nil || !o.fail {
		return err
	}
	return tally.Err()
}

// check checks what belongs to the share and has no result yet.
func (o *options) check(ctx context.Context, list *cli.List, done *set, out io.Writer, tally *cli.Tally) error {
	c, err := checker.New(append(o.checks.Options(), checker.WithHostConcurrency(2))...)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	var numbers cli.Numbers
	todo := func(s cli.Site) bool { return o.share.has(s.Target) && !done.has(s.Line-1) }
	for r := range c.Each(ctx, numbers.Targets(list.Sites(), todo)) {
		r.Index = numbers.Line(r.Index) - 1
		if r.Reason() == checker.ReasonCanceled {
			continue // for the next time
		}
		tally.Add(r)
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if err := list.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", o.list, err)
	}
	return context.Cause(ctx)
}
