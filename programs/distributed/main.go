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
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alexflint/go-arg"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &app{out: os.Stdout, log: os.Stderr}, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// An app is the program's surroundings.
type app struct {
	out, log io.Writer

	// mark is called at the points between which a process may die; tests die
	// there. Nil is a mark that does nothing.
	mark func(point string, c chunk)
}

func (a *app) at(point string, c chunk) {
	if a.mark != nil {
		a.mark(point, c)
	}
}

func (a *app) logf(format string, args ...any) { fmt.Fprintf(a.log, format+"\n", args...) }

// run is the program.
func run(ctx context.Context, a *app, args []string) error {
	var o options
	parser, err := arg.NewParser(arg.Config{Program: "distributed"}, &o)
	if err != nil {
		return err
	}
	switch err := parser.Parse(args); {
	case errors.Is(err, arg.ErrHelp):
		return help(a, parser)
	case err != nil:
		return fmt.Errorf("%w; -h explains", err)
	}
	switch {
	case o.Run != nil:
		return o.Run.do(ctx, a)
	case o.Server != nil:
		return o.Server.do(ctx, a)
	case o.Publish != nil:
		return o.Publish.do(ctx, a)
	case o.Work != nil:
		return o.Work.do(ctx, a)
	case o.Collect != nil:
		return o.Collect.do(ctx, a)
	case o.Audit != nil:
		return o.Audit.do(ctx, a)
	case o.Repair != nil:
		return o.Repair.do(ctx, a)
	}
	return help(a, parser)
}

func help(a *app, parser *arg.Parser) error {
	err := parser.WriteHelpForSubcommand(a.out, parser.SubcommandNames()...)
	if c, ok := parser.Subcommand().(explained); ok {
		fmt.Fprintln(a.out, c.explain())
	}
	return err
}
