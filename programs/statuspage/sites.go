package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// maxName is how many bytes of a name, or of a heading, are shown.
const maxName = 120

// readSites reads the list of sites. A site that is listed twice would have two
// histories under one key, so it is refused.
func readSites(ctx context.Context, file string) ([]*site, error) {
	listed, err := cli.ReadSites(ctx, file)
	if err != nil {
		return nil, err
	}
	lines, keys := make(map[string]int), make(map[string]int)
	var sites []*site
	for _, line := range listed {
		s := newSite(line)
		if first := lines[s.target]; first > 0 {
			return nil, fmt.Errorf("%s:%d: %s is already in line %d", file, line.Line, hide(s.target), first)
		}
		lines[s.target] = line.Line
		if keys[s.key]++; keys[s.key] > 1 { // two that differ in a password alone
			s.key += fmt.Sprint("-", keys[s.key])
		}
		sites = append(sites, s)
	}
	return sites, nil
}

// newSite returns the site of a line.
func newSite(line cli.Site) *site {
	s := &site{target: line.Target, name: clean(line.Name), heading: cut(clean(line.Group), maxName)}
	if s.given = s.name != ""; !s.given {
		shown := hide(s.target)
		_, host, _ := strings.Cut(shown, "://")
		s.name = cmp.Or(strings.TrimSuffix(host, "/"), shown, "no name")
	}
	s.name = cut(clean(s.name), maxName)
	sum := sha256.Sum256([]byte(hide(s.target)))
	s.key = hex.EncodeToString(sum[:6]) // the same wherever it is in the list
	return s
}

// clean returns a text as a name: in UTF-8, without control characters, and with one
// space where there are more.
func clean(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// hide returns a target without its userinfo, which may be a password.
func hide(target string) string {
	shown := checker.Redact(target)
	if shown == target {
		return target
	}
	return strings.Replace(shown, "xxxxx@", "", 1)
}
