package uplink

import (
	"slices"
	"time"
)

// maxSpans is how many spans a log keeps. Whoever asks does so soon after the moments that
// he asks for, so the oldest can go.
const maxSpans = 32

// A log has the spans of time for which something was shown. Who shows it names himself,
// so that nobody's word counts for himself. What was shown again no later than gap after
// a span extends it: it is taken to have been so in between.
//
// The zero log is empty, and extends only what overlaps. It is not safe for concurrent
// use.
type log struct {
	gap   time.Duration
	spans []span // in order, more than gap apart
}

type span struct {
	from, to time.Time
	asked    time.Time // when who showed it began to ask, the last time
	by       string    // who alone showed it; "" for several
}

// add notes that it was so in a span. The moments of later calls may lie before those of
// earlier ones.
func (l *log) add(s span) {
	from, to := s.from, s.to
	i := len(l.spans)
	for i > 0 && l.spans[i-1].from.After(to.Add(l.gap)) {
		i-- // those come wholly after s
	}
	end := i
	for i > 0 && !from.After(l.spans[i-1].to.Add(l.gap)) {
		i--
		s = s.with(l.spans[i])
	}
	l.spans = slices.Replace(l.spans, i, end, s)
	if n := len(l.spans) - maxSpans; n > 0 {
		l.spans = slices.Delete(l.spans, 0, n)
	}
}

// with returns the span of s and t, and of what is between them.
func (s span) with(t span) span {
	if t.from.Before(s.from) {
		s.from = t.from
	}
	if t.to.After(s.to) {
		s.to = t.to
	}
	if t.asked.After(s.asked) {
		s.asked = t.asked
	}
	if t.by != s.by {
		s.by = ""
	}
	return s
}

// around returns the span that has a moment, as others than who showed. It may end before
// that, by no more than gap. The zero span says that it is not known to have been so then.
func (l *log) around(who string, from time.Time) span {
	for i := len(l.spans) - 1; i >= 0; i-- {
		s := l.spans[i]
		if s.from.After(from) {
			continue
		}
		if from.After(s.to.Add(l.gap)) || s.by != "" && s.by == who {
			break
		}
		return s
	}
	return span{}
}

// since reports whether it was so at some time after a moment, as others than who showed.
func (l *log) since(who string, from time.Time) bool {
	for i := len(l.spans) - 1; i >= 0 && l.spans[i].to.After(from); i-- {
		if s := l.spans[i]; s.by == "" || s.by != who {
			return true
		}
	}
	return false
}
