package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/watch"
)

// letters are short forms of verdicts and states.
var letters = map[rune]checker.Status{'+': checker.Online, '-': checker.Offline, '?': checker.Unknown}

// given returns a verdict by its letter.
func given(letter rune, at time.Time) verdict {
	v := verdict{at: at, status: letters[letter]}
	switch v.status {
	case checker.Offline:
		v.reason = checker.ReasonReset
	case checker.Unknown:
		v.reason = checker.ReasonDNS
	}
	return v
}

// feed records verdicts a minute apart and returns what is shown after each, in
// letters.
func feed(s *site, verdicts string) string {
	var states strings.Builder
	for _, letter := range verdicts {
		time.Sleep(time.Minute)
		s.record(given(letter, time.Now()))
		states.WriteRune(letterOf(s.shown(time.Now())))
	}
	return states.String()
}

// letterOf returns the letter of a state.
func letterOf(status checker.Status, _ time.Time) rune {
	for l, s := range letters {
		if s == status {
			return l
		}
	}
	return '.'
}

// A site is offline after two failures in a row and online with one answer. Unknown
// changes neither, but is shown when there is nothing newer for twice the interval.
func TestState(t *testing.T) {
	for _, test := range []struct {
		verdicts, states string
		since            int // the verdict that what is shown last counts from
	}{
		{"+", "+", 0},
		{"--", ".-", 0},
		{"?", "?", 0},
		{"++-+", "++++", 0}, // a lone failure is none
		{"++--", "+++-", 2},
		{"+--++", "++-++", 3},
		{"+-?--", "+++--", 1},
		{"++??", "++++", 0},
		{"++???++", "++++?++", 0}, // the state has not moved
		{"--?????", ".---???", 1}, // and is of then
		{"--????-", ".---??-", 0},
	} {
		t.Run(test.verdicts, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				var s site
				start := time.Now()
				if got := feed(&s, test.verdicts); got != test.states {
					t.Errorf("after the verdicts %s %s was shown; want %s", test.verdicts, got, test.states)
				}
				_, since := s.shown(time.Now())
				if got, want := since.Sub(start), time.Duration(test.since+1)*time.Minute; got != want {
					t.Errorf("after %s the state was since %v; want %v", test.verdicts, got, want)
				}
			})
		})
	}
}

// A site that is no longer checked is not shown as it was.
func TestStale(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		s := site{tracker: watch.Tracker{Every: time.Hour}}
		feed(&s, "+")
		seen := time.Now()
		time.Sleep(2 * time.Hour)
		if status, since := s.shown(time.Now()); status != checker.Online || !since.Equal(seen) {
			t.Errorf("after two intervals %s is shown since %v; want online since %v", status, since, seen)
		}
		time.Sleep(time.Second)
		if status, since := s.shown(time.Now()); status != checker.Unknown || !since.Equal(seen) {
			t.Errorf("after more %s is shown since %v; want unknown since %v", status, since, seen)
		}
	})
}

// The newest fault is kept, whether or not the state followed it.
func TestFault(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		feed(&s, "++")
		s.record(verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonRefused})
		feed(&s, "+++")
		if status, _ := s.shown(time.Now()); s.fault.reason != checker.ReasonRefused || status != checker.Online {
			t.Errorf("the last reason of a site that is %v was %q; want refused", status, s.fault.reason)
		}
	})
}

// The uptime is package watch's, of the last hours by the clock.
func TestUptime(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		uptime := func(hours int) string {
			up, measured := s.uptime(time.Now(), hours)
			return fmt.Sprint(up, " of ", measured)
		}
		if got := uptime(week); got != "0s of 0s" {
			t.Errorf("before any verdict the uptime was %s", got)
		}
		feed(&s, "++---") // two minutes up, two down, and the last counts for two more
		time.Sleep(23 * time.Hour)
		feed(&s, "+++++") // four minutes up
		for _, test := range []struct {
			hours int
			want  string
		}{{24, "6m0s of 10m0s"}, {23, "4m0s of 4m0s"}, {week, "6m0s of 10m0s"}} {
			if got := uptime(test.hours); got != test.want {
				t.Errorf("the uptime of %d hours was %s; want %s", test.hours, got, test.want)
			}
		}
		time.Sleep(week * time.Hour)
		if got, want := uptime(week), "0s of 0s"; got != want {
			t.Errorf("a week later the uptime was %s; want %s", got, want)
		}
	})
}

