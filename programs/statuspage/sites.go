package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/checker"
)

// maxName is how many bytes of a name are shown.
const maxName = 120

// readSites reads the list of sites. Blank lines and lines that begin with #
// are skipped. A site that is listed twice would have two histories under one
// key, so it is refused.
func readSites(file string) ([]*site, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: not a text file in UTF-8", file)
	}
	var sites []*site
	line, lines := 0, make(map[string]int)
	for text := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		line++
		s := parseSite(text)
		if s == nil {
			continue
		}
		if first := lines[s.target]; first > 0 {
			return nil, fmt.Errorf("%s:%d: %s is already in line %d", file, line, hide(s.target), first)
		}
		lines[s.target] = line
		sites = append(sites, s)
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("%s: no sites in it", file)
	}
	return sites, nil
}

// parseSite reads a line; it returns nil if there is no site in it.
func parseSite(line string) *site {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil
	}
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

// A statusRange is what -s says. The zero value accepts nothing.
type statusRange struct{ min, max int }

var errStatus = errors.New("want a range of HTTP statuses such as 200-399, within 100-999")

// UnmarshalText reads "200-399", or "200" for that one alone.
func (r *statusRange) UnmarshalText(text []byte) error {
	low, high, found := strings.Cut(string(text), "-")
	if !found {
		high = low
	}
	var errs [2]error
	r.min, errs[0] = strconv.Atoi(low)
	r.max, errs[1] = strconv.Atoi(high)
	if errors.Join(errs[:]...) != nil || r.min < 100 || r.min > r.max || r.max > 999 {
		return errStatus
	}
	return nil
}
