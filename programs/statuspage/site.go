package main

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

const (
	kept = 60     // verdicts of a site that are kept one by one
	week = 7 * 24 // hours
)

// A verdict is what is kept of a checker.Result.
type verdict struct {
	at      time.Time
	status  checker.Status
	reason  checker.Reason
	cause   checker.Cause
	text    string        // the reason in a sentence
	latency time.Duration // 0 unless Online
	expires time.Time     // of the certificate that ends first of those served; zero without one
}

// newVerdict keeps of r what the page shows. Its latency is that of the
// exchange that decided, without retries: what a visitor would have waited.
func newVerdict(r checker.Result) verdict {
	v := verdict{at: r.Start, status: r.Status(), reason: r.Reason(), cause: r.Cause(), expires: r.TLS.Expires()}
	if v.at.IsZero() {
		v.at = time.Now()
	}
	if v.status == checker.Online {
		t := r.Timing
		v.latency = t.DNS + t.Connect + t.TLS + t.FirstByte
	}
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		v.text = e.Message() // the row says of which site it speaks
	}
	return v
}

// result is what a Tracker has to know of a verdict.
func (v verdict) result() checker.Result {
	if v.status == checker.Online {
		return checker.Result{Start: v.at, StatusCode: http.StatusOK}
	}
	return checker.Result{Start: v.at, Err: v.reason}
}

// A site is one line of the list, with what is known about it. It is not safe
// for concurrent use; the board that it is on has a lock.
type site struct {
	name, target string
	given        bool   // the name is in the list, and not made from the target
	heading      string // that it stands under; "" without one
	group        int    // the number of that
	key          string // of its page

	tracker watch.Tracker // says what state it is in, and how much of the time it was up
	fault   verdict       // the newest that was not Online
	expires time.Time     // when the certificate does
	began   time.Time     // when the first sample was
	samples []verdict     // the newest, oldest first

	incidents []incident // the newest, oldest first
}

// record takes in a verdict. It reports whether it changed the site's state from one to
// another, and returns the incident that it began or ended.
func (s *site) record(v verdict) (changed bool, turned *incident) {
	s.keep(v)
	before := s.tracker.State().Status
	state, changed := s.tracker.Add(v.result())
	if !changed {
		return false, nil
	}
	return before != "", s.turn(state, v)
}

// shown returns what the page shows as the site's state, and since when it is so: ""
// before it is known. A state that nobody has seen for twice the interval, because of
// Unknown or because checks do not come to an end, is shown as Unknown.
func (s *site) shown(now time.Time) (status checker.Status, since time.Time) {
	state := s.tracker.State()
	switch {
	case state.Status != "" && now.Sub(state.Seen) <= 2*cmp.Or(s.tracker.Every, time.Minute):
		return state.Status, state.Since
	case state.Status != "":
		return checker.Unknown, state.Seen
	case state.Last == checker.Unknown:
		return checker.Unknown, s.began
	}
	return "", time.Time{}
}

func (s *site) is(status checker.Status, now time.Time) bool {
	shown, _ := s.shown(now)
	return shown == status
}

// keep stores the facts of a verdict, whatever becomes of the state.
func (s *site) keep(v verdict) {
	if s.began.IsZero() {
		s.began = v.at
	}
	if len(s.samples) == kept {
		s.samples = slices.Delete(s.samples, 0, 1)
	}
	s.samples = append(s.samples, v)
	if v.status != checker.Online {
		s.fault = v
	}
	if !v.expires.IsZero() || v.status == checker.Online {
		s.expires = v.expires
	}
}

// uptime returns for how long a site was online in the last hours, and over how long
// that was measured. The running hour is the first of them.
func (s *site) uptime(now time.Time, hours int) (up, measured time.Duration) {
	return s.tracker.Uptime(now.Add(-time.Duration(hours-1)*time.Hour), now)
}

// latency returns the newest latency and the 95th percentile (nearest rank) of
// the samples; 0 where there is none.
func (s *site) latency() (now, p95 time.Duration) {
	var all []time.Duration
	for _, v := range s.samples {
		if now = v.latency; v.status == checker.Online {
			all = append(all, v.latency)
		}
	}
	if len(all) == 0 {
		return now, 0
	}
	slices.Sort(all)
	return now, all[(95*len(all)+99)/100-1]
}
