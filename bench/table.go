//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// cells returns the table, a heading first. A line with two bars takes two rows.
func (rep *report) cells() [][]string {
	head := []string{"scenario", "what"}
	for _, who := range withCurl {
		head = append(head, fmt.Sprintf("%9s", who))
	}
	rows := [][]string{append(head, "÷ net/http", "measured", "bar", "")}
	last := ""
	for _, l := range rep.Lines {
		row := []string{l.Scenario, l.What}
		if l.Scenario == last {
			row[0] = ""
		}
		last = l.Scenario
		for _, who := range withCurl {
			row = append(row, fmt.Sprintf("%9s", figure(l.Figures, who)))
		}
		ratio := "–"
		if l.Ratio != 0 {
			ratio = digits(l.Ratio)
		}
		row = append(row, fmt.Sprintf("%10s", ratio))
		if len(l.Verdicts) == 0 {
			rows = append(rows, append(row, "", "", ""))
		}
		for _, v := range l.Verdicts {
			rows = append(rows, append(row[:len(row):len(row)], v.cells()...))
			row = make([]string, len(row))
		}
	}
	return rows
}

// cells returns what was measured, the bar, and which of them is higher.
func (v verdict) cells() []string {
	measured, word := digits(v.Measured), "MISSED"
	if v.Of != "" {
		measured += " × " + v.Of
	}
	if v.OK {
		word = "ok"
	}
	return []string{measured, "≤ " + digits(v.Limit), word}
}

func figure(figures map[string]float64, who string) string {
	f, ok := figures[who]
	if !ok {
		return "–"
	}
	return digits(f)
}

// digits prints a figure with as many digits as mean something.
func digits(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "–"
	case abs >= 100:
		return fmt.Sprintf("%.0f", f)
	case abs >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// text writes the table for a terminal.
func (rep *report) text(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n\n", rep.Machine)
	var table strings.Builder
	tw := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for i, row := range rep.cells() {
		if i > 0 && row[0] != "" {
			fmt.Fprintln(tw, strings.Repeat("\t", len(row)-1))
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush() // a Builder takes everything
	for l := range strings.Lines(table.String()) {
		fmt.Fprintln(w, strings.TrimRight(l, " \n"))
	}
	fmt.Fprintln(w)
	for _, n := range rep.Notes {
		fmt.Fprintf(w, "%-9s%s (%d×)\n", n.Scenario, n.About, n.Rounds)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", rep.summary())
	return err
}

// summary says how it went.
func (rep *report) summary() string {
	missed, all := rep.missed()
	text := fmt.Sprintf("%d of %d bars hold; %.0f s in all.", all-missed, all, rep.Took)
	if len(rep.LeftOut) > 0 {
		text += " LEFT OUT, with their bars: " + strings.Join(rep.LeftOut, ", ") + "."
	}
	return strings.Join(append([]string{text}, rep.Wrong...), "\n")
}

// markdown writes the table as Markdown.
func (rep *report) markdown(w io.Writer) error {
	for i, row := range rep.cells() {
		for c := range row {
			row[c] = strings.TrimSpace(row[c])
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintln(w, "|---|---|"+strings.Repeat("--:|", len(withCurl)+1)+"---|---|---|")
		}
	}
	fmt.Fprintln(w)
	for _, n := range rep.Notes {
		fmt.Fprintf(w, "- **%s** (%d×): %s.\n", n.Scenario, n.Rounds, n.About)
	}
	_, err := fmt.Fprintf(w, "\nMeasured on %s. %s\n", rep.Machine, rep.summary())
	return err
}
