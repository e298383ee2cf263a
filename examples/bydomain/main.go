// Command bydomain checks the sites of a list as a good guest: at most two checks at
// once and two requests a second on all the hosts of one registrable domain together,
// such as example.co.uk, whose hosts often are one machine.
//
//	bydomain < sites.txt
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/publicsuffix"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `bydomain [flags] [FILE]

Check the sites listed in FILE, or on standard input, gently with each domain.
The list has a URL a line, and if you like a name after it.`

type options struct {
	checks cli.Checks
	fail   bool
	list   string // its name
}

func main() {
	cli.Main("bydomain", func(ctx context.Context, args []string) error {
		var o options
		flags := flag.NewFlagSet("bydomain", flag.ContinueOnError)
		o.checks.Define(flags)
		flags.BoolVar(&o.fail, "fail", false, "exit with status 1 if any site is offline, or else 3 if any is unknown")
		lists, err := cli.Parse(flags, os.Stdout, usage, args)
		if err != nil {
			return err
		}
		if len(lists) > 1 {
			return fmt.Errorf("one FILE at a time, not %q", lists)
		}
		f, err := cli.Open(strings.Join(lists, ""))
		if err != nil {
			return err
		}
		defer f.Close()
		o.list = f.Name()
		return run(ctx, f, os.Stdout, o)
	})
}

func run(ctx context.Context, in io.Reader, out io.Writer, o options) error {
	list := cli.NewList(in)
	if err := cli.Until(ctx, list.Begin); err != nil {
		return fmt.Errorf("%s: %w", o.list, err)
	}
	c, err := checker.New(append(o.checks.Options(),
		checker.WithHostKey(domain),
		checker.WithHostConcurrency(2),
		checker.WithHostRateLimit(2, 2),
	)...)
	if err != nil {
		return err
	}
	var tally cli.Tally
	for r := range c.Each(ctx, list.Targets()) {
		tally.Add(r)
		if _, err := fmt.Fprintln(out, r); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case list.Err() != nil:
		return fmt.Errorf("%s: %w", o.list, list.Err())
	case o.fail:
		return tally.Err()
	}
	return nil
}

// domain returns the registrable domain of a host, or "", which stands for the
// host itself, where there is none: of an address, say.
func domain(u *url.URL) string {
	name, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	if err != nil {
		return ""
	}
	return name
}
