package cli

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var report = Report{Name: "gate: a, b", Took: 2500 * time.Millisecond, Cases: []Case{
	{Name: "http://a/?x=1&y=2", Took: 1500 * time.Millisecond},
	{Name: "http://b/", Took: time.Second, Failure: "refused: 100 % <\"no\">\r\n::set-output name=x::y"},
	{Name: "http://c/\x00", Error: "dns"},
}}

func TestJUnit(t *testing.T) {
	var b strings.Builder
	if err := report.writeJUnit(&b); err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
	<testsuite name="gate: a, b" tests="3" failures="1" errors="1" time="2.500">
		<testcase classname="gate: a, b" name="http://a/?x=1&amp;y=2" time="1.500"></testcase>
		<testcase classname="gate: a, b" name="http://b/" time="1.000">
			<failure message="refused: 100 % &lt;&#34;no&#34;&gt;&#xD;&#xA;::set-output name=x::y"></failure>
		</testcase>
		<testcase classname="gate: a, b" name="http://c/` + "\ufffd" + `" time="0.000">
			<error message="dns"></error>
		</testcase>
	</testsuite>
</testsuites>
`
	if b.String() != want {
		t.Errorf("writeJUnit wrote\n%s; want\n%s", &b, want)
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnnotate(t *testing.T) {
	var b strings.Builder
	if err := report.annotate(&b); err != nil {
		t.Fatal(err)
	}
	const want = "::error title=gate%3A a%2C b::http://b/: refused: 100 %25 <\"no\">%0D%0A::set-output name=x::y\n" +
		"::error title=gate%3A a%2C b::http://c/\x00: dns\n"
	if b.String() != want {
		t.Errorf("annotate wrote\n%s; want\n%s", &b, want)
	}
}

// A disk that is full is an error.
func TestReportFails(t *testing.T) {
	if err := report.writeJUnit(full{}); !errors.Is(err, errFull) {
		t.Errorf("writeJUnit = %v; want %v", err, errFull)
	}
	if err := report.annotate(full{}); !errors.Is(err, errFull) {
		t.Errorf("annotate = %v; want %v", err, errFull)
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// A report goes where it is to, and to nothing else.
func TestReportWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.xml")
	for _, test := range []struct {
		junit  string
		github bool
		out    string
	}{
		{"", false, ""},
		{"", true, "::error title=x::b: no\n"},
		{file, true, "::error title=x::b: no\n"},
	} {
		r, err := NewReport("x", test.junit, test.github)
		if err != nil {
			t.Fatal(err)
		}
		r.Cases = []Case{{Name: "a"}, {Name: "b", Failure: "no"}}
		var out strings.Builder
		if err := r.Write(&out); err != nil || out.String() != test.out {
			t.Errorf("Write = %v, and wrote %q; want %q", err, &out, test.out)
		}
		if n, lines := r.Missing(); n != 1 || lines != "\n  b: no" {
			t.Errorf("Missing() = %d, %q; want b alone", n, lines)
		}
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `<testsuite name="x" tests="2" failures="1"`) {
		t.Errorf("the file has %q, %v; want the report", text, err)
	}
	if _, err := NewReport("x", filepath.Join(file, "x"), false); err == nil {
		t.Error("NewReport with a file below a file = nil; want an error")
	}
}
