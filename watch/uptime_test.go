package watch

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"example.com/checker"
)

func TestUptime(t *testing.T) {
	for _, test := range []struct {
		verdicts     string // a minute apart
		up, measured time.Duration
	}{
		{"", 0, 0},
		{"+", 0, 0}, // it speaks for the time until the next one
		{"++", 1, 1},
		{"+++--", 3, 4}, // of a row of two the first counts, too
		{"+++---", 3, 5},
		{"+++-+", 3 + 1, 4},   // a lone failure counts as what was told: Online
		{"+-?-+", 1, 3},       // and a row of two as Offline, since its first
		{"+??+", 1, 1},        // nobody knows
		{"-+", 0, 0},          // nor what it was before it was anything
		{"--+", 0, 2},         //
		{"+!!+", 2, 2},        // as if there were nothing between, for twice the interval
		{"+!!!!!!!!!+", 2, 2}, // and no longer
		{"-!!!!!-", 0, 2},
	} {
		var tr Tracker
		feed(&tr, test.verdicts)
		up, measured := tr.Uptime(epoch, epoch.Add(time.Hour))
		if up != test.up*time.Minute || measured != test.measured*time.Minute {
			t.Errorf("Uptime of %q = %v, %v; want %dm, %dm", test.verdicts, up, measured, test.up, test.measured)
		}
	}
}

// A time is taken in whole hours.
func TestUptimeOfATime(t *testing.T) {
	var tr Tracker
	for i := range 5*60 + 1 {
		letter := byte('+')
		if i/60 == 2 {
			letter = '-'
		}
		tr.Add(result(letter, epoch.Add(time.Duration(i)*time.Minute)))
	}
	for _, test := range []struct {
		from, to     time.Duration
		up, measured time.Duration
	}{
		{0, 5 * time.Hour, 4, 5},
		{0, 2 * time.Hour, 2, 2},
		{59 * time.Minute, 60 * time.Minute, 1, 1},
		{90 * time.Minute, 150 * time.Minute, 1, 2},
		{2 * time.Hour, 2*time.Hour + 1, 0, 0}, // less than what is kept of a time
		{2 * time.Hour, 2*time.Hour + time.Millisecond, 0, 1},
		{-time.Hour, 0, 0, 0},
		{5 * time.Hour, 9 * time.Hour, 0, 0},
		{3 * time.Hour, time.Hour, 0, 0},
	} {
		up, measured := tr.Uptime(epoch.Add(test.from), epoch.Add(test.to))
		if up != test.up*time.Hour || measured != test.measured*time.Hour {
			t.Errorf("Uptime from %v to %v = %v, %v; want %dh, %dh", test.from, test.to, up, measured, test.up, test.measured)
		}
	}
	if n := len(tr.learned.Hours); n != 4 {
		t.Errorf("five hours, of which two and two are alike, are %d entries; want 4, as the newest stands alone", n)
	}
}

// What is measured is what a look at all Results together gives, restarts included.
func TestUptimeProperties(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 2))
		every := time.Duration(1+random.IntN(40)) * time.Minute
		tr := &Tracker{Rise: 1 + random.IntN(2), Fall: 1 + random.IntN(3), Every: every}
		verdicts := randomFeed(random)
		var all []told
		for i, at := 0, epoch; i < len(verdicts); i++ {
			state, changed := tr.Add(result(verdicts[i], at))
			if verdicts[i] != '!' {
				all = append(all, told{verdicts[i], at, state.Status, changed})
			}
			if random.IntN(4) == 0 {
				tr = restarted(t, tr)
			}
			at = at.Add(time.Duration(random.IntN(int(3 * every))).Truncate(time.Millisecond))
		}
		up, measured := tr.Uptime(epoch, epoch.AddDate(1, 0, 0))
		if wantUp, want := measure(all, 2*every); up != wantUp || measured != want {
			t.Errorf("seed %d: Uptime of %s = %v, %v; want %v, %v", seed, verdicts, up, measured, wantUp, want)
		}
	}
}

// told is a Result and what a Tracker said to it.
type told struct {
	letter  byte
	at      time.Time
	state   checker.Status
	changed bool
}

