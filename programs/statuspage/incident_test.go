package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// An incident begins with the first failure of those that made the site offline, and
// ends with the first answer; what is Unknown is none.
func TestIncidents(t *testing.T) {
	for verdicts, want := range map[string]string{
		"++":           "",
		"-+":           "",
		"+-+":          "",
		"+--":          "2–",
		"--":           "1–",
		"+--+":         "2–4",
		"+-?-+":        "2–5",
		"+--??":        "2–",
		"+--??+":       "2–6",
		"+---+-+--+--": "2–5 8–10 11–",
	} {
		bubble.Test(t, func(t *testing.T) {
			var s site
			start := time.Now()
			minute := func(at time.Time) string {
				if at.IsZero() {
					return ""
				}
				return fmt.Sprint(int(at.Sub(start).Minutes()))
			}
			feed(&s, verdicts)
			var got []string
			for _, x := range s.incidents {
				if x.reason != checker.ReasonReset {
					t.Errorf("after %s the reason is %q; want reset", verdicts, x.reason)
				}
				got = append(got, minute(x.began)+"–"+minute(x.ended))
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("after %s the incidents are %q; want %q", verdicts, got, want)
			}
		})
	}
}

// The newest are kept.
func TestIncidentsKept(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var s site
		feed(&s, strings.Repeat("--+", keptIncidents+7))
		if n, first := len(s.incidents), s.incidents[0].began; n != keptIncidents || time.Since(first) > 3*keptIncidents*time.Minute {
			t.Errorf("%d incidents are kept, since %v; want %d", n, first, keptIncidents)
		}
	})
}

// A database has the incidents that the memory has, each once. Where it could not be
// written to for a while they are stored later, with the state that they tell of.
func TestStoreIncidents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.db")
	db := open(t, file)
	b := newBoard([]*site{parseSite("a.example"), parseSite("b.example")})
	start := time.Now().Truncate(time.Millisecond)
	feed := func(i, minute int, letter rune) error {
		v := given(letter, start.Add(time.Duration(minute)*time.Minute))
		v.cause, v.text = checker.CauseBeforeAnswer, "it's closed"
		return db.save(b.record(i, v))
	}
	exec := func(statement string) {
		t.Helper()
		if _, err := db.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for minute, letter := range "+--+-" {
		if err := feed(0, minute, letter); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TRIGGER full BEFORE INSERT ON sample BEGIN SELECT RAISE(ABORT, 'full'); END`)
	for minute, letter := range "--+--" {
		if err := feed(0, 10+minute, letter); err == nil {
			t.Fatal("a full disk is no error")
		}
	}
	exec(`DROP TRIGGER full`)
	if err := feed(1, 20, '+'); err != nil { // of another site
		t.Fatal(err)
	}
	_ = db.close()
	again := newBoard([]*site{parseSite("a.example")})
	if err := open(t, file).restore(again); err != nil {
		t.Fatal(err)
	}
	got, want := again.sites[0], b.sites[0]
	if len(want.incidents) != 3 || !reflect.DeepEqual(got.incidents, want.incidents) {
		t.Errorf("the incidents came back as\n%v; want\n%v", got.incidents, want.incidents)
	}
	if got, want := got.tracker.State(), want.tracker.State(); got != want {
		t.Errorf("the state came back as %v; want %v", got, want)
	}
}

// A bar is a day: grey where nobody looked, and with a red part, however small, where
// the site was down.
func TestDays(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := newBoard([]*site{parseSite("a.example")})
		at := time.Now()
		for _, stretch := range []struct {
			letter rune
			n      int // minutes
		}{{'+', 12 * 60}, {'-', 60}, {'+', 36*60 - 60 - 12}, {'-', 2}, {'+', 24*60 + 10}} {
			for range stretch.n {
				at = at.Add(time.Minute)
				b.record(0, given(stretch.letter, at))
			}
		}
		time.Sleep(time.Until(at))
		d := newDetail(0, b.sites[0], time.Now().UTC())
		days := d.Days[len(d.Days)-5:]
		want := []day{
			{X: 85 * BarStep, Title: "31 December 1999: not measured"},
			{X: 86 * BarStep, Down: 4, Class: "offline", Title: "1 January 2000: 95.83 % of 23 h"}, // and 59 minutes
			{X: 87 * BarStep, Down: 4, Class: "offline", Title: "2 January 2000: 99.86 % of 24 h"},
			{X: 88 * BarStep, Class: "online", Title: "3 January 2000: 100 % of 24 h"},
			{X: 89 * BarStep, Title: "4 January 2000: not measured"},
		}
		if !reflect.DeepEqual(days, want) {
			t.Errorf("the last days are\n%+v; want\n%+v", days, want)
		}
		if want := "of the last 90 days 1 without an outage, 2 with one, 87 not measured"; d.DaysLabel != want {
			t.Errorf("in words they are %q; want %q", d.DaysLabel, want)
		}
	})
}

// The page of a site has its address wherever the site is in the list, and does not
// tell passwords.
func TestSiteRoutes(t *testing.T) {
	const line = "https://user:secret@a.example/ " + evil + "\n"
	for _, text := range []string{line, "b.example\n" + line} {
		b := listed(text)
		i := len(b.sites) - 1
		for range 2 {
			b.record(i, verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonCertificate, cause: checker.CauseExpired, text: evil})
		}
		w := get(newServer(options{}, b), "/sites/"+siteKey("https://a.example/"))
		page := w.Body.String()
		for _, want := range []string{"&lt;script&gt;", `<code>certificate · expired</code>`, "https://a.example/", "<b>now</b>"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not contain %q", want)
			}
		}
		for _, never := range []string{"secret", "<img", "<script>", ` style=`} {
			if strings.Contains(page, never) {
				t.Errorf("the page contains %q", never)
			}
		}
	}
	if w := get(newServer(options{}, listed(line)), "/sites/0"); w.Code != http.StatusNotFound {
		t.Errorf("GET /sites/0 = %d; want 404", w.Code)
	}
}

// The page of a site follows it, and it alone.
func TestSiteLive(t *testing.T) {
	b := listed("a.example A +\nb.example B +\n")
	s := httptest.NewServer(newServer(options{title: "Test"}, b))
	t.Cleanup(s.Close)
	ctx := browser(t)
	console := complaints(t, ctx)
	do(t, ctx, chromedp.Navigate(s.URL), chromedp.Click(`//tr[@id="s0"]//a`), chromedp.WaitVisible("#detail"))
	poll(t, ctx, `document.title === "A + is online · Test"`)
	eval[bool](t, ctx, `window.marker = true`)
	offline(b, 1)
	offline(b, 0)
	poll(t, ctx, `document.title === "A + is offline · Test" && document.querySelectorAll(".incidents .offline").length === 1`)
	b.record(0, given('+', time.Now()))
	poll(t, ctx, `document.title === "A + is online · Test" && document.querySelectorAll(".incidents li:not(.offline)").length === 1`)
	if !eval[bool](t, ctx, `window.marker`) {
		t.Error("the page was loaded again")
	}
	do(t, ctx, chromedp.Click(`//p[@class="title"]/a`), chromedp.WaitVisible(`//tr[@id="s1" and @class="offline"]`))
	if all := console(); len(all) > 0 {
		t.Errorf("the console has %v", all)
	}
}
