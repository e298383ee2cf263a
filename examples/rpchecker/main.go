// Command rpchecker checks whether websites are online. It keeps flags, lines,
// order, streams and exit statuses of the program that package checker grew out
// of, and judges with the package, so in four ways better: ports, paths and
// certificates count, blank lines and comments are skipped, and -a checks 100
// sites at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/alexflint/go-arg"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

type options struct {
	URLs         []string `arg:"-u,--urls" placeholder:"URL" help:"the URLs to check"`
	InputFile    string   `arg:"-f,--input-file" placeholder:"FILE" help:"a file with one URL a line"`
	Asynchronous bool     `arg:"-a,--asynchronous" help:"check all at once; print in the order of the answers"`
}

func (options) Description() string { return "Check whether websites are online." }

func main() {
	cli.Main("Error", func(ctx context.Context, args []string) error {
		return cli.WithStatus(1, start(ctx, args)) // unless a signal ended it
	})
}

func start(ctx context.Context, args []string) error {
	var opts options
	parser, err := arg.NewParser(arg.Config{Out: os.Stderr}, &opts)
	if err == nil {
		err = parser.Parse(args)
	}
	if errors.Is(err, arg.ErrHelp) {
		out := &cli.Writer{W: os.Stdout}
		parser.WriteHelp(out)
		return out.Err()
	}
	if err != nil {
		parser.Fail(err.Error())
	}
	return run(ctx, opts)
}

// run prints a verdict on each URL, as it falls.
func run(ctx context.Context, opts options) error {
	urls := append(opts.URLs, read(ctx, opts.InputFile)...)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(urls) == 0 {
		return errors.New("no URLs to check")
	}
	c, err := checker.New(checker.WithTimeout(2 * time.Second))
	if err != nil {
		return err
	}
	n := 1 // one after another
	if opts.Asynchronous {
		n = len(urls)
	}
	for some := range slices.Chunk(urls, n) {
		for r := range c.Each(ctx, slices.Values(some)) {
			if err := show(r); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

func show(r checker.Result) (err error) {
	switch target := checker.Redact(r.Target); {
	case r.Online():
		_, err = fmt.Printf("The status of \"%s\" is: \"Online!\" 👍\n", target)
	case r.Reason() != checker.ReasonCanceled:
		_, err = fmt.Printf("The status of \"%s\" is: \"Offline?\" 👎 \n  Error: \"%v\"\n", target, r.Err)
	}
	return err
}

// read returns the URLs that a file lists, up to what is wrong with it, if anything.
func read(ctx context.Context, name string) []string {
	if name == "" {
		return nil
	}
	var listed []string
	err := cli.Until(ctx, func() error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		list := cli.NewList(f)
		listed = slices.Collect(list.Targets()) // a name after a URL is left out
		return list.Err()
	})
	if ctx.Err() != nil {
		return nil // listed may still be written to
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "Error: input file not found")
	case err != nil:
		fmt.Fprintln(os.Stderr, "Error:", err)
	case len(listed) == 0:
		fmt.Fprintln(os.Stderr, "Error: empty input file,", name)
	}
	return listed
}
