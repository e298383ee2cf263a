package main

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

var screenshots = flag.String("screenshots", "", "write pictures of the page to this `folder`")

// TestWall takes pictures of the page with 30 sites of all states and with 1 000, in
// light and dark, wide and narrow, for people to look at. By itself it sees that nothing
// sticks out.
func TestWall(t *testing.T) {
	folder := cmp.Or(*screenshots, t.TempDir())
	b, random := crowd(1000, time.Minute), rand.New(rand.NewPCG(1, 2))
	for range kept {
		round(b, 0, random)
	}
	crowded := httptest.NewServer(newServer(options{title: "Example Org", every: time.Minute}, b))
	t.Cleanup(crowded.Close) // after the browser, whose stream it would wait for
	few := httptest.NewServer(wallServer(t))
	t.Cleanup(few.Close)
	ctx := browser(t)
	for _, shot := range []struct {
		name, scheme, path string
		width, height      int64
	}{
		{"light", "light", "", 1280, 800},
		{"dark", "dark", "", 1280, 800},
		{"light-narrow", "light", "", 375, 812},
		{"dark-narrow", "dark", "", 375, 812},
		{"light-tablet", "light", "", 800, 1100},
		{"dark-wide", "dark", "", 1920, 1080},
		{"light-offline", "light", "?show=offline", 1280, 800},
		{"light-1000", "light", "1000", 1280, 800},
		{"dark-1000-narrow", "dark", "1000", 375, 812},
		{"site-light", "light", "sites/" + siteKey("https://sms.partner.example"), 1280, 800},
		{"site-dark-narrow", "dark", "sites/" + siteKey("https://sms.partner.example"), 375, 812},
	} {
		scheme(t, ctx, shot.scheme)
		url := few.URL + "/" + shot.path
		if shot.path == "1000" {
			url = crowded.URL
		}
		do(t, ctx, chromedp.EmulateViewport(shot.width, shot.height), chromedp.Navigate(url))
		if got := eval[int64](t, ctx, `document.documentElement.scrollWidth`); got > shot.width {
			t.Errorf("%s: the page is %d wide; want at most %d", shot.name, got, shot.width)
		}
		for name, action := range map[string]chromedp.Action[[]byte]{
			"":      chromedp.CaptureScreenshot(),
			"-full": chromedp.FullScreenshot(100),
		} {
			if url == crowded.URL && name != "" && shot.width > 375 {
				continue // 50 000 px high
			}
			png, err := chromedp.Run(ctx, action)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, shot.name+name+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wall returns a board with 30 sites of all kinds and a history of a week, the
// same one whenever it is asked for.
func wall(tb testing.TB) *board {
	tb.Helper()
	var sites []*site
	for line := range cli.NewList(strings.NewReader(strings.Join([]string{
		"https://www.example.org Website", "https://shop.example.org Shop", "https://api.example.org/v1/health API",
		"https://api.example.org/v2/health API, next version", "https://login.example.org Sign-in", "https://docs.example.org Documentation",
		"https://blog.example.org Blog", "## Downloads", "https://cdn-eu.example.net/probe Downloads, Europe", "https://cdn-us.example.net/probe Downloads, America",
		"https://cdn-ap.example.net/probe Downloads, Asia", "## For us", "https://mail.example.org Webmail", "https://lists.example.org Mailing lists",
		"https://git.example.org Code", "https://ci.example.org Builds", "https://packages.example.org Packages",
		"## Partners", "https://status.partner.example Partner: payments", "https://maps.partner.example Partner: maps", "https://sms.partner.example Partner: messages",
		"## Warehouses", "http://10.20.0.14:8080/ready Warehouse, Rotterdam", "http://10.30.0.14:8080/ready Warehouse, Gdańsk", "## For us", "https://intranet.example.org Intranet",
		"https://wiki.example.org Wiki", "https://calendar.example.org Calendar", "https://files.example.org Files",
		"https://chat.example.org Chat", "https://meet.example.org Meetings", "https://analytics.example.org Analytics",
		"https://old.example.org Archive", "https://a-name-that-is-so-long-that-it-must-wrap-somewhere.example.com/with/a/path?and=query", "https://beta.example.org Beta",
	}, "\n"))).Sites() {
		s := newSite(line)
		s.tracker.Every = 10 * time.Minute
		sites = append(sites, s)
	}
	b := newBoard(sites)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range sites[:len(sites)-1] { // the last one still waits
		history(b, i, random)
	}
	return b
}

var faults = map[int]verdict{
	3:  {status: checker.Offline, reason: checker.ReasonRejected, text: "the answer was not accepted: status 503, wanted 200–399"},
	17: {status: checker.Offline, reason: checker.ReasonTimeout, text: "no answer within the timeout (connect)"},
	19: {status: checker.Unknown, reason: checker.ReasonLocal, text: "this machine could not check: network is unreachable; there is no route to the site's addresses: look at the network, and at IPv6 if the site has no IPv4 address"},
	27: {status: checker.Offline, reason: checker.ReasonCertificate, text: "the certificate was refused: it expired on 2026-11-20 19:38:44 UTC"},
}

// history records a week of verdicts in steps of ten minutes, and then an hour
// in steps of 30 s.
func history(b *board, i int, random *rand.Rand) {
	now := time.Now()
	base := time.Duration(8+random.IntN(180)) * time.Millisecond
	expires := now.Add(time.Duration(9+random.IntN(80))*24*time.Hour + time.Hour)
	bad, broken := faults[i]
	if bad.reason == checker.ReasonCertificate {
		expires = now.AddDate(0, 0, -3)
	}
	if i == 18 || i == 19 {
		expires = time.Time{}
	}
	blip := 12 + random.IntN(40)
	for at, step := now.Add(-week*time.Hour), 10*time.Minute; at.Before(now); at = at.Add(step) {
		left := now.Sub(at)
		if left <= 30*time.Minute {
			step = 30 * time.Second
		}
		v := verdict{at: at, status: checker.Online, expires: expires,
			latency: time.Duration(float64(base) * (1 + .25*random.NormFloat64()*random.Float64() + .1*float64(at.Minute()%7)))}
		v.latency = max(v.latency, base/2)
		switch n := int(left / (30 * time.Second)); {
		case broken && (n < 9 || i == 17 && n > 20 && n < 26 || i == 19 && n < 45):
			v = bad
			v.at, v.expires = at, expires
		case i%7 == 5 && (n == blip || n == blip+1 || left > 30*time.Hour && left < 31*time.Hour):
			v = verdict{at: at, status: checker.Offline, reason: checker.ReasonReset, text: "the connection was closed before a whole answer", expires: expires}
		case i%9 == 4 && n == 30:
			v = verdict{at: at, status: checker.Unknown, reason: checker.ReasonDNS, text: "the resolver failed: it did not answer in time; look at this machine's resolver and network"}
		case i == 22 && n == 1:
			v = verdict{at: at, status: checker.Offline, reason: checker.ReasonRefused, text: "the host refused the connection"}
		}
		b.record(i, v)
	}
}

func wallServer(tb testing.TB) *server {
	return newServer(options{title: "Example Org", every: 30 * time.Second, checks: cli.Checks{Timeout: 10 * time.Second}}, wall(tb))
}

func siteKey(target string) string { return newSite(cli.Site{Target: target}).key }
