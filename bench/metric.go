//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
)

// A metric is a figure that follows from a run.
type metric struct {
	name  string
	of    func(*job, measure) float64
	least bool // the least of the rounds counts, not the median
}

// overall returns the figure of all rounds.
func (m metric) overall(all []float64) float64 {
	if m.least && len(all) > 0 {
		return slices.Min(all)
	}
	return median(all)
}

func perCheck(f func(measure) float64) func(*job, measure) float64 {
	return func(j *job, m measure) float64 { return f(m) / float64(j.Checks) }
}

var (
	cpu        = metric{name: "CPU per check, µs", of: perCheck(func(m measure) float64 { return 1e6 * m.cpu() })}
	collector  = metric{name: "of that the collector, µs", of: perCheck(func(m measure) float64 { return 1e6 * m.GC })}
	allocs     = metric{name: "allocations per check", of: perCheck(func(m measure) float64 { return float64(m.Allocs) })}
	allocated  = metric{name: "allocated per check, KiB", of: perCheck(func(m measure) float64 { return float64(m.Bytes) / 1024 })}
	goroutines = metric{name: "goroutines per check", of: perCheck(func(m measure) float64 { return float64(m.Goroutines) })}
	perSecond  = metric{name: "checks per second", of: func(j *job, m measure) float64 { return float64(j.Checks) / m.Wall }}
	wall       = metric{name: "wall time, s", of: func(_ *job, m measure) float64 { return m.Wall }}
	// A collection that comes late adds to a peak, so the least of the rounds is
	// nearest to what the job needs.
	rss   = metric{name: "peak RSS (the least), MiB", least: true, of: func(_ *job, m measure) float64 { return float64(m.Peak) / (1 << 20) }}
	wrong = metric{name: "verdicts that were wrong", of: func(_ *job, m measure) float64 { return float64(m.Wrong) }}
	// What the process weighs more than before the run, over the checks at once.
	inFlight = metric{name: "memory per check in flight, KiB", of: func(j *job, m measure) float64 {
		return float64(m.Peak-m.RSS) / 1024 / float64(j.AtOnce)
	}}
	// A machine that is busy with something else is no slower to release than it is.
	released = metric{name: "released, ms", least: true, of: func(_ *job, m measure) float64 { return 1e3 * m.Released }}
	stacks   = metric{name: "of that stacks, KiB", of: func(j *job, m measure) float64 {
		return float64(m.Stacks) / 1024 / float64(j.AtOnce)
	}}
)

// at returns the metric with n checks at once in its name.
func (m metric) at(n int) metric {
	m.name = fmt.Sprintf("%s, %d at once", m.name, n)
	return m
}

// A bar is what a figure of ours must not exceed: limit as it is; or limit times
// the same figure of a rival, or of ours in another trial, or times what would
// be ideal.
type bar struct {
	limit float64
	rival string
	trial string
	ideal float64
}

// A verdict is a bar and how the figure compares with it.
type verdict struct {
	Measured float64 `json:"measured"`
	Of       string  `json:"of,omitempty"` // what Measured is a multiple of
	Limit    float64 `json:"limit"`
	OK       bool    `json:"ok"`
}

// results has the measures by trial and contestant, one a round.
type results map[string]map[string][]measure

// figures returns the figure of each round.
func (res results) figures(t trial, who string, m metric) []float64 {
	var all []float64
	for _, one := range res[t.name][who] {
		all = append(all, m.of(&t.job, one))
	}
	return all
}

// judge compares with a bar. The trials are those of the scenario.
func (res results) judge(r row, b bar, trials []trial) verdict {
	of := func(trial, who string) []float64 { return res.figures(find(trials, trial), who, r.metric) }
	mine := of(r.trial, ours)
	v := verdict{Limit: b.limit}
	switch {
	case b.rival != "" && r.metric.least:
		v.Of, v.Measured = b.rival, r.metric.overall(mine)/r.metric.overall(of(r.trial, b.rival))
	case b.rival != "":
		v.Of, v.Measured = b.rival, median(ratios(mine, of(r.trial, b.rival)))
	case b.trial != "":
		v.Of, v.Measured = b.trial, r.metric.overall(mine)/r.metric.overall(of(b.trial, ours))
	case b.ideal != 0:
		v.Of, v.Measured = "ideal", r.metric.overall(mine)/b.ideal
	default:
		v.Measured = r.metric.overall(mine)
	}
	v.OK = v.Measured <= b.limit
	return v
}

func find(trials []trial, name string) trial {
	i := slices.IndexFunc(trials, func(t trial) bool { return t.name == name })
	return trials[i]
}

// ratios divides round by round, so that what slowed a round down is in both.
func ratios(a, b []float64) []float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i]/b[i])
	}
	return all
}

// median returns the middle, NaN of nothing.
func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(all))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
