package main

import (
	"bytes"
	"cmp"
	"net/url"
	"slices"
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

// isReserved reports whether the host of a target is one that RFC 2606 keeps for
// documentation and tests: it stands for whatever the reader has.
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

// place returns links with their lines and columns, in order. Their offsets are counted
// from the beginning once: a line may be the whole file, and have any number of them.
func place(text []byte, found []foundURL) []link {
	slices.SortStableFunc(found, func(a, b foundURL) int { return cmp.Compare(a.offset, b.offset) })
	links := make([]link, len(found))
	line, column, at := 1, 1, 0
	for i, f := range found {
		if n := bytes.Count(text[at:f.offset], []byte("\n")); n > 0 {
			line += n
			column, at = 1, bytes.LastIndexByte(text[:f.offset], '\n')+1
		}
		column += utf8.RuneCount(text[at:f.offset])
		at = f.offset
		links[i] = link{Line: line, Column: column, URL: f.url}
	}
	return links
}
