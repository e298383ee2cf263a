package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

// letters are short forms of verdicts and states.
var letters = map[byte]checker.Status{'+': checker.Online, '-': checker.Offline, '?': checker.Unknown, '.': ""}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// result returns one with the verdict of a letter, of a check that began at a time.
func result(letter byte, at time.Time) checker.Result {
	switch letter {
	case '+':
		return checker.Result{StatusCode: 200, Start: at}
	case '-':
		return checker.Result{Err: checker.ReasonRefused, Start: at}
	case '!':
		return checker.Result{Err: checker.ReasonCanceled, Start: at}
	}
	return checker.Result{Err: checker.ReasonDNS, Start: at}
}

// feed adds Results a minute apart, and returns in letters the states after each, with
// "*" behind those that were told to be changes.
func feed(t *Tracker, verdicts string) string {
	var states strings.Builder
	for i := range len(verdicts) {
		state, changed := t.Add(result(verdicts[i], epoch.Add(time.Duration(i)*time.Minute)))
		for letter, status := range letters {
			if status == state.Status {
				states.WriteByte(letter)
			}
		}
		if changed {
			states.WriteByte('*')
		}
	}
	return states.String()
}

func TestTracker(t *testing.T) {
	for _, test := range []struct {
		rise, fall       int
		verdicts, states string
		since            int // the Result that the last state counts from
		last             byte
		seen             int // the newest Result that was not Unknown
	}{
		{0, 0, "+", "+*", 0, '+', 0},
		{0, 0, "-", ".", -1, '-', 0},
		{0, 0, "?", ".", -1, '?', -1},
		{0, 0, "--", ".-*", 0, '-', 1},
		{0, 0, "-+-", ".+*+", 1, '-', 2},
		{0, 0, "++-", "+*++", 0, '-', 2},
		{0, 0, "++-+-+", "+*+++++", 0, '+', 5}, // lone failures are noise
		{0, 0, "++--", "+*++-*", 2, '-', 3},
		{0, 0, "+--+", "+*+-*+*", 3, '+', 3},
		{0, 0, "+---", "+*+-*-", 1, '-', 3},
		{0, 0, "+???", "+*+++", 0, '?', 0}, // shown beside it, and nothing else
		{0, 0, "+-?-", "+*++-*", 1, '-', 3},
		{0, 0, "+-??+-", "+*+++++", 0, '-', 5},
		{0, 0, "?-?-?", "...-*-", 1, '?', 3},
		{0, 0, "--?+", ".-*-+*", 3, '+', 3},
		{0, 0, "+-!-!", "+*++-*-", 1, '-', 3},
		{0, 0, "!", ".", -1, '.', -1},
		{0, 0, "+!", "+*+", 0, '+', 0}, // not made, so not Unknown
		{3, 1, "++-", "..-*", 2, '-', 2},
		{3, 1, "+++-+++", "..+*-*--+*", 4, '+', 6},
		{3, 1, "-++?+", "-*---+*", 1, '+', 4},
		{2, 3, "+-+--+-+---", "..........-*", 8, '-', 10},
		{-1, -9, "+--", "+*+-*", 1, '-', 2},
	} {
		tr := &Tracker{Rise: test.rise, Fall: test.fall}
		if got := feed(tr, test.verdicts); got != test.states {
			t.Errorf("Rise %d, Fall %d: the states of %s are %s; want %s", test.rise, test.fall, test.verdicts, got, test.states)
		}
		at := func(n int) time.Time {
			if n < 0 {
				return time.Time{}
			}
			return epoch.Add(time.Duration(n) * time.Minute)
		}
		got := tr.State()
		if want := (State{got.Status, at(test.since), letters[test.last], at(test.seen)}); got != want {
			t.Errorf("Rise %d, Fall %d: %s ends with %+v; want %+v", test.rise, test.fall, test.verdicts, got, want)
		}
	}
}

// A random feed has stretches of mostly one verdict, as sites have.
func randomFeed(random *rand.Rand) string {
	feed := make([]byte, 1+random.IntN(60))
	mostly := byte('+')
	for i := range feed {
		if random.IntN(6) == 0 {
			mostly = "+-?"[random.IntN(3)]
		}
		if feed[i] = mostly; random.IntN(4) == 0 {
			feed[i] = "+-?!"[random.IntN(4)]
		}
	}
	return string(feed)
}

