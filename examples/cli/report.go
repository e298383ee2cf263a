package cli

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A Case is what a program found of one thing, for a [Report]. Without a Failure and
// an Error it is a success.
type Case struct {
	Name    string
	Took    time.Duration
	Failure string // why it is not as wanted
	Error   string // why that could not be told
}

// A Report is what a program found, for a CI system to show. Its output is opened in the
// beginning, so that a name that will not do is told before the work. The zero Report
// goes nowhere.
type Report struct {
	Name  string // of the program
	Took  time.Duration
	Cases []Case

	junit  *os.File // nil for none
	github bool
}

// NewReport returns a report that goes to a file as JUnit's XML, unless the file's name is
// empty, and if github is set to standard output as errors of GitHub's workflow commands.
func NewReport(name, junit string, github bool) (*Report, error) {
	r := &Report{Name: name, github: github}
	if junit == "" {
		return r, nil
	}
	var err error
	r.junit, err = os.Create(junit)
	return r, err
}

// Write writes the report, once. out is standard output.
func (r *Report) Write(out io.Writer) (err error) {
	if r.github {
		err = r.annotate(out)
	}
	if r.junit != nil {
		err = errors.Join(err, r.writeJUnit(r.junit), r.junit.Close())
	}
	return err
}

// Missing returns how many cases are no successes, and a line for each of them.
func (r *Report) Missing() (n int, lines string) {
	for _, c := range r.Cases {
		if text := c.Failure + c.Error; text != "" {
			n++
			lines += "\n  " + c.Name + ": " + text
		}
	}
	return n, lines
}

// The elements of JUnit's reports, as Jenkins and GitLab read them. There is no other
// definition.
type (
	suitesXML struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suiteXML
	}
	suiteXML struct {
		XMLName  xml.Name `xml:"testsuite"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Time     string   `xml:"time,attr"` // in seconds
		Cases    []caseXML
	}
	caseXML struct {
		XMLName xml.Name   `xml:"testcase"`
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *whyNotXML `xml:"failure"`
		Error   *whyNotXML `xml:"error"`
	}
	whyNotXML struct {
		Message string `xml:"message,attr"`
	}
)

func (r *Report) writeJUnit(w io.Writer) error {
	suite := suiteXML{Name: r.Name, Tests: len(r.Cases), Time: seconds(r.Took)}
	for _, c := range r.Cases {
		x := caseXML{Class: r.Name, Name: c.Name, Time: seconds(c.Took)}
		if c.Failure != "" {
			x.Failure = &whyNotXML{c.Failure}
			suite.Failures++
		}
		if c.Error != "" {
			x.Error = &whyNotXML{c.Error}
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, x)
	}
	text, err := xml.MarshalIndent(suitesXML{Suites: []suiteXML{suite}}, "", "\t")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// annotate writes a line for each case that is no success.
func (r *Report) annotate(w io.Writer) error {
	for _, c := range r.Cases {
		if text := c.Failure + c.Error; text != "" {
			if _, err := fmt.Fprintf(w, "::error title=%s::%s\n", property.Replace(r.Name), data.Replace(c.Name+": "+text)); err != nil {
				return err
			}
		}
	}
	return nil
}

// What GitHub's runner undoes when it reads a command.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
