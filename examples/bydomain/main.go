// Command bydomain checks the sites listed on standard input, one a line, as
// a good guest: at most two checks at once and two requests a second on all the
// hosts of one registrable domain together, such as example.co.uk, whose hosts
// often are one machine.
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
	"os/signal"

	"golang.org/x/net/publicsuffix"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: bydomain < FILE\n\nCheck the sites listed in FILE, one a line, gently with each domain.")
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bydomain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	c, err := checker.New(
		checker.WithHostKey(domain),
		checker.WithHostConcurrency(2),
		checker.WithHostRateLimit(2, 2),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // for a Stream that is not read to its end
	list := cli.NewList(in)
	for r := range c.Stream(ctx, list.Targets()) {
		if _, err := fmt.Fprintln(out, r); err != nil {
			return err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return list.Err()
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
