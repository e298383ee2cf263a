package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/checker"
)

// maxLine is how many bytes a result may have. Those of package checker are far
// below it, as targets and texts of errors are bounded.
const maxLine = 1 << 20

// A poll has what each place said of each site. It holds all of it: some hundred
// bytes for a site and a place.
type poll struct {
	places []string
	sites  []string // in the order in which they were first seen
	votes  map[string][]vote
}

// A vote is what one place said of a site; the zero vote, that it said nothing.
type vote struct {
	status checker.Status
	detail string // the HTTP status, or the Reason
}

func newPoll() *poll { return &poll{votes: make(map[string][]vote)} }

// add reads the results of a place.
func (p *poll) add(place string, r io.Reader) error {
	if slices.Contains(p.places, place) {
		return fmt.Errorf("there is another place %q; say NAME=FILE", place)
	}
	p.places = append(p.places, place)
	lines, number := bufio.NewScanner(r), 0
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var res checker.Result
		if err := json.Unmarshal(line, &res); err != nil {
			return fmt.Errorf("line %d is no result: %w", number, err)
		}
		p.count(res)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", number+1, maxLine)
	} else if err != nil {
		return err
	}
	if number == 0 {
		return errors.New("it is empty")
	}
	return nil
}

// count adds a vote of the last place.
func (p *poll) count(r checker.Result) {
	votes, seen := p.votes[r.Target]
	if !seen {
		p.sites = append(p.sites, r.Target)
	}
	for len(votes) < len(p.places) {
		votes = append(votes, vote{})
	}
	v := vote{r.Status(), string(r.Reason())}
	if r.Online() {
		v.detail = fmt.Sprint(r.StatusCode)
	}
	votes[len(p.places)-1] = v
	p.votes[r.Target] = votes
}

// decide returns the verdict of votes, of which at least least must agree.
func decide(votes []vote, least int) checker.Status {
	n := make(map[checker.Status]int)
	for _, v := range votes {
		n[v.status]++
	}
	switch {
	case n[checker.Online] > n[checker.Offline] && n[checker.Online] >= least:
		return checker.Online
	case n[checker.Offline] > n[checker.Online] && n[checker.Offline] >= least:
		return checker.Offline
	}
	return checker.Unknown
}

// write writes a line for each site, and returns how many have each verdict, and
// on how many places dissent.
func (p *poll) write(w io.Writer, least int) (count map[checker.Status]int, dissent int) {
	count = make(map[checker.Status]int)
	for _, site := range p.sites {
		verdict := decide(p.votes[site], least)
		count[verdict]++
		told, split := p.tell(p.votes[site])
		if split {
			told += "\tdissent"
			dissent++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", verdict, checker.Redact(site), told)
	}
	return count, dissent
}

// tell says who voted what, and whether they dissent: one says Online and another
// Offline.
func (p *poll) tell(votes []vote) (text string, dissent bool) {
	by := make(map[checker.Status][]string)
	for i, place := range p.places {
		v := vote{checker.Unknown, "no result"}
		if i < len(votes) && votes[i] != (vote{}) {
			v = votes[i]
		}
		by[v.status] = append(by[v.status], place+" "+v.detail)
	}
	var told []string
	for _, status := range []checker.Status{checker.Online, checker.Offline, checker.Unknown} {
		if len(by[status]) > 0 {
			told = append(told, fmt.Sprintf("%s: %s", status, strings.Join(by[status], ", ")))
		}
	}
	return strings.Join(told, "; "), len(by[checker.Online]) > 0 && len(by[checker.Offline]) > 0
}
