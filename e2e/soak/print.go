package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// errFaults is returned by a run that found something wrong.
var errFaults = errors.New("not all is as it should be")

// busy is a lag that tells of a machine that does not keep up.
const busy = 100 * time.Millisecond

// printTable prints a line for each seed.
func printTable(w io.Writer, all []*tally) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "seed\tchecks\tlost\ttwice\tverdict\treason\tlate\tledger\tgoroutines\tdescriptors\tpeak RSS\tRSS slope\tlag\tchecks/s\t")
	for _, t := range all {
		fmt.Fprintf(tw, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d KiB\t%+.0f KiB\t%d ms\t%.0f\t\n",
			t.Seed, t.Checks, t.Lost, t.Twice, t.Verdict, t.Reason, t.Late, t.Ledger, t.Goroutines, t.Descriptors,
			t.PeakKiB, t.SlopeKiB, t.Lag.Milliseconds(), float64(t.Checks)/t.Seconds)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nverdict, reason: wrong ones; late: over the timeout by more than 250 ms; ledger: asked too often, or not at all;\n"+
		"goroutines, descriptors: left over; RSS slope: growth in 100 000 checks; lag: how late a timer was at worst")
	return err
}

// conclude prints the first offences of all seeds, and how to see them again.
func conclude(w io.Writer, opts options, all []*tally) error {
	faults, shown := 0, 0
	for _, t := range all {
		if t.faults() == 0 {
			continue
		}
		faults += t.faults()
		fmt.Fprintf(w, "\nseed %d again: %s\n", t.Seed, opts.command(t.Seed))
		for _, o := range t.Offences[:min(len(t.Offences), shownOffences-shown)] {
			line, err := json.Marshal(o)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\n", line)
			shown++
		}
		fmt.Fprint(w, t.Stacks)
		if t.Lag > busy {
			fmt.Fprintf(w, "A timer was late by %v: the machine had other things to do, and what is late or timed out need not be the library's fault.\n", t.Lag)
		}
	}
	if faults > 0 {
		return fmt.Errorf("%w: %d faults", errFaults, faults)
	}
	return nil
}

// A progress shows on a terminal how far a seed is, and nowhere else.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, n int, seed uint64) progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progress{}
	}
	return progress{progressbar.NewOptions(n,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription(fmt.Sprintf("seed %d", seed)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("checks"),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(),
	)}
}

func (p progress) add() {
	if p.bar != nil {
		_ = p.bar.Add(1) // what cannot be shown is no fault
	}
}

func (p progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
