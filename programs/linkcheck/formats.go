package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"example.com/checker"
)

// formats write findings, by the names that -format takes.
var formats = map[string]func(io.Writer, *linkRun, []finding) error{
	"text": writeText, "jsonl": writeJSON, "sarif": writeSARIF, "junit": writeJUnit,
}

// writeText writes a line for each link that there is something to say of, as compilers
// do, and a summary.
func writeText(w io.Writer, r *linkRun, findings []finding) error {
	b := bufio.NewWriter(w)
	for _, f := range findings {
		if f.Text != "" && f.State != good {
			fmt.Fprintf(b, "%s:%d:%d: %s: %s: %s\n", checker.Redact(f.File), f.Line, f.Column, f.State, checker.Redact(f.URL), f.Text)
		}
	}
	fmt.Fprintln(b, r.summary(findings))
	return b.Flush()
}

// summary says how many links were found, and how they are.
func (r *linkRun) summary(findings []finding) string {
	n := count(findings)
	text := fmt.Sprintf("%s in %s, %s: %d ok", plural(len(findings), "link"), plural(r.files, "file"), plural(len(r.results), "URL"), n[good])
	for _, s := range []state{moved, misplaced, doubtful, unknown, dead, known, skipped, unchecked} {
		if n[s] > 0 {
			text += fmt.Sprintf(", %d %s", n[s], s)
		}
	}
	return text
}

// A record is a line of JSON.
type record struct {
	File   string          `json:"file"`
	Line   int             `json:"line"`
	Column int             `json:"column"`
	URL    string          `json:"url"`
	State  state           `json:"state"`
	Text   string          `json:"text,omitempty"`
	Moved  string          `json:"moved,omitempty"`
	Result *checker.Result `json:"result,omitempty"`
}

// writeJSON writes a line for each link, good ones included.
func writeJSON(w io.Writer, _ *linkRun, findings []finding) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for _, f := range findings {
		if err := enc.Encode(record{f.File, f.Line, f.Column, checker.Redact(f.URL), f.State, f.Text, f.Moved, f.Result}); err != nil {
			return err
		}
	}
	return b.Flush()
}

// A suite is what JUnit's XML has of a file, and a test what it has of a link.
type suite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Cases    []test `xml:"testcase"`
}

type test struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	File    string   `xml:"file,attr"`
	Line    int      `xml:"line,attr"`
	Time    string   `xml:"time,attr"`
	Failure *message `xml:"failure"`
	Skipped *message `xml:"skipped"`
	Out     string   `xml:"system-out,omitempty"`
}

type message struct {
	Text string `xml:"message,attr"`
	Type state  `xml:"type,attr,omitempty"`
}

// writeJUnit writes a suite for each file that has links. What does not fail the program
// is skipped there.
func writeJUnit(w io.Writer, r *linkRun, findings []finding) error {
	all := struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Suites   []suite  `xml:"testsuite"`
	}{Name: "linkcheck"}
	for _, f := range findings {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != f.File {
			all.Suites = append(all.Suites, suite{Name: f.File})
		}
		s := &all.Suites[len(all.Suites)-1]
		c := test{Class: f.File, Name: fmt.Sprintf("%d:%d %s", f.Line, f.Column, checker.Redact(f.URL)), File: f.File, Line: f.Line, Time: "0"}
		if f.Result != nil {
			c.Time = fmt.Sprintf("%.3f", f.Result.Timing.Total.Seconds())
		}
		switch m := (&message{cmp.Or(f.Text, string(f.State)), f.State}); {
		case r.fails(f):
			c.Failure = m
			s.Failures++
		case f.State == good || f.State == moved:
			c.Out = f.Text
		default:
			m.Type = ""
			m.Text = strings.TrimPrefix(string(f.State)+": "+f.Text, string(f.State)+": "+string(f.State))
			c.Skipped = m
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
	}
	b := bufio.NewWriter(w)
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(b)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	b.WriteByte('\n')
	return b.Flush()
}

// fails reports whether a link fails the program.
func (r *linkRun) fails(f finding) bool {
	switch f.State {
	case dead:
		return r.writeBaseline == ""
	case unknown, doubtful, misplaced:
		return r.fail
	}
	return false
}
