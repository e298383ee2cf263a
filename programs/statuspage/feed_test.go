package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
)

// wellFormed returns an error if a text is no XML.
func wellFormed(text string) error {
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestBadge(t *testing.T) {
	b := listed("a.test A & <b> +\nb.test " + evil + " -\nc.test 東京 ?\nd.test \ufffe\nhttps://u:secret@e.test\n")
	s := newServer(options{title: evil}, b)
	paths := map[string]string{"/badge.svg": "1 of 5 online"}
	for i, want := range []string{": online", ": offline", ": unknown", ": waiting", "e.test: waiting"} {
		paths["/sites/"+b.sites[i].key+"/badge.svg"] = want
	}
	for path, want := range paths {
		svg := get(s, path).Body.String()
		if !strings.Contains(svg, want+"</title>") || strings.Contains(svg, "secret") || strings.Contains(svg, "<script") || strings.Contains(svg, "style") {
			t.Errorf("GET %s = %s; want %s", path, svg, want)
		}
		if err := wellFormed(svg); err != nil {
			t.Errorf("GET %s is no XML: %v", path, err)
		}
	}
}

// The feed has the newest incidents, each with an ID that stays when it ends.
func TestFeed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		b := listed("a.test A & <b>\nhttps://u:secret@b.test/\n")
		s := newServer(options{title: evil}, b)
		read := func() (f atomFeed) {
			t.Helper()
			text := get(s, "/feed.atom").Body.String()
			if err := xml.Unmarshal([]byte(text), &f); err != nil || strings.Contains(text, "secret") || strings.Contains(text, "<script") {
				t.Errorf("the feed is\n%s, %v", text, err)
			}
			return f
		}
		if f := read(); len(f.Entries) > 0 || f.Updated != "2000-01-01T00:00:00Z" {
			t.Errorf("without an incident the feed has %v, of %s", f.Entries, f.Updated)
		}
		time.Sleep(time.Hour)
		for range 2 {
			b.record(0, verdict{at: time.Now(), status: checker.Offline, reason: checker.ReasonReset, text: evil})
		}
		began := read()
		time.Sleep(time.Hour)
		offline(b, 1)
		time.Sleep(time.Hour)
		b.record(0, given('+', time.Now()))
		ended := read()
		var got []string
		for _, e := range ended.Entries {
			got = append(got, e.Title+" "+e.Published+" "+e.Updated)
		}
		want := []string{
			"A & <b> was offline for 2 h 0 min 2000-01-01T01:00:00Z 2000-01-01T03:00:00Z",
			"b.test is offline 2000-01-01T02:00:00Z 2000-01-01T02:00:00Z",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the feed has\n%q; want\n%q", got, want)
		}
		if began.Entries[0].ID != ended.Entries[0].ID || began.ID != ended.ID || ended.Entries[0].ID == ended.Entries[1].ID || ended.Updated != "2000-01-01T03:00:00Z" {
			t.Errorf("the feed %+v became %+v; want the same IDs, and a later time", began, ended)
		}
		for range feedLength {
			b.record(0, given('-', time.Now()))
			b.record(0, given('-', time.Now()))
			b.record(0, given('+', time.Now()))
			time.Sleep(time.Minute)
		}
		if n := len(read().Entries); n != feedLength {
			t.Errorf("the feed has %d entries; want %d", n, feedLength)
		}
	})
}