// What a Tracker says is what its definition says, whatever comes: a state changes with
// a row of Rise or Fall and never without one, each change is told once, and a restart
// between any two Results makes no difference.
func TestTrackerProperties(t *testing.T) {
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 1))
		tr := &Tracker{Rise: 1 + random.IntN(3), Fall: 1 + random.IntN(4)}
		need := map[byte]int{'+': tr.Rise, '-': tr.Fall}
		var want checker.Status
		row := "" // the verdicts since the last change that are not Unknown
		verdicts := randomFeed(random)
		for i := range len(verdicts) {
			letter := verdicts[i]
			state, changed := tr.Add(result(letter, epoch.Add(time.Duration(i)*time.Minute)))
			if n := need[letter]; n > 0 {
				row += string(letter)
				if due := letters[letter] != want && strings.HasSuffix(row, strings.Repeat(string(letter), n)); due != changed {
					t.Fatalf("seed %d: after %s changed is %t; want %t", seed, verdicts[:i+1], changed, due)
				}
			}
			if changed {
				want, row = letters[letter], ""
			}
			if state.Status != want {
				t.Fatalf("seed %d: after %s the state is %q; want %q", seed, verdicts[:i+1], state.Status, want)
			}
			if random.IntN(5) == 0 {
				tr = restarted(t, tr)
			}
		}
	}
}

// restarted returns a Tracker that has read what another one wrote.
func restarted(t *testing.T, tr *Tracker) *Tracker {
	t.Helper()
	text, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	next := &Tracker{Rise: tr.Rise, Fall: tr.Fall, Every: tr.Every}
	if err := json.Unmarshal(text, next); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if !reflect.DeepEqual(next, tr) {
		t.Fatalf("%s came back as %+v; want %+v", text, next, tr)
	}
	return next
}

func TestTrackerJSON(t *testing.T) {
	tr := &Tracker{Rise: 5, Fall: 3}
	if text, err := json.Marshal(tr); string(text) != "{}" || err != nil {
		t.Errorf("nothing learned is %s, %v; want {}", text, err)
	}
	feed(tr, "+++++-?")
	const want = `{"status":"online","since":"2026-03-01T12:00:00Z","last":"unknown","seen":"2026-03-01T12:05:00Z",` +
		`"at_ms":1772366760000,"next":"offline","row":1,"began":"2026-03-01T12:05:00Z",` +
		`"open":[{"from_ms":1772366700000,"to_ms":1772366760000}],"hours":[{"hour":492324,"n":1,"up_ms":300000,"down_ms":0}]}`
	text, err := json.Marshal(*tr)
	if string(text) != want || err != nil {
		t.Errorf("json.Marshal = %s, %v; want %s", text, err, want)
	}
}