// measure sums up what Results speak for, with all of them at hand.
func measure(all []told, most time.Duration) (up, measured time.Duration) {
	for i := range len(all) - 1 {
		if all[i].letter == '?' {
			continue
		}
		verdict, counts := letters[all[i].letter], all[i].state
		for _, next := range all[i:] {
			other := letters[next.letter]
			if next.state == verdict || other != verdict && other != checker.Unknown {
				if next.state == verdict {
					counts = verdict // its row made the state, or was of it
				}
				break
			}
			if next == all[len(all)-1] {
				counts = "" // it is open
			}
		}
		if counts == "" {
			continue
		}
		d := min(all[i+1].at.Sub(all[i].at), most)
		if measured += d; counts == checker.Online {
			up += d
		}
	}
	return up, measured
}

// A clock that is wrong for a while costs no more than that while.
func TestUptimeClock(t *testing.T) {
	var tr Tracker
	at := epoch
	add := func(n int) {
		for range n {
			tr.Add(result('+', at))
			at = at.Add(time.Minute)
		}
	}
	add(60)
	right := at
	at = at.AddDate(80, 0, 0)
	add(90)
	if _, measured := tr.Uptime(epoch, right); measured != time.Hour {
		t.Errorf("with the clock ahead %v are measured of before; want 1h", measured)
	}
	at = right
	add(60)
	restarted(t, &tr)
	if up, measured := tr.Uptime(epoch, at); up != measured || measured != 2*time.Hour {
		t.Errorf("with the clock right again Uptime = %v, %v; want 2h", up, measured)
	}
	if _, measured := tr.Uptime(right.AddDate(79, 0, 0), right.AddDate(81, 0, 0)); measured != 0 {
		t.Errorf("of a future %v are measured; want none", measured)
	}
	at = at.Add(-30 * time.Minute)
	add(60)
	restarted(t, &tr)
	if _, measured := tr.Uptime(at.Add(-time.Hour), at); measured > 2*time.Hour {
		t.Errorf("in two hours of which half came twice %v are measured; want no more than two", measured)
	}
}

// However long and unsteady, a site's history is bounded, and a steady one is small.
func TestUptimeMemory(t *testing.T) {
	steady, restless := Tracker{Every: 10 * time.Minute}, Tracker{Every: 10 * time.Minute}
	for i := range 6 * 24 * 200 {
		at := epoch.Add(time.Duration(i) * 10 * time.Minute)
		steady.Add(result('+', at))
		restless.Add(result("+++--++--"[i*i%9], at))
	}
	end := epoch.Add(200 * 24 * time.Hour)
	for name, tr := range map[string]*Tracker{"steady": &steady, "restless": &restless} {
		if _, measured := tr.Uptime(end.AddDate(0, 0, -90), end); measured < 90*24*time.Hour-time.Hour {
			t.Errorf("%s: %v are measured of 90 days", name, measured)
		}
	}
	if n := len(steady.learned.Hours); n > 3 {
		t.Errorf("200 steady days are %d entries; want 3 at most", n)
	}
	if n := len(restless.learned.Hours); n > kept {
		t.Errorf("200 restless days are %d entries; want %d at most", n, kept)
	}
	text, err := json.Marshal(steady)
	if err != nil || len(text) > 400 {
		t.Errorf("200 steady days are %d bytes of JSON, %v; want few", len(text), err)
	}
}

// Hours that are alike are one entry only if none is between them, and a clock that is
// set back by hours forgets those.
func TestUptimeEntries(t *testing.T) {
	tr := Tracker{Every: time.Hour}
	for i, letter := range []byte("+++??++++") {
		tr.Add(result(letter, epoch.Add(time.Duration(i)*time.Hour)))
	}
	for n, want := range []time.Duration{1, 1, 1, 0, 0, 1, 1, 1, 0} {
		from := epoch.Add(time.Duration(n) * time.Hour)
		if up, _ := tr.Uptime(from, from.Add(time.Hour)); up != want*time.Hour {
			t.Errorf("of hour %d %v are Online; want %dh", n, up, want)
		}
	}
	for _, hours := range []time.Duration{6, 7, 8} { // again
		tr.Add(result('+', epoch.Add(hours*time.Hour)))
	}
	restarted(t, &tr)
	if up, measured := tr.Uptime(epoch, epoch.AddDate(0, 0, 1)); up != 6*time.Hour || measured != up {
		t.Errorf("with the clock set back by two hours Uptime = %v, %v; want 6h", up, measured)
	}
	if _, measured := tr.Uptime(epoch.Add(8*time.Hour), epoch.Add(9*time.Hour)); measured != 0 {
		t.Errorf("of the hour that is still to come %v are measured", measured)
	}
}
