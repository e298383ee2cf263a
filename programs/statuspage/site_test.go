package main

import (
	"fmt"
	"math"
	"slices"
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
			share, ok := s.uptime(time.Now(), hours)
			return fmt.Sprintf("%.4f %t", share, ok)
		}
		if got := uptime(week); got != "0.0000 false" {
			t.Errorf("before any verdict the uptime was %s", got)
		}
		feed(&s, "++---") // two minutes up, two down, and the last counts for two more
		time.Sleep(23 * time.Hour)
		feed(&s, "+++++") // four minutes up
		for _, test := range []struct {
			hours int
			want  string
		}{{24, "0.6000 true"}, {23, "1.0000 true"}, {week, "0.6000 true"}} {
			if got := uptime(test.hours); got != test.want {
				t.Errorf("the uptime of %d hours was %s; want %s", test.hours, got, test.want)
			}
		}
		time.Sleep(week * time.Hour)
		if got, want := uptime(week), "0.0000 false"; got != want {
			t.Errorf("a week later the uptime was %s; want %s", got, want)
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

func TestWords(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{ago(-time.Second), "0 s"},
		{ago(59 * time.Second), "59 s"},
		{ago(61 * time.Minute), "1 h 1 min"},
		{ago(47 * time.Hour), "47 h"},
		{ago(50 * time.Hour), "2 days"},
		{brief(0), "–"},
		{brief(1234 * time.Microsecond), "1.2 ms"},
		{brief(999 * time.Millisecond), "999 ms"},
		{brief(1250 * time.Millisecond), "1.2 s"},
		{percent(0, false), "–"},
		{percent(1, true), "100 %"},
		{percent(math.Nextafter(1, 0), true), "99.99 %"}, // 100 % says that nothing failed
		{percent(.5, true), "50 %"},
		{class(""), "waiting"},
		{word(checker.Unknown), "Unknown"},
		{cut("short", 9), "short"},
		{cut("a text, cut", 9), "a text…"},
		{cut("üüü", 3), "ü…"},
		{count(1, "site"), "1 site"},
		{count(0, "site"), "0 sites"},
	} {
		if test.got != test.want {
			t.Errorf("got %q; want %q", test.got, test.want)
		}
	}
	now := time.Now()
	for left, want := range map[time.Duration][2]string{
		-time.Minute:        {"expired", "over"},
		time.Hour:           {"0 days", "soon"},
		13 * 24 * time.Hour: {"13 days", "soon"},
		30 * 24 * time.Hour: {"30 days", ""},
	} {
		if text, class := lifetime(now.Add(left), now); text != want[0] || class != want[1] {
			t.Errorf("lifetime(%v) = %q, %q; want %q", left, text, class, want)
		}
	}
}

func TestHeadline(t *testing.T) {
	now := time.Now()
	for states, want := range map[string]string{
		"+":    "online: The site is online",
		"-":    "offline: The site is offline",
		"?":    "unknown: No verdict on 1 of 1 site",
		"++":   "online: All 2 sites are online",
		"+-?":  "offline: 1 of 3 sites is offline",
		"--+":  "offline: 2 of 3 sites are offline",
		"+?":   "unknown: No verdict on 1 of 2 sites",
		"+  ":  "waiting: Checking 2 sites for the first time",
		"-- ?": "offline: 2 of 4 sites are offline",
	} {
		var sites []*site
		for _, letter := range states {
			s := new(site)
			if letter != ' ' {
				s.record(given(letter, now))
				s.record(given(letter, now))
			}
			sites = append(sites, s)
		}
		s := newSummary(sites, now, true, now)
		if got := s.Class + ": " + s.Headline; got != want {
			t.Errorf("the headline of %q is %q; want %q", states, got, want)
		}
	}
	down := new(site)
	down.record(given('-', now))
	down.record(given('-', now))
	if s := newSummary(slices.Repeat([]*site{down}, 9), now, true, now); len(s.Trouble) != maxTrouble || s.More != 9-maxTrouble {
		t.Errorf("of 9 sites offline, %d were named and %d more; want %d", len(s.Trouble), s.More, maxTrouble)
	}
}

func TestSpark(t *testing.T) {
	at := func(letter rune, ms int) verdict {
		return verdict{status: letters[letter], latency: time.Duration(ms) * time.Millisecond}
	}
	got := newSpark([]verdict{at('+', 10), at('+', 5), at('-', 0), at('+', 10), at('?', 0)})
	want := spark{
		Line:    "M112 3.0h.01L112 3.0L114 14.0M118 3.0h.01L118 3.0",
		Area:    "M112 3.0L112 3.0L114 14.0V26H112ZM118 3.0L118 3.0V26H118Z",
		Offline: "M116 3V26",
		Unknown: "M120 3V26",
		Label:   "last 5 checks: 3 online, 1 offline, 1 unknown",
	}
	if got != want {
		t.Errorf("newSpark drew\n%+v; want\n%+v", got, want)
	}
}
