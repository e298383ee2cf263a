// Command distributed checks lists of sites that are too long for one machine,
// on NATS JetStream.
//
//	distributed run -f sites.txt -o out -workers 4
//
// That starts a JetStream server inside of the process, puts the list into it
// in chunks, starts worker processes that check them, and collects and audits
// the results. README.md says what is guaranteed and how; the other subcommands
// are the parts of run, for several machines.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"example.com/checker/examples/cli"
)

func main() {
	cli.Main("distributed", func(ctx context.Context, args []string) error {
		return run(ctx, &app{out: os.Stdout, log: os.Stderr}, args)
	})
}

// An app is the program's surroundings.
type app struct {
	out, log io.Writer
	vitals
	failures chan error // has the first that is not a subcommand's own

	// mark is called at the points between which a process may die; tests die
	// there. Nil is a mark that does nothing.
	mark func(point string, c chunk)
}

func (a *app) at(point string, c chunk) {
	if a.mark != nil {
		a.mark(point, c)
	}
}

// fail has the program end with err, whatever its subcommand says.
func (a *app) fail(err error) {
	select {
	case a.failures <- err:
	default:
	}
}

func (a *app) logf(format string, args ...any) { fmt.Fprintf(a.log, format+"\n", args...) }

// run is the program.
func run(ctx context.Context, a *app, args []string) error {
	out := &cli.Writer{W: a.out}
	a.out, a.failures = out, make(chan error, 1)
	err := a.run(ctx, args)
	select {
	case err = <-a.failures:
	default:
	}
	return cmp.Or(err, out.Err())
}

func (a *app) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("want one of %s; distributed -h explains", names())
	}
	name, args := args[0], args[1:]
	for _, c := range commands {
		if c.name != name {
			continue
		}
		cmd, flags := c.new(), flag.NewFlagSet("distributed "+name, flag.ContinueOnError)
		cmd.define(flags)
		usage := flags.Name() + " [flags]\n\n" + strings.ToUpper(c.help[:1]) + c.help[1:] + "."
		if c.explain != "" {
			usage += "\n" + c.explain
		}
		others, err := cli.Parse(flags, a.out, usage, args)
		switch {
		case err != nil:
			return err
		case len(others) > 0:
			return fmt.Errorf("%q is no flag, and there is nothing else to give; %s -h explains", others[0], flags.Name())
		}
		return cmd.do(ctx, a)
	}
	if strings.TrimLeft(name, "-") == "h" || strings.TrimLeft(name, "-") == "help" {
		return a.help()
	}
	return fmt.Errorf("%q is none of %s; distributed -h explains", name, names())
}

func (a *app) help() error {
	text := "Usage: distributed COMMAND [flags]\n\nCheck a list of sites with many processes or machines, on NATS JetStream.\n\n"
	for _, c := range commands {
		text += fmt.Sprintf("  %-8s %s\n", c.name, c.help)
	}
	_, err := io.WriteString(a.out, text+"\n-h after a command explains it.\n")
	return err
}

func names() string {
	var all []string
	for _, c := range commands {
		all = append(all, c.name)
	}
	return strings.Join(all, ", ")
}
