//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A report is what came of it all. It is written as JSON as it is.
type report struct {
	Machine string      `json:"machine"`
	Took    float64     `json:"took_s"`
	Lines   []line      `json:"lines"`
	Notes   []note      `json:"notes"` // what the scenarios are
	Wrong   []string    `json:"wrong,omitempty"`
	LeftOut []string    `json:"left_out,omitempty"` // scenarios that this machine cannot have
	Runs    results     `json:"runs"`
	plot    []plotPoint // of the scenario that is plotted
}

// A note says what a scenario is and how often it was run.
type note struct {
	Scenario string `json:"scenario"`
	About    string `json:"about"`
	Rounds   int    `json:"rounds"`
}

// A line is one of the table.
type line struct {
	Scenario string             `json:"scenario"`
	What     string             `json:"what"`
	Figures  map[string]float64 `json:"figures"` // by contestant
	Ratio    float64            `json:"ratio,omitempty"`
	Verdicts []verdict          `json:"verdicts,omitempty"`
}

// leaveOut notes that a scenario could not be run. In the table it has a line
// without figures, so that nobody takes its bars for held.
func (rep *report) leaveOut(sc scenario) {
	rep.LeftOut = append(rep.LeftOut, sc.name)
	rep.Lines = append(rep.Lines, line{Scenario: sc.name, What: "LEFT OUT"})
	rep.Notes = append(rep.Notes, note{Scenario: sc.name, About: fmt.Sprintf("LEFT OUT: %v", sc.lacks)})
}

// add takes in what a scenario gave.
func (rep *report) add(sc scenario) {
	rounds := len(rep.Runs[sc.trials[0].name][ours])
	rep.Notes = append(rep.Notes, note{sc.name, sc.about, rounds})
	for _, r := range sc.rows {
		t := find(sc.trials, r.trial)
		l := line{Scenario: sc.name, What: r.metric.name, Figures: make(map[string]float64)}
		switch {
		case t.job.Cut != "":
			l.What += fmt.Sprintf(", %d", t.job.Checks)
		case len(sc.trials) > 1 && sc.name != "scale":
			l.What += fmt.Sprintf(", %d hosts", t.job.Checks)
		}
		for _, who := range t.who {
			l.Figures[who] = r.metric.overall(rep.Runs.figures(t, who, r.metric))
		}
		if t.has("net/http") && r.metric.name != wrong.name { // of none there is no ratio
			l.Ratio = rep.Runs.judge(r, bar{rival: "net/http"}, sc.trials).Measured
		}
		for _, b := range r.bars {
			l.Verdicts = append(l.Verdicts, rep.Runs.judge(r, b, sc.trials))
		}
		rep.Lines = append(rep.Lines, l)
		if sc.name == "scale" {
			rep.plot = append(rep.plot, plotPoint{t.job.AtOnce, l.Figures})
		}
	}
	for _, t := range sc.trials {
		rep.blame(t)
	}
}

// blame notes verdicts that were wrong: a figure of such a run is worth little.
func (rep *report) blame(t trial) {
	for _, who := range t.who {
		var wrong, all int
		var example string
		for _, m := range rep.Runs[t.name][who] {
			wrong, all = wrong+m.Wrong, all+t.job.Checks
			example = cmp.Or(example, m.Example)
		}
		if wrong > 0 {
			rep.Wrong = append(rep.Wrong, fmt.Sprintf("%s: %s gave %d of %d wrong verdicts: %s", t.name, who, wrong, all, example))
		}
	}
}

// missed returns how many bars were missed, and how many there are.
func (rep *report) missed() (missed, all int) {
	for _, l := range rep.Lines {
		for _, v := range l.Verdicts {
			all++
			if !v.OK {
				missed++
			}
		}
	}
	return missed, all
}

// outputs are the files to be written, "" for none.
type outputs struct{ json, md, svg *string }

func (o outputs) write(rep *report) error {
	var errs []error
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{{*o.json, rep.json}, {*o.md, rep.markdown}, {*o.svg, rep.svg}} {
		if f.name != "" {
			errs = append(errs, create(f.name, f.write))
		}
	}
	return errors.Join(errs...)
}

func (rep *report) json(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "\t")
	return enc.Encode(rep)
}

// machine returns what this runs on, in words.
func machine() string {
	var u unix.Utsname
	unix.Uname(&u)
	release := unix.ByteSliceToString(u.Release[:])
	return fmt.Sprintf("%s, %d cores, %d MiB, %d descriptors, Linux %s, %s",
		processor(), runtime.NumCPU(), memTotal()>>20, descriptors(), release, runtime.Version())
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	lines := strings.Split(string(text), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "model name") })
	if i < 0 {
		return runtime.GOARCH
	}
	_, name, _ := strings.Cut(lines[i], ":")
	return strings.TrimSpace(name)
}

func memTotal() uint64 {
	var info unix.Sysinfo_t
	unix.Sysinfo(&info)
	return info.Totalram * uint64(info.Unit)
}
