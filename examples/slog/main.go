// Command slog checks sites and logs what it found, as a line of JSON each.
//
//	slog https://example.org/ example.net
//
// A Result is a slog.LogValuer: given to any structured logger it becomes a
// group with the target, the status, the reason and so on, and without the user
// name and password that a target may hold.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"slices"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// levels says how much a verdict matters to whoever reads the log. An Unknown is
// an error because it tells of this machine or of the list, not of the site.
var levels = map[checker.Status]slog.Level{
	checker.Online:  slog.LevelInfo,
	checker.Offline: slog.LevelWarn,
	checker.Unknown: slog.LevelError,
}

const usage = `slog [flags] URL…

Check sites and log what was found, to standard output.`

func main() {
	cli.Main("slog", func(ctx context.Context, args []string) error {
		var checks cli.Checks
		flags := flag.NewFlagSet("slog", flag.ContinueOnError)
		checks.Define(flags)
		fail := flags.Bool("fail", false, "exit with status 1 if any site is offline, or else 3 if any is unknown")
		urls, err := cli.Parse(flags, os.Stdout, usage, args)
		if err != nil {
			return err
		}
		if len(urls) == 0 {
			return errors.New("no URLs to check; slog -h explains")
		}
		c, err := checker.New(checks.Options()...)
		if err != nil {
			return err
		}
		out := &cli.Writer{W: os.Stdout} // a Logger does not tell what it could not write
		err = run(ctx, slog.New(slog.NewJSONHandler(out, nil)), c, urls, *fail)
		return cmp.Or(out.Err(), err)
	})
}

func run(ctx context.Context, log *slog.Logger, c *checker.Checker, urls []string, fail bool) error {
	var tally cli.Tally
	for r := range c.Each(ctx, slices.Values(urls)) {
		tally.Add(r)
		log.LogAttrs(ctx, levels[r.Status()], "checked", slog.Any("site", r))
	}
	if err := context.Cause(ctx); err != nil || !fail {
		return err
	}
	return tally.Err()
}
