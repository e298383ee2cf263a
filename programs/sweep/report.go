package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"time"

	"example.com/checker"
)

//go:embed report.html
var reportText string

// html/template escapes what sites and lists say for wherever it stands; there
// is no script for it to get into.
var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"group": group,
	"share": share,
}).Parse(reportText))

// A page is what a report shows.
type page struct {
	List        string
	Headline    string
	Figures     string
	Start       string
	Interrupted bool
	Online      int
	Total       int
	Verdicts    []row
	Warning     string
	Causes      []row
	Codes       []row
	Dead        *places
	Moved       *places
	Latency     *plot // nil if nothing was online
	Percentiles []row
	Slowest     []row
	Expiries    []row // none without certificates
	Expiring    []row
}

// A row is a line of a table, with a bar in it. In a plot of all rows in one,
// the bar begins at X. Both are in per cent.
type row struct {
	Name  string
	Class string // a status, or how it looks
	Count int
	Text  string
	X, W  float64
}

func (s *sweep) writeReport(interrupted bool) error {
	var b bytes.Buffer
	p := s.stats.page()
	p.List, p.Interrupted = s.listName(), interrupted
	if err := reportPage.Execute(&b, p); err != nil {
		return err
	}
	return os.WriteFile(s.report, b.Bytes(), 0o666)
}

func (s *stats) page() *page {
	p := &page{
		Figures:  s.headline(),
		Start:    s.start.UTC().Format("2 January 2006, 15:04 UTC"),
		Online:   s.statuses[checker.Online],
		Total:    s.total,
		Warning:  s.warning(),
		Verdicts: s.verdictRows(),
		Dead:     &s.dead,
		Moved:    &s.moved,
		Slowest:  s.slowest.rows(func(us int64) string { return show(time.Duration(us) * time.Microsecond) }),
	}
	for _, t := range s.byCause() {
		p.Causes = append(p.Causes, row{Name: t.Name, Class: string(t.Status), Count: t.Count, Text: t.Text})
	}
	for _, t := range s.byCode() {
		p.Codes = append(p.Codes, row{Name: t.Name, Count: t.Count, Text: t.Text})
	}
	scale(p.Causes)
	scale(p.Codes)
	if s.latency.TotalCount() > 0 {
		p.Latency = s.plot()
		for _, pc := range s.percentiles() {
			p.Percentiles = append(p.Percentiles, row{Name: pc.Name, Text: show(pc.Value)})
		}
	}
	if len(s.expiring) > 0 {
		p.Expiries = s.expiryRows()
		p.Expiring = s.expiring.rows(s.expiryText)
	}
	return p
}

func (s *stats) verdictRows() (rows []row) {
	x := 0.0
	for _, status := range statuses {
		n := s.statuses[status]
		w := 100 * float64(n) / float64(max(s.total, 1))
		rows = append(rows, row{Name: string(status), Class: string(status), Count: n, X: x, W: w})
		x += w
	}
	return rows
}

func (s *stats) expiryRows() (rows []row) {
	classes := [len(expiries)]string{"offline", "unknown", "unknown"}
	for i, e := range expiries {
		rows = append(rows, row{Name: e.name, Class: classes[i], Count: s.expiry[i]})
	}
	return scale(rows)
}

// expiryText says when a certificate expires that did so that many seconds ago,
// or will where they are negative.
func (s *stats) expiryText(seconds int64) string {
	at := time.Unix(s.start.Unix()-seconds, 0).UTC().Format(time.DateOnly)
	days := count(int(max(seconds, -seconds)/int64(day/time.Second)), "day", "days")
	if seconds >= 0 {
		return fmt.Sprintf("%s, %s ago", at, days)
	}
	return fmt.Sprintf("%s, in %s", at, days)
}

// rows returns the ranking with bars from the lowest that could be to the
// highest that is.
func (r ranking) rows(text func(int64) string) (rows []row) {
	for _, a := range r {
		rows = append(rows, row{
			Name: printable(a.host),
			Text: text(a.value),
			W:    100 * float64(a.value) / float64(max(r[0].value, 1)),
		})
	}
	return rows
}

// scale sets the bars to the counts, so that the longest takes all the room and
// the shortest can be seen.
func scale(rows []row) []row {
	most := 1
	for _, r := range rows {
		most = max(most, r.Count)
	}
	for i := range rows {
		if rows[i].Count > 0 {
			rows[i].W = max(0.5, 100*float64(rows[i].Count)/float64(most))
		}
	}
	return rows
}