// An uptime says over what it was measured, unless that is what its column says.
func TestUptimeOf(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		start := time.Now()
		for _, test := range []struct {
			after time.Duration // since the first check
			want  [2]uptime
		}{
			{0, [2]uptime{{"–", ""}, {"–", ""}}},
			{46 * time.Second, [2]uptime{{"100 %", "46 s"}, {"100 %", "46 s"}}},
			{22*time.Hour + 30*time.Minute, [2]uptime{{"100 %", "22 h"}, {"100 %", "22 h"}}},
			{24 * time.Hour, [2]uptime{{"100 %", ""}, {"100 %", "24 h"}}},
			{3 * 24 * time.Hour, [2]uptime{{"100 %", ""}, {"100 %", "3 days"}}},
			{7 * 24 * time.Hour, [2]uptime{{"100 %", ""}, {"100 %", ""}}},
		} {
			for end := start.Add(test.after); ; time.Sleep(min(time.Minute, time.Until(end))) {
				s.record(given('+', time.Now()))
				if !time.Now().Before(end) {
					break
				}
			}
			now := time.Now()
			if got := [2]uptime{s.shownUptime(now, 24), s.shownUptime(now, week)}; got != test.want {
				t.Errorf("after %v the uptimes of 24 h and 7 days are %q; want %q", test.after, got, test.want)
			}
		}
	})
}

func TestLatency(t *testing.T) {
	var s site
	if now, p95 := s.latency(); now != 0 || p95 != 0 {
		t.Errorf("without a sample the latencies were %v and %v", now, p95)
	}
	for i := range 2 * kept {
		s.record(verdict{at: time.Unix(int64(i), 0), status: checker.Online, latency: time.Duration(i) * time.Millisecond})
	}
	if now, p95 := s.latency(); now != 119*time.Millisecond || p95 != 116*time.Millisecond || len(s.samples) != kept {
		t.Errorf("of %d samples the latencies were %v and %v; want 119ms and 116ms of %d", len(s.samples), now, p95, kept)
	}
	s.record(verdict{at: time.Unix(200, 0), status: checker.Offline})
	if now, p95 := s.latency(); now != 0 || p95 != 117*time.Millisecond {
		t.Errorf("when offline the latencies were %v and %v; want 0 and 117ms", now, p95)
	}
}

// A certificate is remembered while nothing newer is known of it.
func TestCertificate(t *testing.T) {
	var s site
	end := time.Unix(1e9, 0)
	s.record(verdict{status: checker.Online, expires: end})
	s.record(verdict{status: checker.Offline, reason: checker.ReasonRefused})
	if s.expires != end {
		t.Errorf("after a refused connection the certificate ended at %v; want %v", s.expires, end)
	}
	s.record(verdict{status: checker.Online}) // by http, now
	if !s.expires.IsZero() {
		t.Errorf("over http the certificate ended at %v; want none", s.expires)
	}
}

func TestSpark(t *testing.T) {
	at := func(letter rune, ms int) verdict {
		return verdict{status: letters[letter], latency: time.Duration(ms) * time.Millisecond}
	}
	got := newSpark([]verdict{at('+', 10), at('+', 5), at('+', 6), at('-', 0), at('+', 10), at('?', 0)})
	want := spark{
		Line:    "M110 3h.01l2 11 2-2M118 3h.01",
		Area:    "M110 3l2 11 2-2V26H110ZM118 3V26H118Z",
		Offline: "M116 3V26",
		Unknown: "M120 3V26",
		Label:   "last 6 checks: 4 online, 1 offline, 1 unknown",
		N:       6,
	}
	if got != want {
		t.Errorf("newSpark drew\n%+v; want\n%+v", got, want)
	}
}

// The certificate that ends first is the one to be warned of, be it that of an authority.
func TestExpires(t *testing.T) {
	soon := time.Unix(1e9, 0)
	leaf := checker.Cert{NotAfter: soon.AddDate(1, 0, 0)}
	r := checker.Result{StatusCode: 200, TLS: &checker.TLS{NotAfter: leaf.NotAfter, Chain: []checker.Cert{leaf, {NotAfter: soon}}}}
	if got := newVerdict(r).expires; !got.Equal(soon) {
		t.Errorf("the certificate expires at %v; want %v, as the intermediate does", got, soon)
	}
	if got := newVerdict(checker.Result{StatusCode: 200}).expires; !got.IsZero() {
		t.Errorf("without TLS a certificate expires at %v", got)
	}
}

// A site that was never anything but Unknown is so since its first check, also when that is
// no sample any more.
func TestUnknownSince(t *testing.T) {
	var s site
	first := time.Unix(1e9, 0)
	for i := range 2 * kept {
		s.record(given('?', first.Add(time.Duration(i)*time.Minute)))
	}
	if status, since := s.shown(first.Add(2 * kept * time.Minute)); status != checker.Unknown || !since.Equal(first) {
		t.Errorf("the site is %v since %v; want unknown since %v", status, since, first)
	}
}
