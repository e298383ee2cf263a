package main

import (
	"slices"
	"testing"
	"time"

	"example.com/checker"
)

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
		{percent(0, 0), "–"},
		{percent(time.Hour, time.Hour), "100 %"},
		{percent(week*time.Hour-1, week*time.Hour), "99.99 %"}, // 100 % says that nothing failed
		{percent(time.Second, 2*time.Second), "50 %"},
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
		s := newSummary(newBoard(sites), now)
		if got := s.Class + ": " + s.Headline; got != want {
			t.Errorf("the headline of %q is %q; want %q", states, got, want)
		}
	}
	down := new(site)
	down.record(given('-', now))
	down.record(given('-', now))
	if s := newSummary(newBoard(slices.Repeat([]*site{down}, 9)), now); len(s.Trouble) != maxTrouble || s.More != 9-maxTrouble {
		t.Errorf("of 9 sites offline, %d were named and %d more; want %d", len(s.Trouble), s.More, maxTrouble)
	}
}
