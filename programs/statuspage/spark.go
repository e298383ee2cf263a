package main

import (
	"fmt"
	"math"
	"strings"

	"example.com/checker"
)

// The drawing is as wide as all samples that are kept; the newest is at the
// right end, so a line grows in from there.
const (
	sparkStep   = 2
	SparkWidth  = (kept-1)*sparkStep + 4
	SparkHeight = 26
	sparkTop    = 3
)

// A spark is the latency of the last samples as the paths of an SVG, with a
// tick where a site was not online. Numbers are all that is in it.
type spark struct {
	Line, Area       string
	Offline, Unknown string // ticks
	Label            string // the same in words
	N                int    // checks
}

// newSpark draws from 0 to the slowest of the samples.
func newSpark(samples []verdict) spark {
	var line, area, offline, unknown strings.Builder
	slowest := 1.0
	n := make(map[checker.Status]int)
	for _, v := range samples {
		slowest = max(slowest, float64(v.latency))
		n[v.status]++
	}
	start, before := -1, 0 // where the run of answers began that we are in, and the y of the one before
	command := ""          // before the next of them: the letter, or a space
	x := SparkWidth - 2 - (len(samples)-1)*sparkStep
	end := func() {
		if start >= 0 {
			fmt.Fprintf(&area, "V%dH%dZ", SparkHeight, start)
		}
		start = -1
	}
	for _, v := range samples {
		switch v.status {
		case checker.Online:
			y := int(math.Round(SparkHeight - 1 - float64(v.latency)/slowest*(SparkHeight-1-sparkTop)))
			if start < 0 {
				start, command = x, "l"
				fmt.Fprintf(&line, "M%d %dh.01", x, y) // the dot is for a run of one
				fmt.Fprintf(&area, "M%d %d", x, y)
			} else {
				step := strings.Replace(fmt.Sprintf("%s%d %d", command, sparkStep, y-before), " -", "-", 1)
				line.WriteString(step)
				area.WriteString(step)
				command = " "
			}
			before = y
		case checker.Offline:
			end()
			fmt.Fprintf(&offline, "M%d %dV%d", x, sparkTop, SparkHeight)
		default:
			end()
			fmt.Fprintf(&unknown, "M%d %dV%d", x, sparkTop, SparkHeight)
		}
		x += sparkStep
	}
	end()
	return spark{line.String(), area.String(), offline.String(), unknown.String(), sparkLabel(n, len(samples)), len(samples)}
}

func sparkLabel(n map[checker.Status]int, all int) string {
	if all == 0 {
		return "no checks yet"
	}
	label := fmt.Sprintf("last %s: %d online", count(all, "check"), n[checker.Online])
	for _, s := range []checker.Status{checker.Offline, checker.Unknown} {
		if n[s] > 0 {
			label += fmt.Sprintf(", %d %s", n[s], s)
		}
	}
	return label
}
