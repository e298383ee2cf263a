package main

import (
	"errors"
	"slices"
	"time"

	"example.com/checker"
)

const (
	kept = 60     // verdicts of a site that are kept one by one
	week = 7 * 24 // hours of which its verdicts are counted
)

// A verdict is what is kept of a checker.Result.
type verdict struct {
	at      time.Time
	status  checker.Status
	reason  checker.Reason
	text    string        // the reason in a sentence
	latency time.Duration // 0 unless Online
	expires time.Time     // of the certificate; zero without one
}

// newVerdict keeps of r what the page shows. Its latency is that of the
// exchange that decided, without retries: what a visitor would have waited.
func newVerdict(r checker.Result) verdict {
	v := verdict{at: r.Start, status: r.Status(), reason: r.Reason()}
	if v.at.IsZero() {
		v.at = time.Now()
	}
	if v.status == checker.Online {
		t := r.Timing
		v.latency = t.DNS + t.Connect + t.TLS + t.FirstByte
	}
	if r.TLS != nil {
		v.expires = r.TLS.NotAfter
	}
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		v.text = e.Message() // the row says of which site it speaks
	}
	return v
}

// A tally counts the verdicts of one hour, those of Unknown left out.
type tally struct {
	hour            int64 // since 1970
	online, offline int
}

// A site is one line of the list, with what is known about it. It is not safe
// for concurrent use; the board that it is on has a lock.
type site struct {
	name, target string
	given        bool // the name is in the list, and not made from the target

	status  checker.Status // as shown; "" before the first verdict
	since   time.Time
	doubt   *verdict  // the newest, if it differs from status
	fault   verdict   // the newest that was not Online
	expires time.Time // when the certificate does
	samples []verdict // the newest, oldest first
	hours   [week]tally
}

// record takes in a verdict and reports whether it changed the site's state.
//
// A verdict that differs from the state is held in doubt. If the next one
// equals it, the state is theirs, since the first of them, and both are
// counted; otherwise the one in doubt is not counted as either. So what the
// page showed and what it counts agree. The first verdict of all has no state
// to change and is shown at once.
func (s *site) record(v verdict) (changed bool) {
	s.keep(v)
	switch {
	case s.status == "":
		s.status, s.since = v.status, v.at
		s.count(v, 1)
		return false
	case s.status == v.status:
		s.doubt = nil
		s.count(v, 1)
		return false
	case s.doubt == nil || s.doubt.status != v.status:
		s.doubt = &v
		return false
	}
	s.status, s.since = v.status, s.doubt.at
	s.doubt = nil
	s.count(v, 2)
	return true
}

// keep stores the facts of a verdict, whatever becomes of the state.
func (s *site) keep(v verdict) {
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

// count adds n verdicts like v to its hour. Unknown is neither up nor down.
func (s *site) count(v verdict, n int) {
	t := s.hourOf(v.at)
	switch v.status {
	case checker.Online:
		t.online += n
	case checker.Offline:
		t.offline += n
	}
}

// hourOf returns the tally of an hour, an empty one if its place holds that of
// a week ago.
func (s *site) hourOf(at time.Time) *tally {
	hour := at.Unix() / 3600
	t := s.place(hour)
	if t.hour != hour {
		*t = tally{hour: hour}
	}
	return t
}

// place returns where the tally of an hour is kept, even for a clock that is
// before 1970.
func (s *site) place(hour int64) *tally { return &s.hours[uint64(hour)%week] }

// uptime returns how much of the last hours a site was online, from 0 to 1, and
// whether anything is known of them. The running hour is the first of them.
func (s *site) uptime(now time.Time, hours int64) (share float64, ok bool) {
	var online, all int
	newest := now.Unix() / 3600
	for _, t := range s.hours {
		if t.hour <= newest && t.hour > newest-hours {
			online += t.online
			all += t.online + t.offline
		}
	}
	return float64(online) / float64(max(all, 1)), all > 0
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
