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
	"os/signal"
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
	var opts options
	parser, err := arg.NewParser(arg.Config{Out: os.Stderr}, &opts)
	if err == nil {
		err = parser.Parse(os.Args[1:])
	}
	if errors.Is(err, arg.ErrHelp) {
		out := &cli.Writer{W: os.Stdout}
		parser.WriteHelp(out)
		fail(out.Err())
		return
	}
	if err != nil {
		parser.Fail(err.Error())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err = run(ctx, opts)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "Error: interrupted")
		os.Exit(130) // as a shell reports a program that ^C ended
	}
	fail(err)
}

// fail ends the program if err is not nil.
func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// run prints a verdict on each URL, as it falls.
func run(ctx context.Context, opts options) error {
	urls := append(opts.URLs, read(opts.InputFile)...)
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

// read returns the URLs that a file lists.
func read(name string) (urls []string) {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		list := cli.NewList(f)
		urls, err = slices.Collect(list.Targets()), list.Err() // a name after a URL is left out
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "Error: input file not found")
	case err != nil:
		fmt.Fprintln(os.Stderr, "Error:", err)
	case len(urls) == 0:
		fmt.Fprintln(os.Stderr, "Error: empty input file,", name)
	}
	return urls
}
