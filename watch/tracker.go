package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"example.com/checker"
)

// A Tracker turns the Results of one site, in the order in which they came, into the
// site's state. The state becomes Online with the last of Rise Online Results in a row,
// and Offline with the last of Fall Offline ones. That holds for the first state as well;
// until then it is "". Unknown Results neither count nor break a row: they say nothing
// about the site. A Result with ReasonCanceled says that its check was not made, and
// does nothing at all.
//
// A Tracker starts nothing and asks no clock; its times are those at which the checks
// began. As JSON it is what it has learned, so that it can be kept, and the fields that a
// caller sets are not part of that.
//
// The zero Tracker is ready for use. Set the fields before the first Result. A Tracker
// is not safe for concurrent use, and copying one makes two that share memory.
type Tracker struct {
	// Rise is how many Online Results in a row make a site Online. The default, for
	// 0 and less, is 1.
	Rise int

	// Fall is how many Offline Results in a row make a site Offline. The default, for
	// 0 and less, is 2: a lone failure is noise.
	Fall int

	// Every is how often the site is checked. A Result speaks for the time until the
	// next one, but for twice as long as this at most, so that Uptime claims nothing
	// about a time in which nobody looked. The default, for 0 and less, is a minute, and
	// more than 90 days are taken as 90.
	Every time.Duration

	learned learned
}

// A State is what is known of a site. The zero State is that of a site of which nothing
// is known.
type State struct {
	Status checker.Status `json:"status,omitempty"` // Online or Offline; "" until there was a row that is long enough for either
	Since  time.Time      `json:"since,omitzero"`   // when the first check of that row began
	Last   checker.Status `json:"last,omitempty"`   // of the newest Result: another one than Status while that is in doubt
	Seen   time.Time      `json:"seen,omitzero"`    // when the newest check began that was not Unknown: what Status says is of then
}

// What a Tracker has learned, which is its form in JSON too.
type learned struct {
	State
	At    int64          `json:"at_ms,omitempty"` // when the newest check began; 0 if that is not known
	Next  checker.Status `json:"next,omitempty"`  // what a row of Results says that contradicts State
	Row   int            `json:"row,omitempty"`   // how many they are
	Began time.Time      `json:"began,omitzero"`  // when the first of them did
	Open  []stretch      `json:"open,omitempty"`  // times that they speak for: whose they are shows when the row ends
	Hours hours          `json:"hours,omitempty"`
}

// Add takes in the newest Result of the site. It returns the state that the site is in
// now, and whether this Result changed its Status: each change is told once.
func (t *Tracker) Add(r checker.Result) (now State, changed bool) {
	if r.Reason() == checker.ReasonCanceled {
		return t.learned.State, false
	}
	l, status, start := &t.learned, r.Status(), r.Start.Round(0).UTC()
	if y := start.Year(); y < 0 || y > 9999 {
		start = time.Time{} // JSON cannot hold it, and would hold nothing of the rest
	}
	l.measure(start, min(cmp.Or(max(t.Every, 0), time.Minute), kept*time.Hour))
	l.Last = status
	switch {
	case status == checker.Unknown:
	case status == l.Status:
		l.Seen = start
		l.settle(status)
	default:
		l.Seen = start
		changed = l.contradict(status, start, t.enough(status))
	}
	return l.State, changed
}

// State returns the state that Add returned last.
func (t *Tracker) State() State { return t.learned.State }

// Uptime returns how long the site was Online in a time, and over how long that was
// measured: the share is up/measured, and where measured is 0 there is none. What is
// neither is the time in which the site was Unknown or nobody looked. A failure counts
// from its first Result if it made the site Offline, and is left out if it did not.
//
// The time is taken in whole hours, those of from and to among them, and as far as
// there are Results. The last 90 days are kept, and more of them while one hour is as
// the other.
func (t *Tracker) Uptime(from, to time.Time) (up, measured time.Duration) {
	return t.learned.Hours.sum(from.UnixMilli(), to.UnixMilli())
}

// MarshalJSON returns what the Tracker has learned. The members beyond those of State
// may change; UnmarshalJSON reads them.
func (t Tracker) MarshalJSON() ([]byte, error) { return json.Marshal(t.learned) }

// UnmarshalJSON makes t go on where the Tracker was that MarshalJSON wrote. It leaves
// Rise, Fall and Every as they are. What no Tracker can have written is an error, and
// leaves all as it was, as null does.
func (t *Tracker) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var l learned
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	if !l.sound() {
		return fmt.Errorf("watch: a Tracker with status %q and last %q, of which %d say %q, contradicts itself", l.Status, l.Last, l.Row, l.Next)
	}
	t.learned = l
	return nil
}

// sound reports whether a Tracker can have learned this.
func (l *learned) sound() bool {
	verdict := func(s checker.Status) bool { return s == checker.Online || s == checker.Offline }
	return (l.Status == "" || verdict(l.Status)) &&
		(l.Row == 0 && l.Next == "" || l.Row > 0 && verdict(l.Next) && l.Next != l.Status) &&
		(l.Last == checker.Unknown || l.Last == "" && l.At == 0 || l.Last != "" && l.Last == cmp.Or(l.Next, l.Status)) &&
		len(l.Open) <= l.Row && l.Hours.sound() &&
		!slices.ContainsFunc(l.Open, func(s stretch) bool { return !s.sound() })
}

// enough returns how many Results in a row make a state.
func (t *Tracker) enough(status checker.Status) int {
	if status == checker.Online {
		return cmp.Or(max(t.Rise, 0), 1)
	}
	return cmp.Or(max(t.Fall, 0), 2)
}

// contradict takes in a verdict that is not the state, and reports whether it has become
// it. A row that another verdict broke, before there was any state, is forgotten.
func (l *learned) contradict(status checker.Status, start time.Time, enough int) (changed bool) {
	if l.Next != status {
		l.Next, l.Row, l.Began, l.Open = status, 0, start, nil
	}
	if l.Row = min(l.Row, math.MaxInt-1) + 1; l.Row < enough {
		return false
	}
	l.Status, l.Since = status, l.Began
	l.settle(status)
	return true
}

// settle ends a row: what it said counts as the state has it.
func (l *learned) settle(status checker.Status) {
	for _, s := range l.Open {
		l.Hours.add(s, status)
	}
	l.Next, l.Row, l.Began, l.Open = "", 0, time.Time{}, nil
}

// measure takes in the time that the newest Result spoke for, up to the start of the
// next one.
func (l *learned) measure(start time.Time, every time.Duration) {
	var now int64
	if !start.IsZero() {
		now = start.UnixMilli()
	}
	s := stretch{l.At, min(now, l.At+2*every.Milliseconds())}
	l.At = now
	switch {
	case s.From <= 0 || s.To <= s.From: // it is not known when, or the clock was set back
	case l.Last == checker.Unknown:
	case l.Last == l.Status:
		l.Hours.add(s, l.Status)
	default:
		l.open(s)
	}
}

// open takes in a time of which a row that has not ended will say whose it is. A row may be
// as long as Fall allows; what is kept of it is not.
func (l *learned) open(s stretch) {
	if n := len(l.Open) - 1; n >= 0 && l.Open[n].To == s.From && s.To-l.Open[n].From < hour*most {
		l.Open[n].To = s.To
		return
	}
	l.Open = append(l.Open, s)
	l.Open = l.Open[max(0, len(l.Open)-kept):]
}
