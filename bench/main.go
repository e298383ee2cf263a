//go:build linux

// Command bench measures what a check costs, beside other ways to ask the same
// of the same server: a client of net/http, one of fasthttp, and the floor, a
// loop of raw sockets that does nothing but what the kernel must do.
//
//	go run ./bench
//	go run ./bench -run 'plain|https' -rounds 9
//	go run ./bench -json bench.json -md bench.md -svg bench.svg
//
// Everything happens on loopback. The servers run in processes of their own, and
// so does every contestant in every round, so that CPU time and memory are its
// own. Contestants take turns, in another order in each round, and a ratio is the
// median of the ratios within the rounds, so that a machine that is busy with
// something else weighs on both sides of it. Of a peak of memory the least of the
// rounds counts. No limit of the machine is raised.
//
// Where names are looked up, contestants have an /etc of their own that names a
// nameserver on port 53 of loopback, so that each resolver reads it as it would
// read the system's. That takes root, or a user who may bind that port and have
// namespaces; elsewhere those scenarios are left out, and the table says so.
//
// All contestants send HEAD on a connection of its own per check, with the same
// timeout. Package checker runs with its defaults but for the number of checks
// at once and the timeout.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

func main() {
	if isChild() {
		os.Exit(child())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program. Bars that are missed are no error: the table shows them.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		only    = flags.String("run", "", "run only the scenarios that match this `regexp`")
		rounds  = flags.Int("rounds", 5, "turns of each contestant; scenarios that mostly wait have at most 3")
		short   = flags.Bool("short", false, "make it small and quick; the figures mean little then")
		profile = flags.String("profile", "", "write profiles of the checker's runs to this `directory`")
		files   = outputs{
			json: flags.String("json", "", "write all figures to this `file`"),
			md:   flags.String("md", "", "write the table to this `file`, as Markdown"),
			svg:  flags.String("svg", "", "write a plot of the cost over the checks at once to this `file`"),
		}
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 {
		flags.Usage()
		return errors.New("there is something wrong with the arguments")
	}
	b := &bench{rounds: *rounds, profile: *profile, log: stderr}
	rep, err := b.run(ctx, *short, match)
	if err != nil {
		return err
	}
	if err := rep.text(stdout); err != nil {
		return err
	}
	return files.write(rep)
}
