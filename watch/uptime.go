package watch

import (
	"time"

	"example.com/checker"
)

const (
	hour = int64(time.Hour / time.Millisecond)
	kept = 90 * 24 // entries of hours
	most = 1 << 21 // hours in a row that are kept as one: some centuries
)

// A stretch is a time between two Results, in milliseconds since 1970.
type stretch struct {
	From int64 `json:"from_ms"`
	To   int64 `json:"to_ms"`
}

// An entry has hours in a row in which as much was measured: a site that stays as it is
// has one of them, however long.
type entry struct {
	Hour int64 `json:"hour"` // the first of them, since 1970
	N    int64 `json:"n"`    // how many; the newest entry has one
	Up   int64 `json:"up_ms"`
	Down int64 `json:"down_ms"`
}

// Hours are what was measured, oldest first.
type hours []entry

// add takes in that a site was as status says.
func (h *hours) add(s stretch, status checker.Status) {
	for s.From < s.To {
		n := s.From / hour
		end := min(s.To, (n+1)*hour)
		e := h.newest(n)
		part := min(end-s.From, hour-e.Up-e.Down) // an hour that came twice, with a clock set back, is one
		if status == checker.Online {
			e.Up += part
		} else {
			e.Down += part
		}
		s.From = end
	}
}

// newest returns the entry of an hour, which is the newest of all. If there are later
// ones, the clock was ahead, and has been set back: those are forgotten.
func (h *hours) newest(n int64) *entry {
	all := *h
	for len(all) > 0 {
		e := &all[len(all)-1]
		if e.Hour == n && e.N == 1 {
			*h = all
			return e
		}
		if e.Hour < n {
			e.N = min(e.N, n-e.Hour)
			break
		}
		all = all[:len(all)-1]
	}
	all = append(all.joined(), entry{Hour: n, N: 1})
	*h = all[max(0, len(all)-kept):]
	return &(*h)[len(*h)-1]
}

// joined returns h with its newest two entries as one, if they are alike.
func (h hours) joined() hours {
	if len(h) < 2 {
		return h
	}
	a, b := &h[len(h)-2], h[len(h)-1]
	if a.Up != b.Up || a.Down != b.Down || a.Hour+a.N != b.Hour || a.N+b.N > most {
		return h
	}
	a.N += b.N
	return h[:len(h)-1]
}

// sum returns what was measured in the hours of a time.
func (h hours) sum(from, to int64) (up, measured time.Duration) {
	first, end := from/hour, (to+hour-1)/hour
	for _, e := range h {
		if n := min(end, e.Hour+e.N) - max(first, e.Hour); n > 0 {
			up += time.Duration(n*e.Up) * time.Millisecond
			measured += time.Duration(n*(e.Up+e.Down)) * time.Millisecond
		}
	}
	return up, measured
}

// sound reports whether h can be what add made, give or take some centuries.
func (h hours) sound() bool {
	var next int64
	for _, e := range h {
		if e.Hour < next || e.Hour > 1<<32 || e.N < 1 || e.N > most ||
			e.Up < 0 || e.Down < 0 || e.Up > hour || e.Down > hour-e.Up {
			return false
		}
		next = e.Hour + e.N
	}
	return len(h) == 0 || h[len(h)-1].N == 1
}

// sound reports whether s can be a time between two Results.
func (s stretch) sound() bool { return 0 < s.From && s.From < s.To && s.To-s.From < hour*most }
