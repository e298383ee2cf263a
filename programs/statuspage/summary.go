package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"example.com/checker"
)

// A summary is what the head of the page says.
type summary struct {
	Headline string
	Class    string // of the worst state
	Trouble  []row  // the first few that are not online
	More     int    // and how many others
	Ended    stamp  // when the newest verdict came in
	All      int
	N        map[string]int // by class
	Groups   []group        // in the order of the list
}

// maxTrouble is how many sites the head of the page names.
const maxTrouble = 6

// newSummary returns that of a board, which is locked.
func newSummary(b *board, now time.Time) summary {
	s := summary{All: len(b.sites), N: make(map[string]int), Groups: newGroups(b.groups, b.sites, now)}
	if b.checks > 0 {
		s.Ended = stamp(b.ended)
	}
	for _, g := range s.Groups {
		for class, n := range g.N {
			s.N[class] += n
		}
	}
	for _, status := range []checker.Status{checker.Offline, checker.Unknown} {
		for i, site := range b.sites {
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
