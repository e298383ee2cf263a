// Command quickstart checks the sites named as its arguments.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

func main() { cli.Main("quickstart", run) }

func run(ctx context.Context, args []string) error {
	urls, err := cli.Parse(flag.NewFlagSet("quickstart", flag.ContinueOnError), os.Stdout, "quickstart URL…", args)
	if err != nil {
		return err
	}
	if len(urls) == 0 {
		return errors.New("no URLs to check; quickstart -h explains")
	}
	c, err := checker.New(checker.WithConcurrency(10))
	if err != nil {
		return err // an option was wrong, and the text says which
	}
	for _, r := range c.CheckAll(ctx, urls) {
		if _, err := fmt.Println(r); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}
