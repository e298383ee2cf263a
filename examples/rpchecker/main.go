// Command rpchecker checks whether websites are online.
//
//	rpchecker -u python.org pypi.org
//	rpchecker -a -f sites.txt
//
// It keeps the flags, lines, order, streams and exit statuses of the program
// that package checker grew out of. It judges with the package, and so in four
// ways better: a URL's port and path count, an https site's certificate counts,
// blank lines are skipped, and -a checks 100 sites at once rather than all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/alexflint/go-arg"

	"example.com/checker"
)

type options struct {
	URLs         []string `arg:"-u,--urls" placeholder:"URL" help:"the URLs to check"`
	InputFile    string   `arg:"-f,--input-file" placeholder:"FILE" help:"a file with one URL a line"`
	Asynchronous bool     `arg:"-a,--asynchronous" help:"check all at once; print in the order of the answers"`
}

func (options) Description() string { return "Check whether websites are online." }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var opts options
	parser, err := arg.NewParser(arg.Config{Program: "rpchecker"}, &opts)
	if err == nil {
		err = parser.Parse(args)
	}
	switch {
	case errors.Is(err, arg.ErrHelp):
		parser.WriteHelp(stdout)
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "Error:", err)
		return 2
	}
	urls := append(opts.URLs, read(opts.InputFile, stderr)...)
	if len(urls) == 0 {
		fmt.Fprintln(stderr, "Error: no URLs to check")
		return 1
	}
	if err := check(ctx, urls, opts.Asynchronous, stdout); err != nil {
		fmt.Fprintln(stderr, "Error:", err)
		return 1
	}
	return 0
}

// read returns the lines of a file that are not blank.
func read(name string, stderr io.Writer) (urls []string) {
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" {
			urls = append(urls, line)
		}
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "Error: input file not found")
	case len(urls) == 0:
		fmt.Fprintf(stderr, "Error: empty input file, %s\n", name)
	}
	return urls
}

// check prints a verdict on each URL, as it falls.
func check(ctx context.Context, urls []string, asynchronous bool, w io.Writer) error {
	n := 1 // one after another
	if asynchronous {
		n = 100
	}
	c, err := checker.New(checker.WithTimeout(2*time.Second), checker.WithConcurrency(n))
	if err != nil {
		return err
	}
	for r := range c.Stream(ctx, slices.Values(urls)) {
		if r.Online() {
			fmt.Fprintf(w, "The status of %q is: \"Online!\" 👍\n", r.Target)
		} else if r.Reason() != checker.ReasonCanceled {
			fmt.Fprintf(w, "The status of %q is: \"Offline?\" 👎 \n  Error: \"%v\"\n", r.Target, r.Err)
		}
	}
	return context.Cause(ctx)
}
