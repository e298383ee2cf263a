package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/checker/examples/cli"
)

// listed returns a board with the sites of a list, which are as their names say: a
// letter of letters, or nothing for one that waits.
func listed(text string) *board {
	var sites []*site
	for line := range cli.NewList(strings.NewReader(text)).Sites() {
		sites = append(sites, newSite(line))
	}
	b := newBoard(sites)
	for i, s := range sites {
		for _, letter := range s.name {
			if _, is := letters[letter]; is {
				b.record(i, given(letter, time.Now()))
				b.record(i, given(letter, time.Now()))
			}
		}
	}
	return b
}

// Groups are in the order of the list, and so are the sites in them, but what is in
// trouble comes first. A heading that comes again goes on with its group.
func TestGroups(t *testing.T) {
	for list, want := range map[string]string{
		"a\nb\n":                                ": 0 1",
		"a +\nb -\nc ?\nd -\ne w\nf +\n":        ": 1 3 2 0 4 5",
		"a +\n## X\nb +\n## Y\nc +":             ": 0; X: 1; Y: 2",
		"a +\n## X\nb +\nc ?\n## Y\nd -":        "Y: 3; X: 2 1; : 0",
		"## X\na +\n## Y\nb w\n## X\nc -\n":     "X: 2 0; Y: 1",
		"## X\na +\n## " + evil + "\nb - <b>\n": evil + ": 1; X: 0",
	} {
		b := listed(list)
		l := b.look(0, time.Now())
		var got []string
		for _, g := range arrange(l.summary.Groups, l.rows) {
			text := g.Name + ":"
			for _, r := range g.Rows {
				text += fmt.Sprint(" ", r.ID)
			}
			got = append(got, text)
		}
		if got := strings.Join(got, "; "); got != strings.ReplaceAll(want, evil, clean(evil)) {
			t.Errorf("the groups of %q are %q; want %q", list, got, want)
		}
	}
}

// A search is found in names, addresses and headings, whatever its case.
func TestSearch(t *testing.T) {
	s := newServer(options{}, listed("a.example/X Ölmühle +\n## The SHOP\nb.example -\n"))
	for query, want := range map[string]string{
		"": "0 1", "%20%20": "0 1", "example": "0 1", "A.EXAMPLE/x": "0", "%C3%B6lm%C3%9C": "0", "the+shop": "1", "b.": "1", "nowhere": "",
	} {
		page := get(s, "/?q="+query).Body.String()
		var got []string
		for i := range 2 {
			if strings.Contains(page, fmt.Sprintf(`id="s%d" class="%s">`, i, []string{"online", "offline"}[i])) {
				got = append(got, fmt.Sprint(i))
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("GET /?q=%s shows %q; want %q", query, got, want)
		}
	}
}

const (
	shownRows   = `[...document.querySelectorAll("tr[id]")].filter(e => e.checkVisibility()).map(e => e.id).join(" ")`
	shownGroups = `[...document.querySelectorAll(".group")].filter(e => e.checkVisibility()).map(e => e.textContent.trim().split(" ")[0]).join(" ")`
)

// offline has a site of a board go down.
func offline(b *board, i int) {
	for range 2 {
		b.record(i, given('-', time.Now()))
	}
}

// What is typed is searched for at once, in what comes by events too, and the search
// stays when another state is chosen.
func TestSearchLive(t *testing.T) {
	b := listed("a.test A +\n## Xyz\nb.test B +\nc.test C +\n## Uvw\nd.test D -\n")
	s := httptest.NewServer(newServer(options{}, b))
	t.Cleanup(s.Close)
	ctx := browser(t)
	console := complaints(t, ctx)
	is := func(rows, groups string) {
		t.Helper()
		poll(t, ctx, shownRows+fmt.Sprintf(` === %q`, rows))
		if got := eval[string](t, ctx, shownGroups); got != groups {
			t.Errorf("the groups %q are shown; want %q", got, groups)
		}
	}
	do(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.URL))
	is("s3 s0 s1 s2", "Uvw Xyz")
	offline(b, 2)
	is("s2 s1 s3 s0", "Xyz Uvw")
	do(t, ctx, chromedp.SendKeys("#q", " xY"))
	is("s2 s1", "Xyz")
	offline(b, 1)
	is("s1 s2", "Xyz")
	do(t, ctx, chromedp.Click(`//a[contains(., "Offline")]`), chromedp.WaitVisible(`//a[contains(., "Offline") and @aria-current]`))
	is("s1 s2", "Xyz")
	eval[bool](t, ctx, `search.value = "", search.dispatchEvent(new Event("input"))`)
	is("s1 s2 s3", "Xyz Uvw")
	do(t, ctx, chromedp.SendKeys("#q", "nothing"), chromedp.WaitVisible(".nothing"))
	is("", "")
	do(t, ctx, chromedp.SendKeys("#q", "\r"), chromedp.WaitVisible(`//a[contains(@href, "show=online") and contains(@href, "q=nothing")]`))
	is("", "")
	if all := console(); len(all) > 0 {
		t.Errorf("the console has %v", all)
	}
}

// On a phone what is online is folded away, until it is asked for or searched for.
func TestFold(t *testing.T) {
	s := httptest.NewServer(wallServer(t))
	t.Cleanup(s.Close)
	ctx := browser(t)
	do(t, ctx, chromedp.EmulateViewport(375, 812), chromedp.Navigate(s.URL))
	const trouble = "s3 s27 s17 s19"
	poll(t, ctx, shownRows+` === "`+trouble+`"`)
	do(t, ctx, chromedp.Click(`//label[normalize-space() = "3 online"]`))
	poll(t, ctx, shownRows+` === "`+trouble+` s7 s8 s9"`)
	do(t, ctx, chromedp.Click(`//label[normalize-space() = "3 online"]`), chromedp.SendKeys("#q", "wiki"))
	poll(t, ctx, shownRows+` === "s21"`)
	do(t, ctx, chromedp.Navigate(s.URL+"/?show=online"))
	poll(t, ctx, shownRows+`.split(" ").length === 25`)
	do(t, ctx, chromedp.EmulateViewport(800, 812), chromedp.Navigate(s.URL))
	poll(t, ctx, shownRows+`.split(" ").length === 30`)
}
