package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"example.com/checker"
)

const (
	soon      = 14 * 24 * time.Hour // before its end a certificate is worth a warning
	maxReason = 120                 // bytes of a reason that are shown; the site has a say in it
)

// A row is a site as the page shows it. All its text is untrusted; html/template
// escapes it.
type row struct {
	ID           int
	Name, Target string // Target is empty if Name says it
	Class        string // online, offline, unknown or waiting
	Word         string
	Since        stamp
	For          string // how long it has been so
	Doubt        string // what the newest verdict says, if that is something else
	Latency, P95 string
	Day, Week    string
	Cert         string
	CertClass    string // soon, over or ""
	Expires      stamp
	Reason       string // why it was last not online
	Fault        stamp
	Ago          string
	Spark        spark
}

func newRow(i int, s *site, now time.Time) row {
	latency, p95 := s.latency()
	status, since := s.shown(now)
	r := row{
		ID:      i,
		Name:    s.name,
		Class:   class(status),
		Word:    word(status),
		Since:   stamp(since),
		Latency: brief(latency),
		P95:     brief(p95),
		Day:     percent(s.uptime(now, 24)),
		Week:    percent(s.uptime(now, week)),
		Expires: stamp(s.expires),
		Spark:   newSpark(s.samples),
	}
	if s.given {
		r.Target = hide(s.target)
	}
	if !since.IsZero() {
		r.For = ago(now.Sub(since))
	}
	if last := s.tracker.State().Last; last != status {
		r.Doubt = "last check: " + string(last)
	}
	if !s.fault.at.IsZero() {
		r.Reason, r.Fault, r.Ago = cut(s.fault.text, maxReason), stamp(s.fault.at), ago(now.Sub(s.fault.at))
	}
	r.Cert, r.CertClass = lifetime(s.expires, now)
	return r
}

// cut returns the beginning of a text, of at most n bytes, up to the end of a
// word if there is one near.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	text = strings.ToValidUTF8(text[:n], "")
	if i := strings.LastIndexByte(text, ' '); i > n/2 {
		text = strings.TrimRight(text[:i], " ,;:")
	}
	return text + "…"
}

// A summary is what the head of the page says.
type summary struct {
	Headline string
	Class    string // of the worst state
	Trouble  []row  // the first few that are not online
	More     int    // and how many others
	Ended    stamp  // when the newest verdict came in
	All      int
	N        map[string]int // by class
}

// maxTrouble is how many sites the head of the page names.
const maxTrouble = 6

func newSummary(sites []*site, ended time.Time, checked bool, now time.Time) summary {
	s := summary{All: len(sites), N: make(map[string]int)}
	if checked {
		s.Ended = stamp(ended)
	}
	for status, n := range counts(sites, now) {
		s.N[class(status)] = n
	}
	for _, status := range []checker.Status{checker.Offline, checker.Unknown} {
		for i, site := range sites {
			switch {
			case !site.is(status, now):
			case len(s.Trouble) == maxTrouble:
				s.More++
			default:
				s.Trouble = append(s.Trouble, newRow(i, site, now))
			}
		}
	}
	s.Class, s.Headline = s.headline()
	return s
}

func (s summary) headline() (class, text string) {
	switch offline, unknown, waiting := s.N["offline"], s.N["unknown"], s.N["waiting"]; {
	case offline == 1 && s.All == 1:
		return "offline", "The site is offline"
	case offline > 0:
		return "offline", fmt.Sprintf("%d of %s %s offline", offline, count(s.All, "site"), isAre(offline))
	case unknown > 0:
		return "unknown", fmt.Sprintf("No verdict on %d of %s", unknown, count(s.All, "site"))
	case waiting > 0:
		return "waiting", fmt.Sprintf("Checking %s for the first time", count(waiting, "site"))
	case s.All == 1:
		return "online", "The site is online"
	}
	return "online", fmt.Sprintf("All %d sites are online", s.All)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// class is the CSS class of a state.
func class(s checker.Status) string { return cmp.Or(string(s), "waiting") }

// word is what the page calls a state.
func word(s checker.Status) string {
	c := class(s)
	return strings.ToUpper(c[:1]) + c[1:]
}

// A stamp is a moment for a <time> element.
type stamp time.Time

func (s stamp) IsZero() bool    { return time.Time(s).IsZero() }
func (s stamp) Machine() string { return time.Time(s).UTC().Format(time.RFC3339) }
func (s stamp) Full() string    { return time.Time(s).Format("Monday 2 January 2006, 15:04:05 MST") }
func (s stamp) Clock() string   { return time.Time(s).Format("15:04:05 MST") }

// Short is the time of day, with the date if it was not today.
func (s stamp) Short() string {
	t, now := time.Time(s), time.Now()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 MST")
	}
	return t.Format("2 January, 15:04 MST")
}

// ago writes a duration as people say it, in one or two units.
func ago(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	m, h := s/60, s/3600
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case h < 10:
		return fmt.Sprintf("%d h %d min", h, m%60)
	case h < 48:
		return fmt.Sprintf("%d h", h)
	}
	return count(h/24, "day")
}

// brief writes a latency.
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// percent writes a share rounded down, so that 100 % means that nothing failed.
func percent(share float64, ok bool) string {
	if !ok {
		return "–"
	}
	return strconv.FormatFloat(math.Floor(share*1e4)/100, 'f', -1, 64) + " %"
}

// lifetime writes how long a certificate is still good.
func lifetime(expires, now time.Time) (text, class string) {
	left := expires.Sub(now)
	switch {
	case expires.IsZero():
		return "–", ""
	case left < 0:
		return "expired", "over"
	case left < soon:
		return count(int(left.Hours()/24), "day"), "soon"
	}
	return count(int(left.Hours()/24), "day"), ""
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
