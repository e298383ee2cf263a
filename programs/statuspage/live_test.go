package main

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"example.com/checker/internal/hostile"
)

// start runs the program until the test is over, or stop is called, and returns
// its URL.
func start(t *testing.T, o options) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		failed <- run(ctx, o, w, t.Output())
		w.Close()
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatal(<-failed)
	}
	_, url, _ = strings.Cut(lines.Text(), " at ")
	go io.Copy(io.Discard, r) // ends when w is closed
	var stopped bool
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return url, stop
}

// quick are the options of tests, which wait for checks.
func quick(file string, args ...string) options {
	o, err := parse(append([]string{"-f", cmp.Or(file, "-"), "-every", "1s", "-addr", "127.0.0.1:0", "-title", "Test"}, args...), io.Discard)
	if err != nil {
		panic(err)
	}
	return o
}

// A target is a site that tests can take down.
type target struct {
	*httptest.Server
	down atomic.Bool
}

func newTarget(t *testing.T) *target {
	s := new(target)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Rows appear; one changes when its site does, without the page being loaded
// again; a bad certificate is shown; a name stays text; and all of that without
// a word on the console.
func TestLive(t *testing.T) {
	s := newTarget(t)
	expired := hostile.NewCA(t).Config(hostile.Cert{Names: []string{"127.0.0.1"}, NotAfter: time.Now().AddDate(0, 0, -3)})
	secure := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(expired, hostile.Respond(hostile.OK)))
	ctx := browser(t)
	console := complaints(t, ctx)
	url, _ := start(t, quick(list(t, s.URL+" "+evil, secure.URLS()+" Expired", "http://127.0.0.1:1 Refused")))
	do(t, ctx, chromedp.Navigate(url))
	if rows := eval[int](t, ctx, `document.querySelectorAll("tr[id]").length`); rows != 3 {
		t.Errorf("the page has %d rows; want 3", rows)
	}
	poll(t, ctx, `window.marker = document.querySelectorAll("tr.waiting").length === 0`)
	for _, want := range []string{
		`document.querySelector("#s0").className === "online"`,
		`document.querySelector("#s1 td.over")?.textContent === "expired"`,
		`document.querySelector("#s1 .reason").textContent.includes("expired")`,
		`document.querySelector("#s2 .state").textContent.includes("Offline")`,
		`document.querySelector("#s2 .reason").textContent.includes("refused")`,
		`document.querySelector("#s0 th bdi").textContent.startsWith("<script>")`,
		`document.querySelectorAll("main script, main img").length === 0`,
		`document.title === "2 of 3 sites are offline · Test"`,
		`document.querySelector("caption").textContent.length > 20`,
		`getComputedStyle(document.querySelector("#s0 .line")).stroke !== "none"`,
	} {
		poll(t, ctx, want) // where the machine is busy, a check may take longer than twice the interval
	}
	s.down.Store(true)
	poll(t, ctx, `document.querySelector("#s0").className === "offline" && document.querySelector("#s0 .reason").textContent.includes("503")`)
	poll(t, ctx, `document.title.startsWith("3 of 3") && document.querySelector("#n-offline").textContent === "3" && document.querySelector("#icon").href.endsWith("/offline.svg")`)
	if spoken := eval[string](t, ctx, `document.querySelector("#spoken").textContent`); spoken != "3 of 3 sites are offline" {
		t.Errorf("a screen reader is told %q", spoken)
	}
	s.down.Store(false)
	poll(t, ctx, `document.querySelector("#s0").className === "online"`)
	if !eval[bool](t, ctx, `window.marker === true`) {
		t.Error("the page was loaded again")
	}
	if all := console(); len(all) > 0 {
		t.Errorf("the console has %v", all)
	}
}

// When the server is gone the page says so, and when it is back it goes on.
func TestRestart(t *testing.T) {
	s := newTarget(t)
	ctx := browser(t)
	console := complaints(t, ctx)
	o := quick(list(t, s.URL+" Site"))
	o.db = t.TempDir() + "/history.db"
	url, stop := start(t, o)
	do(t, ctx, chromedp.Navigate(url))
	poll(t, ctx, `window.marker = document.querySelector("#s0").className === "online"`)
	since := eval[string](t, ctx, `document.querySelector("#s0 time").dateTime`)
	stop()
	poll(t, ctx, `!document.querySelector("#lost").hidden`)
	o.addr = strings.Trim(strings.TrimPrefix(url, "http:"), "/")
	_, stop = start(t, o)
	poll(t, ctx, `document.querySelector("#lost").hidden`)
	if again := eval[string](t, ctx, `document.querySelector("#s0 time").dateTime`); again != since {
		t.Errorf("the site was online since %s, and after a restart since %s", since, again)
	}
	s.down.Store(true)
	poll(t, ctx, `document.querySelector("#s0").className === "offline"`)
	if !eval[bool](t, ctx, `window.marker === true`) {
		t.Error("the page was loaded again")
	}
	stop()

	// With another list of sites the page must be another one.
	o.file = list(t, s.URL+" Site", "127.0.0.1:1 Other")
	start(t, o)
	deadline := time.Now().Add(15 * time.Second)
	for rows := 0; rows != 2; { // a poll in the page would not outlive it
		rows, _ = chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll("tr[id]").length`))
		if time.Now().After(deadline) {
			t.Fatalf("the page has %d rows; want 2", rows)
		}
	}
	for _, m := range console() {
		if m.Source != "network" { // that the server did not answer, which is so
			t.Errorf("the console has %v", m)
		}
	}
}

// At 375 px nothing is cut off, and nothing scrolls sideways.
func TestNarrow(t *testing.T) {
	s := httptest.NewServer(wallServer(t))
	t.Cleanup(s.Close) // after the browser, whose stream it would wait for
	ctx := browser(t)
	for _, width := range []int64{320, 375, 800, 1119, 1280} {
		do(t, ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(s.URL))
		if got := eval[int64](t, ctx, `document.documentElement.scrollWidth`); got > width {
			t.Errorf("at %d px the page is %d wide", width, got)
		}
		const out = `[...document.querySelectorAll("tr > *")].filter(e => e.offsetParent && e.closest("tbody") && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)`
		if cut := eval[[]string](t, ctx, out); len(cut) > 0 {
			t.Errorf("at %d px these do not fit: %.600q", width, cut)
		}
	}
}

// Without JavaScript everything is there, and is loaded again by itself.
func TestNoScript(t *testing.T) {
	s := httptest.NewServer(wallServer(t))
	t.Cleanup(s.Close)
	ctx := browser(t)
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Navigate(s.URL), chromedp.Click(`//a[contains(., "Offline")]`), chromedp.WaitVisible(`//tr[@id="s3"]`), chromedp.WaitNotVisible(`//tr[@id="s0"]`))
	if refresh := eval[int](t, ctx, `document.querySelectorAll("meta[http-equiv=refresh]").length`); refresh != 1 {
		t.Errorf("the page has %d refreshes; want 1", refresh)
	}
}
