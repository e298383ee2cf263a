package main

import (
	"time"
)

const (
	soon      = 14 * 24 * time.Hour // before its end a certificate is worth a warning
	maxReason = 120                 // bytes of a reason that are shown; the site has a say in it
)

// A row is a site as the page shows it. All its text is untrusted; html/template
// escapes it.
type row struct {
	ID, Group    int
	Key          string
	Hidden       bool   // a search does not find it
	Name, Target string // Target is empty if Name says it
	Class        string // online, offline, unknown or waiting
	Word         string
	Since        stamp
	For          string // how long it has been so
	Doubt        string // what the newest verdict says, if that is something else
	Latency, P95 string
	Day, Week    uptime
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
		Group:   s.group,
		Key:     s.key,
		Name:    s.name,
		Class:   class(status),
		Word:    word(status),
		Since:   stamp(since),
		Latency: brief(latency),
		P95:     brief(p95),
		Day:     s.shownUptime(now, 24),
		Week:    s.shownUptime(now, week),
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

// An uptime is a share of the time that was measured.
type uptime struct {
	Percent string
	Of      string // how long that was, if it is not all that the column says
}

// shownUptime returns the uptime of the last hours. The running one is only begun.
func (s *site) shownUptime(now time.Time, hours int) uptime {
	up, measured := s.uptime(now, hours)
	u := uptime{Percent: percent(up, measured)}
	if all := time.Duration(hours-1) * time.Hour; 0 < measured && measured < all {
		u.Of = ago(measured)
	}
	return u
}

// still returns a row without what time alone changes, which page.js does by itself.
func (r row) still() row {
	r.For, r.Ago = "", ""
	return r
}

// state returns a row without figures.
func (r row) state() row {
	return row{Class: r.Class, Doubt: r.Doubt, Reason: r.Reason, CertClass: r.CertClass}
}
