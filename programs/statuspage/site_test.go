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
)

// letters are short forms of verdicts and states.
var letters = map[rune]checker.Status{'+': checker.Online, '-': checker.Offline, '?': checker.Unknown}

// feed records verdicts a minute apart and returns the state after each, in
// letters.
func feed(s *site, verdicts string) string {
	var states strings.Builder
	for _, letter := range verdicts {
		time.Sleep(time.Minute)
		s.record(verdict{at: time.Now(), status: letters[letter]})
		for l, status := range letters {
			if status == s.status {
				states.WriteRune(l)
			}
		}
	}
	return states.String()
}

// The state changes only after two equal verdicts in a row.
func TestState(t *testing.T) {
	for _, test := range []struct {
		verdicts, states string
		since            int // the verdict that the last state counts from
		online, offline  int // how many of them are counted
	}{
		{"+", "+", 0, 1, 0},
		{"-", "-", 0, 0, 1}, // the first one has nothing to change
		{"?", "?", 0, 0, 0},
		{"+++", "+++", 0, 3, 0},
		{"++-", "+++", 0, 2, 0},
		{"++-+", "++++", 0, 3, 0}, // a lone failure is none
		{"++--", "+++-", 2, 2, 2},
		{"+-+-+-", "++++++", 0, 3, 0},
		{"+-?-?-", "++++++", 0, 1, 0}, // never two equal ones
		{"+-?--", "++++-", 3, 1, 2},
		{"+--++", "++--+", 3, 3, 2},
		{"++??", "+++?", 2, 2, 0}, // unknown is shown, and is no downtime
		{"++???++", "+++???+", 5, 4, 0},
		{"--??--", "---??-", 4, 0, 4},
	} {
		t.Run(test.verdicts, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				var s site
				start := time.Now()
				if got := feed(&s, test.verdicts); got != test.states {
					t.Errorf("after the verdicts %s the states were %s; want %s", test.verdicts, got, test.states)
				}
				if got, want := s.since.Sub(start), time.Duration(test.since+1)*time.Minute; got != want {
					t.Errorf("after %s the state was since %v; want %v", test.verdicts, got, want)
				}
				if tally := s.hourOf(time.Now()); tally.online != test.online || tally.offline != test.offline {
					t.Errorf("%s was counted as %d online and %d offline; want %d and %d",
						test.verdicts, tally.online, tally.offline, test.online, test.offline)
				}
			})
		})
	}
}

// The newest fault is kept, whether or not the state followed it.
func TestFault(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		feed(&s, "++")
		s.record(verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonRefused})
		feed(&s, "+++")
		if s.fault.reason != checker.ReasonRefused || s.status != checker.Online {
			t.Errorf("the last reason of a site that is %v was %q; want refused", s.status, s.fault.reason)
		}
	})
}

func TestUptime(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		uptime := func(hours int64) string {
			share, ok := s.uptime(time.Now(), hours)
			return fmt.Sprintf("%.4f %t", share, ok)
		}
		if got := uptime(week); got != "0.0000 false" {
			t.Errorf("before any verdict the uptime was %s", got)
		}
		feed(&s, "++--") // 2 of 4
		time.Sleep(23 * time.Hour)
		feed(&s, "--++++") // 4 of 6
		if got, want := uptime(24), "0.6000 true"; got != want {
			t.Errorf("the uptime of a day was %s; want %s", got, want)
		}
		time.Sleep(2 * time.Hour)
		if got, want := uptime(24), "0.6667 true"; got != want {
			t.Errorf("the uptime of the next day was %s; want %s", got, want)
		}
		if got, want := uptime(week), "0.6000 true"; got != want {
			t.Errorf("the uptime of the week was %s; want %s", got, want)
		}
		time.Sleep(week * time.Hour)
		feed(&s, "?")
		if got, want := uptime(week), "0.0000 false"; got != want {
			t.Errorf("a week later the uptime was %s; want %s", got, want)
		}
		feed(&s, "++")
		if got, want := uptime(week), "1.0000 true"; got != want {
			t.Errorf("then the uptime was %s; want %s", got, want)
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
			sites = append(sites, &site{status: letters[letter]})
		}
		s := newSummary(sites, time.Now(), true, time.Now())
		if got := s.Class + ": " + s.Headline; got != want {
			t.Errorf("the headline of %q is %q; want %q", states, got, want)
		}
	}
	many := slices.Repeat([]*site{{status: checker.Offline}}, 9)
	if s := newSummary(many, time.Now(), true, time.Now()); len(s.Trouble) != maxTrouble || s.More != 9-maxTrouble {
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
