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
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"

	"github.com/alexflint/go-arg"

	"example.com/checker"
)

// levels says how much a verdict matters to whoever reads the log. An Unknown is
// an error because it tells of this machine or of the list, not of the site.
var levels = map[checker.Status]slog.Level{
	checker.Online:  slog.LevelInfo,
	checker.Offline: slog.LevelWarn,
	checker.Unknown: slog.LevelError,
}

type options struct {
	URLs []string `arg:"positional,required" placeholder:"URL" help:"the sites to check"`
}

func (options) Description() string { return "Check sites and log what was found." }

func main() {
	var opts options
	arg.MustParse(&opts)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c, err := checker.New()
	if err == nil {
		out := output{Writer: os.Stdout}
		err = errors.Join(run(ctx, slog.New(slog.NewJSONHandler(&out, nil)), c, opts.URLs), out.err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "slog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, c *checker.Checker, urls []string) error {
	for r := range c.Stream(ctx, slices.Values(urls)) {
		log.LogAttrs(ctx, levels[r.Status()], "checked", slog.Any("site", r))
	}
	return context.Cause(ctx)
}

// An output keeps the first error of a Writer, of which a Logger tells nobody.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}
