package main

import (
	"time"

	"example.com/checker"
	"example.com/checker/watch"
)

// keptIncidents is how many of a site's incidents are kept, the newest.
const keptIncidents = 100

// An incident is a time in which a site was offline.
type incident struct {
	began  time.Time // with the first failure
	ended  time.Time // zero while it goes on
	reason checker.Reason
	cause  checker.Cause
	text   string // both in a sentence
}

// turn takes in that a site has come to another state by a verdict, and returns the
// incident that has begun or ended so, nil if there is none: the first answer of a site
// ends nothing.
func (s *site) turn(now watch.State, by verdict) *incident {
	n := len(s.incidents)
	switch {
	case now.Status == checker.Offline:
		s.incidents = append(s.incidents, incident{began: now.Since, reason: by.reason, cause: by.cause, text: by.text})
		s.incidents = s.incidents[max(0, n+1-keptIncidents):]
	case n == 0 || !s.incidents[n-1].ended.IsZero():
		return nil
	default:
		s.incidents[n-1].ended = now.Since
	}
	return new(s.incidents[len(s.incidents)-1])
}
