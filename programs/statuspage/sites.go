package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// maxName is how many bytes of a name are shown.
const maxName = 120

// readSites reads the list of sites. A site that is listed twice would have two
// histories under one key, so it is refused.
func readSites(file string) ([]*site, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var sites []*site
	list, lines := cli.NewList(f), make(map[string]int)
	for line, text := range list.Lines() {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%s: not a text file in UTF-8", file)
		}
		s := parseSite(text)
		if first := lines[s.target]; first > 0 {
			return nil, fmt.Errorf("%s:%d: %s is already in line %d", file, line, hide(s.target), first)
		}
		lines[s.target] = line
		sites = append(sites, s)
	}
	switch {
	case list.Err() != nil:
		return nil, fmt.Errorf("%s: %w", file, list.Err())
	case len(sites) == 0:
		return nil, fmt.Errorf("%s: no sites in it", file)
	}
	return sites, nil
}

// parseSite reads a line, which is not blank: a target, and what is after it is
// its name.
func parseSite(line string) *site {
	fields := strings.Fields(line)
	s := &site{target: fields[0], name: strings.Join(fields[1:], " ")}
	if s.given = s.name != ""; !s.given {
		shown := hide(s.target)
		_, host, _ := strings.Cut(shown, "://")
		s.name = cmp.Or(strings.TrimSuffix(host, "/"), shown, "no name")
	}
	s.name = cut(s.name, maxName)
	return s
}

// hide returns a target without its userinfo, which may be a password.
func hide(target string) string {
	shown := checker.Redact(target)
	if shown == target {
		return target
	}
	return strings.Replace(shown, "xxxxx@", "", 1)
}
