// Command soak checks a great many sites that misbehave, and verifies that each
// gets exactly one verdict, the right one and in time, and that nothing is left
// behind.
//
//	go run ./e2e/soak -n 1000000 -seeds 1,2,3
//
// The sites are servers of its own on loopback; how each behaves is a function
// of the seed and of its number, and so is the verdict that it must get. The
// checks run in a child process, so that goroutines, descriptors and memory
// there are the library's alone. The servers keep a ledger of what was asked of
// them, in which a verdict without a question shows, and a question too many.
//
// The exit status is 1 if anything was wrong. Then the first of the offending
// results are printed as JSON, with the command that repeats them.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if os.Getenv(workerEnv) != "" {
		if err := work(ctx, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "soak: worker:", err)
			os.Exit(1)
		}
		return
	}
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	N           int
	Seeds       []uint64
	Concurrency int
	Faults      float64
	Timeout     time.Duration
	Canaries    bool
	jsonFile    string
}

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, err := parse(args, stderr)
	if err != nil {
		return err
	}
	var all []*tally
	for _, seed := range opts.Seeds {
		t, err := soak(ctx, opts, seed, stderr)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		all = append(all, t)
	}
	if err := printTable(stdout, all); err != nil {
		return err
	}
	if err := writeJSON(opts.jsonFile, all); err != nil {
		return err
	}
	return conclude(stdout, opts, all)
}

// parse reads the command line.
func parse(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "Check a great many sites on loopback that misbehave, and verify every verdict.\n\n"+
			"usage: soak [-n CHECKS] [-seed N | -seeds N,N,…] [-c CHECKS] [-faults PART] [-timeout D] [-canaries] [-json FILE]\n\n")
		flags.PrintDefaults()
	}
	flags.IntVar(&opts.N, "n", 1_000_000, "`checks` for each seed")
	seed := flags.String("seed", "", "the `number` that says how each site behaves (default 1)")
	seeds := flags.String("seeds", "", "several `numbers`, separated by commas; each is a run of its own")
	flags.IntVar(&opts.Concurrency, "c", 200, "`checks` at once")
	flags.Float64Var(&opts.Faults, "faults", 0.2, "the `part` of the sites that misbehave, from 0 to 1")
	flags.DurationVar(&opts.Timeout, "timeout", time.Second, "the timeout of a check")
	flags.BoolVar(&opts.Canaries, "canaries", false, "check with a canary, which lives")
	flags.StringVar(&opts.jsonFile, "json", "", "write the table and all that is wrong to `FILE` as well")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	for text := range strings.SplitSeq(cmp.Or(*seeds, *seed, "1"), ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return opts, fmt.Errorf("seed %q is not a number", text)
		}
		opts.Seeds = append(opts.Seeds, n)
	}
	return opts, opts.validate(*seed != "" && *seeds != "", flags.Args())
}

func (o options) validate(bothSeeds bool, rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case bothSeeds:
		return errors.New("-seed and -seeds say the same thing")
	case o.N < 1 || o.N > maxSites:
		return fmt.Errorf("-n %d is not between 1 and %d", o.N, maxSites)
	case o.Concurrency < 1:
		return fmt.Errorf("-c %d is less than 1", o.Concurrency)
	case !(o.Faults >= 0 && o.Faults <= 1):
		return fmt.Errorf("-faults %v is not between 0 and 1", o.Faults)
	case o.Timeout < 100*time.Millisecond:
		return fmt.Errorf("-timeout %v is too short for the sites that are slow", o.Timeout)
	}
	return nil
}

// command returns the command line that repeats the run of one seed.
func (o options) command(seed uint64) string {
	return fmt.Sprintf("go run ./e2e/soak -n %d -seed %d -c %d -faults %v -timeout %v -canaries=%t", o.N, seed, o.Concurrency, o.Faults, o.Timeout, o.Canaries)
}

// bound returns the longest that a check may take: with canaries twice the timeout.
func (o options) bound() time.Duration {
	if o.Canaries {
		return 2 * o.Timeout
	}
	return o.Timeout
}

// mostAttempts returns how many attempts a check may make: two, and with canaries
// three times two more.
func (o options) mostAttempts() int {
	if o.Canaries {
		return 8
	}
	return 2
}

func writeJSON(file string, all []*tally) error {
	if file == "" {
		return nil
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}
