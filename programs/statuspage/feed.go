package main

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// feedLength is how many incidents the feed has.
const feedLength = 50

// An atomFeed is a feed of RFC 4287.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"` // relative to the feed, whose public address we do not know
}

// An atomEntry is an incident, which is updated once, when it ends.
type atomEntry struct {
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Published string   `xml:"published"`
	Updated   string   `xml:"updated"`
	Link      atomLink `xml:"link"`
	Content   string   `xml:"content"`
	updated   time.Time
}

// feed serves the newest incidents of all sites.
func (s *server) feed(w http.ResponseWriter, req *http.Request) {
	var entries []atomEntry
	s.board.each(func(_ int, site *site) {
		for _, x := range site.incidents {
			entries = append(entries, newEntry(site, x))
		}
	})
	slices.SortStableFunc(entries, func(a, b atomEntry) int { return b.updated.Compare(a.updated) })
	entries = entries[:min(len(entries), feedLength)]
	updated := s.began
	if len(entries) > 0 {
		updated = entries[0].updated
	}
	out, err := xml.MarshalIndent(atomFeed{
		ID:      urn("feed", req.Host+"\n"+s.title),
		Title:   "Incidents: " + s.title,
		Updated: atomTime(updated),
		Author:  s.title,
		Links:   []atomLink{{Rel: "self", Href: "/feed.atom"}, {Rel: "alternate", Href: "/"}},
		Entries: entries,
	}, "", " ")
	if err != nil {
		http.Error(w, "the feed could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprintf(w, "%s%s\n", xml.Header, out) // fails only if the client has gone
}

func newEntry(s *site, x incident) atomEntry {
	m := newMessage(s, x)
	e := atomEntry{
		ID:        urn(s.key, atomTime(x.began)),
		Title:     s.name + " is offline",
		Published: atomTime(x.began),
		updated:   x.began,
		Link:      atomLink{Rel: "alternate", Href: m.Page},
		Content:   m.Text,
	}
	if !x.ended.IsZero() {
		e.Title = s.name + " was offline for " + ago(x.ended.Sub(x.began))
		e.updated = x.ended
		e.Content = fmt.Sprintf("%s was offline from %s to %s: %s", s.name, m.Began.Format(time.RFC1123), m.Ended.Format(time.RFC1123), x.text)
	}
	e.Updated = atomTime(e.updated)
	return e
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// urn returns a name for something, the same each time: a UUID of version 8 (RFC 9562).
func urn(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "\n" + name))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
