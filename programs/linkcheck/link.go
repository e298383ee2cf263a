package main

import (
	"bytes"
	"cmp"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// A link is where a file says one.
type link struct {
	File   string
	Line   int    // from 1
	Column int    // from 1, in characters
	URL    string // absolute, http or https, with its fragment
}

func (l link) compare(m link) int {
	return cmp.Or(cmp.Compare(l.File, m.File), cmp.Compare(l.Line, m.Line), cmp.Compare(l.Column, m.Column))
}

// target returns what of a link is to be checked, and the place in it that it leads to.
// Links that differ in the place alone are one target.
func (l link) target() (target, fragment string) {
	target, fragment, _ = strings.Cut(l.URL, "#")
	return strings.ReplaceAll(target, " ", "%20"), fragment
}

// absolute returns the http or https URL that text is in a file with a base, and whether
// it is one. A URL without a scheme is taken for https, since a file has none.
func absolute(base *url.URL, text string) (string, bool) {
	text = strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c == '\r' { // as WHATWG URL has it
			return -1
		}
		return c
	}, strings.TrimSpace(text))
	if strings.HasPrefix(text, "//") {
		text = "https:" + text
	}
	if isHTTP(text) {
		return text, true
	}
	if base == nil || text == "" || text[0] == '#' {
		return "", false
	}
	u, err := base.Parse(text)
	if err != nil || !isHTTP(u.String()) {
		return "", false
	}
	return u.String(), true
}

func isHTTP(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// reserved reports whether a host is one that RFC 2606 keeps for documentation and
// tests: it stands for whatever the reader has.
func isReserved(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	switch host[strings.LastIndexByte(host, '.')+1:] {
	case "example", "invalid", "test":
		return true
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	return err == nil && (domain == "example.com" || domain == "example.net" || domain == "example.org")
}

// A source is the text of a file, of which parts are parsed by themselves.
type source struct {
	text  []byte // without a byte order mark
	lines []int  // where they begin
}

func newSource(text []byte) source {
	s := source{text: bytes.TrimPrefix(text, []byte("\ufeff")), lines: []int{0}}
	for i, c := range s.text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// link returns a link that stands at an offset.
func (s source) link(offset int, url string) link {
	n := sort.SearchInts(s.lines, offset+1)
	return link{Line: n, Column: utf8.RuneCount(s.text[s.lines[n-1]:offset]) + 1, URL: url}
}
