package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"example.com/checker"
)

// barDays is how many days the page of a site has a bar for: those of which a Tracker
// keeps the hours.
const barDays = 90

// A detail is a site as its own page shows it.
type detail struct {
	row
	Headline  string
	URL       string // without userinfo
	Heading   string
	Checked   stamp // when the newest check began; zero before
	Uptimes   []period
	Days      []day
	DaysLabel string // the same in words
	Chart     chart
	Incidents []incidentRow
	Dropped   bool // there may be more than are kept
}

// A period is a time with its uptime.
type period struct {
	Name string
	uptime
}

// A chart has what stands around the drawing of the last checks.
type chart struct {
	From, To stamp
	Top      string // the latency at the upper edge
}

// A day is a bar, from its left edge; Down is how much of its height is red.
type day struct {
	X, Down int
	Class   string // online, offline if it was so at any time, "" if nothing was measured
	Title   string
}

// Top is where the red part begins.
func (d day) Top() int { return BarHeight - d.Down }

const (
	BarStep   = 8
	BarHeight = 36
)

// An incidentRow is an incident as it is shown.
type incidentRow struct {
	Began, Ended        stamp
	Lasted              string
	Reason, Cause, Text string
}

func newDetail(i int, s *site, now time.Time) detail {
	d := detail{
		row:     newRow(i, s, now),
		URL:     hide(s.target),
		Heading: s.heading,
		Days:    newDays(s, now),
		Dropped: len(s.incidents) == keptIncidents,
	}
	d.Headline = headlineOf(d.row)
	d.DaysLabel = daysLabel(d.Days)
	for _, p := range []struct {
		name string
		days int
	}{{"24 h", 1}, {"7 days", 7}, {"30 days", 30}, {"90 days", 90}} {
		d.Uptimes = append(d.Uptimes, period{p.name, s.shownUptime(now, 24*p.days)})
	}
	if n := len(s.samples); n > 0 {
		top := slices.MaxFunc(s.samples, func(a, b verdict) int { return int(a.latency - b.latency) })
		d.Checked = stamp(s.samples[n-1].at)
		d.Chart = chart{From: stamp(s.samples[0].at), To: d.Checked, Top: brief(top.latency)}
	}
	for _, x := range slices.Backward(s.incidents) {
		d.Incidents = append(d.Incidents, newIncidentRow(x, now))
	}
	return d
}

func headlineOf(r row) string {
	switch r.Class {
	case "unknown":
		return "No verdict on " + r.Name
	case "waiting":
		return r.Name + " is checked for the first time"
	}
	return r.Name + " is " + r.Class
}

func newIncidentRow(x incident, now time.Time) incidentRow {
	end := x.ended
	if end.IsZero() {
		end = now
	}
	return incidentRow{
		Began: stamp(x.began), Ended: stamp(x.ended), Lasted: ago(end.Sub(x.began)),
		Reason: string(x.reason), Cause: string(x.cause), Text: cut(x.text, maxReason),
	}
}

// newDays returns the bars of a site, the last of which is today, by the clock of this
// machine. What was down is seen, however short it was.
func newDays(s *site, now time.Time) (days []day) {
	year, month, today := now.Date()
	for i := range barDays {
		from := time.Date(year, month, today-barDays+1+i, 0, 0, 0, 0, now.Location())
		to := from.AddDate(0, 0, 1)
		up, measured := s.tracker.Uptime(from, to)
		d := day{X: i * BarStep, Title: from.Format("2 January 2006") + ": not measured"}
		if measured > 0 {
			d.Class = string(checker.Online)
			d.Title = fmt.Sprintf("%s: %s of %s", from.Format("2 January 2006"), percent(up, measured), ago(measured))
		}
		if down := measured - up; down > 0 {
			d.Class = string(checker.Offline)
			d.Down = max(4, int(math.Round(BarHeight*float64(down)/float64(measured))))
		}
		days = append(days, d)
	}
	return days
}

func daysLabel(days []day) string {
	n := make(map[string]int)
	for _, d := range days {
		n[d.Class]++
	}
	label := fmt.Sprintf("of the last %d days %d without an outage, %d with one", len(days), n["online"], n["offline"])
	if n[""] > 0 {
		label += fmt.Sprintf(", %d not measured", n[""])
	}
	return label
}
