package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"example.com/checker"
)

const script = `</title><script>alert(1)</script>`

// report runs the program on an output with results and returns its page.
func report(t *testing.T, all ...checker.Result) string {
	t.Helper()
	var b strings.Builder
	for i, r := range all {
		r.Index = i
		line, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	name := filepath.Join(t.TempDir(), "page.html")
	if _, stderr, status := sweeps(t, "", "-resume", "-o", file(t, b.String()), "-report", name); unwarned(stderr) != "" || status != 0 {
		t.Fatalf("sweep -report: %q, status %d", stderr, status)
	}
	return read(t, name)
}

func found(url string, total time.Duration, reason checker.Reason) checker.Result {
	r := checker.Result{Target: url, URL: url, Timing: checker.Timing{Total: total}}
	if r.StatusCode = 200; reason != "" {
		r.StatusCode, r.Err = 0, &checker.Error{Reason: reason, URL: url}
	}
	return r
}

func certified(r checker.Result, left time.Duration) checker.Result {
	r.TLS = &checker.TLS{Subject: script, NotAfter: time.Now().Add(left)}
	return r
}

// void are the elements that never end, of those in the page.
var void = []string{"meta"}

// wellFormed reports an error unless all elements end where they should, and
// returns how often each is there, and the text.
func wellFormed(t *testing.T, page string) (elements map[string]int, text string) {
	t.Helper()
	elements = make(map[string]int)
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) != 0 {
				t.Errorf("the page ends with %v, and %q not ended", z.Err(), open)
			}
			return elements, text
		case html.TextToken:
			text += token.Data
		case html.StartTagToken, html.SelfClosingTagToken:
			elements[token.Data]++
			if kind == html.StartTagToken && !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
			for _, a := range token.Attr {
				checkAttr(t, token.Data, a)
			}
		case html.EndTagToken:
			if n := len(open); n == 0 || open[n-1] != token.Data {
				t.Errorf("</%s> with %q open", token.Data, open)
				return elements, text
			}
			open = open[:len(open)-1]
		}
	}
}

// checkAttr reports what would load something, run something or draw outside.
func checkAttr(t *testing.T, element string, a html.Attribute) {
	t.Helper()
	if slices.Contains([]string{"src", "href", "style", "srcset"}, a.Key) || strings.HasPrefix(a.Key, "on") {
		t.Errorf("<%s %s=%q>", element, a.Key, a.Val)
	}
	if !slices.Contains([]string{"x", "y", "x1", "x2", "y1", "y2", "width", "height"}, a.Key) {
		return
	}
	value, percent := strings.CutSuffix(a.Val, "%")
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 || percent && n > 100.001 || n > 300 {
		t.Errorf("<%s %s=%q>", element, a.Key, a.Val)
	}
}

func TestReport(t *testing.T) {
	page := report(t,
		certified(found("https://a.example/", 20*time.Millisecond, ""), 3*day),
		certified(found("https://b.example/", 2*time.Second, ""), 80*day-time.Hour),
		found("https://"+script+".example/", 3*time.Second, ""),
		certified(found("https://old.example/", time.Second, checker.ReasonCertificate), -10*day),
		found("http://c.example/", 10*time.Second, checker.ReasonTimeout),
		found(script, 0, checker.Reason("made"+script)),
	)
	elements, text := wellFormed(t, page)
	if elements["script"] != 0 || elements["link"] != 0 || elements["img"] != 0 {
		t.Errorf("the page has elements %v; want none that run or load", elements)
	}
	if elements["svg"] < 5 || elements["style"] != 1 {
		t.Errorf("the page has elements %v; want plots and one style", elements)
	}
	for _, want := range []string{
		"3 of 6 online", "prefers-color-scheme: dark",
		"timeout", "no answer in time", "certificate", "50.0 %", "16.7 %",
		"</title><script>alert(1)<", // as text, for a host
		"made" + script,             // and for a reason
		"Warning: 1 of 6 sites is unknown", "200", "OK", "Dead sites",
		"p99", "3.0 s", "slowest",
		"expired", "10 days ago", "in 79 days", "a.example", "old.example",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text of the page has no %q", want)
		}
	}
	if root, err := html.Parse(strings.NewReader(page)); err != nil || root.FirstChild.Type != html.DoctypeNode {
		t.Errorf("html.Parse: %v; want a document", err)
	}
}

// A page is whole however little there is to show.
func TestReportOfLittle(t *testing.T) {
	for name, test := range map[string]struct {
		all  []checker.Result
		want string
	}{
		"nothing":      {nil, "No sites"},
		"one site":     {[]checker.Result{found("http://a.example/", time.Nanosecond, "")}, "All 1 online"},
		"slow":         {[]checker.Result{found("http://a.example/", 2*time.Hour, "")}, "All 1 online"},
		"all the same": {slices.Repeat([]checker.Result{found("http://a.example/", time.Second, "")}, 50), "All 50 online"},
		"all offline":  {[]checker.Result{found("http://a.example/", time.Second, checker.ReasonReset)}, "Nothing is online"},
		"far apart":    {[]checker.Result{found("http://a.example/", 1, ""), found("http://b.example/", time.Hour, "")}, "All 2 online"},
	} {
		if _, text := wellFormed(t, report(t, test.all...)); !strings.Contains(text, test.want) {
			t.Errorf("%s: the page has no %q", name, test.want)
		}
	}
}

// The certificate of a site shows also where it is the reason.
func TestCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it will not be trusted, as it will say
	s.StartTLS()
	defer s.Close()
	for _, format := range []string{"jsonl", "csv"} {
		dir := t.TempDir()
		out, page := filepath.Join(dir, "out"), filepath.Join(dir, "page.html")
		for range 2 { // again from the output alone
			sweeps(t, s.URL, "-format", format, "-resume", "-o", out, "-report", page)
			_, text := wellFormed(t, read(t, page))
			if want := s.Certificate().NotAfter.UTC().Format(time.DateOnly); !strings.Contains(text, want) || !strings.Contains(text, "certificate") {
				t.Errorf("-format %s: the page has no %s", format, want)
			}
		}
	}
}