func TestTrackerRefusesJSON(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{"status":5}`,
		`{"status":"unknown"}`, `{"status":"up"}`, `{"last":"up"}`,
		`{"last":"online"}`, `{"status":"online","last":"offline"}`, `{"status":"online","last":"online","next":"offline","row":1}`,
		`{"at_ms":1772366400000}`, `{"status":"online","at_ms":1772366400000}`,
		`{"status":"online","next":"online","row":1}`, `{"next":"offline"}`, `{"row":1}`, `{"next":"unknown","row":1}`, `{"next":"offline","row":-1}`,
		`{"open":[{"from_ms":1,"to_ms":2}]}`, `{"next":"offline","row":1,"open":[{"from_ms":2,"to_ms":1}]}`,
		`{"next":"offline","row":1,"open":[{"from_ms":1,"to_ms":9223372036854775807}]}`,
		`{"hours":[{"hour":1,"n":0}]}`, `{"hours":[{"hour":1,"n":2}]}`, `{"hours":[{"hour":1,"n":1,"up_ms":-1}]}`,
		`{"hours":[{"hour":1,"n":1,"up_ms":3600000,"down_ms":1}]}`, `{"hours":[{"hour":2,"n":1},{"hour":2,"n":1}]}`,
	} {
		tr := &Tracker{Fall: 4}
		feed(tr, "++-")
		before, _ := json.Marshal(tr)
		if err := json.Unmarshal([]byte(text), tr); err == nil {
			t.Errorf("json.Unmarshal(%s) = nil; want an error", text)
		}
		if after, _ := json.Marshal(tr); string(after) != string(before) || tr.Fall != 4 {
			t.Errorf("json.Unmarshal(%s) left %s; want %s", text, after, before)
		}
	}
}

// By the convention of json.Unmarshaler null is nothing to read.
func TestTrackerNull(t *testing.T) {
	tr := new(Tracker)
	feed(tr, "++-")
	before := tr.State()
	if err := json.Unmarshal([]byte("null"), tr); err != nil || tr.State() != before {
		t.Errorf("json.Unmarshal(null) = %v, and the state is %+v; want %+v", err, tr.State(), before)
	}
}

// Whatever is taken for a Tracker's own, and whatever Results come after it, with clocks
// that go back: it can be kept, and claims no hour twice.
func TestTrackerCanBeKept(t *testing.T) {
	statuses := []checker.Status{"", checker.Online, checker.Offline, checker.Unknown}
	first := epoch.UnixMilli()
	read := 0
	for seed := range uint64(4000) {
		random := rand.New(rand.NewPCG(seed, 3))
		members := make(map[string]any)
		for key, value := range map[string]any{
			"status": statuses[random.IntN(3)], "last": statuses[random.IntN(4)], "next": statuses[random.IntN(3)],
			"row":   []int{1, 2, math.MaxInt}[random.IntN(3)],
			"at_ms": []int64{1, -5, first - 60_000, math.MaxInt64, math.MinInt64}[random.IntN(5)],
			"open":  []stretch{{first - 600_000, first - 60_000}},
		} {
			if random.IntN(2) == 0 {
				members[key] = value
			}
		}
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		tr := &Tracker{Rise: random.IntN(4) - 1, Fall: []int{-1, 0, 1, 3, math.MaxInt}[random.IntN(5)]}
		if json.Unmarshal(text, tr) != nil {
			continue
		}
		read++
		for _, letter := range []byte(randomFeed(random)) {
			tr.Add(result(letter, epoch.Add(time.Duration(random.IntN(20))*time.Minute)))
			tr = restarted(t, tr)
		}
		if up, measured := tr.Uptime(epoch.Add(-time.Hour), epoch.Add(time.Hour)); up < 0 || up > measured || measured > 2*time.Hour {
			t.Fatalf("seed %d: after %s Uptime = %v, %v", seed, text, up, measured)
		}
	}
	if read < 100 {
		t.Errorf("of 4000 texts %d were read; want more", read)
	}
}

// Times and numbers that nobody means leave a Tracker that can be kept, too.
func TestTrackerFarTimes(t *testing.T) {
	for _, every := range []time.Duration{-1, 0, time.Minute, math.MaxInt64} {
		for _, at := range []time.Time{
			time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-2, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)), time.Unix(1<<60, 0), time.Unix(-1<<60, 0), epoch.AddDate(400, 0, 0),
		} {
			tr := &Tracker{Every: every}
			for i, letter := range []byte("+-+--?+") {
				tr.Add(result(letter, at.Add(time.Duration(i)*time.Minute)))
				tr = restarted(t, tr)
			}
			for _, years := range []int{0, 250, 260, 600} {
				tr.Add(result('+', epoch.AddDate(years, 0, 0)))
				tr = restarted(t, tr)
			}
			if got := tr.State().Status; got != checker.Online {
				t.Errorf("every %v, from %v: the state is %q; want online", every, at, got)
			}
		}
	}
}

// A row that does not end takes no more memory.
func TestTrackerLongRow(t *testing.T) {
	tr := &Tracker{Fall: math.MaxInt}
	feed(tr, "+"+strings.Repeat("-", 5*kept))
	if n := len(tr.learned.Open); n != 1 {
		t.Errorf("of %d failures in a row %d times are kept; want 1", 5*kept, n)
	}
	feed(tr, strings.Repeat("-?", 5*kept))
	if n := len(tr.learned.Open); n > kept {
		t.Errorf("of %d failures with Unknown between them %d times are kept; want %d at most", 5*kept, n, kept)
	}
	restarted(t, tr)
}

// FuzzTrackerJSON feeds whatever is taken for a Tracker's own, and reads it again.
func FuzzTrackerJSON(f *testing.F) {
	tr := new(Tracker)
	feed(tr, "+-?-+-")
	text, err := json.Marshal(tr)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text), "+--?+")
	f.Add(`{"next":"offline","row":3,"hours":[{"hour":492324,"n":1},{"hour":4000000000,"n":1}]}`, "-+")
	f.Fuzz(func(t *testing.T, text, verdicts string) {
		tr := new(Tracker)
		if json.Unmarshal([]byte(text), tr) != nil {
			return
		}
		feed(tr, verdicts)
		restarted(t, restarted(t, tr))
		if up, measured := tr.Uptime(epoch, epoch.Add(time.Hour)); up < 0 || up > measured || measured > 2*time.Hour {
			t.Errorf("%s: Uptime = %v, %v", text, up, measured)
		}
	})
}

// A Result that tells no time moves the state, and measures nothing.
func TestTrackerWithoutTimes(t *testing.T) {
	var tr Tracker
	for _, letter := range []byte("+?+--+") {
		tr.Add(result(letter, time.Time{}))
	}
	if got, want := tr.State(), (State{Status: checker.Online, Last: checker.Online}); got != want {
		t.Errorf("State() = %+v; want %+v", got, want)
	}
	if up, measured := tr.Uptime(time.Time{}, time.Now()); up != 0 || measured != 0 {
		t.Errorf("Uptime = %v, %v; want nothing", up, measured)
	}
	restarted(t, &tr)
}

// The reason that a caller gives decides, not that there is an error.
func TestTrackerTakesReasons(t *testing.T) {
	tr := Tracker{Fall: 1}
	for _, test := range []struct {
		err  error
		want checker.Status
	}{
		{errors.New("whatever"), checker.Unknown},
		{fmt.Errorf("wrapped: %w", checker.ReasonTimeout), checker.Offline},
		{&checker.Error{Reason: checker.ReasonLocal}, checker.Unknown},
		{checker.ReasonInvalid, checker.Unknown},
	} {
		if state, _ := tr.Add(checker.Result{Err: test.err}); state.Last != test.want {
			t.Errorf("%v is taken as %q; want %q", test.err, state.Last, test.want)
		}
	}
}
