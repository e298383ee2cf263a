package main

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A group is the sites that stand under one heading of the list, as the page shows
// them. The one without a name has those above the first.
type group struct {
	ID   int
	Name string
	All  int
	N    map[string]int // sites by class
	Rows []row          // if they were asked for
}

// groupNames returns the groups of sites in the order in which the list names them, and
// tells each site its own.
func groupNames(sites []*site) (names []string) {
	for _, s := range sites {
		if s.group = slices.Index(names, s.heading); s.group < 0 {
			s.group = len(names)
			names = append(names, s.heading)
		}
	}
	return names
}

// newGroups returns how many sites of each group are in which state.
func newGroups(names []string, sites []*site, now time.Time) []group {
	groups := make([]group, len(names))
	for i, name := range names {
		groups[i] = group{ID: i, Name: name, N: make(map[string]int)}
	}
	for _, s := range sites {
		status, _ := s.shown(now)
		groups[s.group].All++
		groups[s.group].N[class(status)]++
	}
	return groups
}

// arrange puts rows into their groups, those with trouble first, and groups with
// trouble before others. Else all is in the order of the list.
func arrange(groups []group, rows []row) []group {
	groups = slices.Clone(groups)
	for _, r := range rows {
		groups[r.Group].Rows = append(groups[r.Group].Rows, r)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Rows, func(a, b row) int { return urgency(a) - urgency(b) })
	}
	slices.SortStableFunc(groups, func(a, b group) int { return urgency(a.Rows[0]) - urgency(b.Rows[0]) })
	return groups
}

// urgency is less the sooner a row is to be seen. What waits for its first verdict
// stays in its place, or rows would jump while the program starts. page.js has the same.
func urgency(r row) int {
	return cmp.Or(map[string]int{"offline": 1, "unknown": 2}[r.Class], 3)
}

// found reports whether a search finds a row. page.js has the same.
func (r row) found(query, groupName string) bool {
	text := strings.ToLower(r.Name + "\n" + r.Target + "\n" + groupName)
	return strings.Contains(text, strings.ToLower(strings.TrimSpace(query)))
}
