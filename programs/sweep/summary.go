package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.com/checker"
)

var statuses = [...]checker.Status{checker.Online, checker.Offline, checker.Unknown}

// summary returns what was found as text.
func (s *stats) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", s.headline())
	for _, status := range statuses {
		n := s.statuses[status]
		fmt.Fprintf(&b, "%-8s %12s  %s\n", status, group(n), share(n, s.total))
	}
	if len(s.causes) > 0 {
		b.WriteString("\n")
	}
	for _, t := range s.byCause() {
		fmt.Fprintf(&b, "%-8s %12s  %s  %s\n", t.Status, group(t.Count), share(t.Count, s.total), t.Name)
	}
	if len(s.codes) > 0 {
		b.WriteString("\nstatus of the answers\n")
	}
	for _, t := range s.byCode() {
		fmt.Fprintf(&b, "%-8s %12s  %s  %s\n", t.Name, group(t.Count), share(t.Count, s.total), t.Text)
	}
	if s.latency.TotalCount() > 0 {
		b.WriteString("\nlatency of online sites\n")
		for _, p := range s.percentiles() {
			fmt.Fprintf(&b, "%-8s %12s\n", p.Name, show(p.Value))
		}
		b.WriteString("\nslowest hosts\n")
		for _, r := range s.slowest {
			fmt.Fprintf(&b, "%21s  %s\n", show(time.Duration(r.value)*time.Microsecond), printable(r.host))
		}
	}
	b.WriteString(s.dead.table("dead sites", func(d site) string { return d.Name + "  " + d.Text }))
	b.WriteString(s.moved.table("moved for good", func(m site) string { return "replace " + m.Name + " by " + m.Text }))
	return b.String()
}

// headline says how many sites were checked in how long.
func (s *stats) headline() string {
	checked := s.total - s.earlier
	text := fmt.Sprintf("%s in %s", count(checked, "site", "sites"), show(s.took))
	if seconds := s.took.Seconds(); checked > 0 && seconds > 0 {
		text += fmt.Sprintf(" (%s/s)", group(int(float64(checked)/seconds)))
	}
	if s.earlier > 0 {
		text += fmt.Sprintf(", and %s from before", group(s.earlier))
	}
	return text
}

// A percentile is a share of the online sites and the time that it took.
type percentile struct {
	Name  string
	Value time.Duration
}

// percentiles is for when a site is online.
func (s *stats) percentiles() []percentile {
	return []percentile{
		{"p50", s.percentile(50)},
		{"p90", s.percentile(90)},
		{"p95", s.percentile(95)},
		{"p99", s.percentile(99)},
		{"slowest", time.Duration(s.slowest[0].value) * time.Microsecond},
	}
}

// show returns d with three digits or so.
func show(d time.Duration) string {
	switch {
	case d < 9950*time.Microsecond: // which would round to 10.0
		return fmt.Sprintf("%.1f ms", millis(d))
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", millis(d))
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func share(n, of int) string {
	if n > 0 && n*2000 < of {
		return " <0.1 %"
	}
	return fmt.Sprintf("%5.1f %%", 100*float64(n)/float64(max(of, 1)))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return group(n) + " " + many
}

// group returns n with its digits in groups of three.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && n >= 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
