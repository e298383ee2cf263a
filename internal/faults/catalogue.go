package faults

import (
	_ "embed"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/checker"
)

//go:embed catalogue.md
var catalogue string

// An Entry is a line of the catalogue.
type Entry struct {
	ID    string
	Right []Verdict // what may be found, where that is Offline or Unknown
	Where []string  // files of tests, from the root of the repository
	Why   string    // there are none
	Cells int       // of the line, which has four
}

// A Verdict is a status with its reason and cause, which may be empty.
type Verdict struct {
	Status checker.Status
	Reason checker.Reason
	Cause  checker.Cause
}

var (
	entryID  = regexp.MustCompile(`^\| [A-Z]\d+[a-z]? \|`)
	verdicts = regexp.MustCompile(`\b(offline|unknown)\b(?: ([a-z_]+))?(?: \(([a-z0-9_, ]+)\))?`)
	faultIDs = regexp.MustCompile(`^[A-T]\d{1,2}[a-z]?(, [A-T]\d{1,2}[a-z]?)*\b`)
)

// Catalogue returns the lines of the tables in catalogue.md.
func Catalogue() (entries []Entry) {
	for line := range strings.Lines(catalogue) {
		if !entryID.MatchString(line) {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		e := Entry{ID: strings.TrimSpace(cells[0]), Cells: len(cells)}
		if len(cells) == 4 {
			e.Right = verdictsIn(cells[2])
			where, none := strings.CutPrefix(strings.TrimSpace(cells[3]), "none: ")
			switch {
			case none:
				e.Why = where
			case where != "":
				for file := range strings.SplitSeq(where, ", ") {
					if !strings.Contains(file, "/") {
						file = "internal/faults/" + file
					}
					e.Where = append(e.Where, path.Clean(file))
				}
			}
		}
		entries = append(entries, e)
	}
	return entries
}

// verdictsIn returns the verdicts in a text, such as "offline tls (no_cipher, no_version)".
func verdictsIn(text string) (all []Verdict) {
	for _, m := range verdicts.FindAllStringSubmatch(text, -1) {
		for cause := range strings.SplitSeq(m[3], ", ") {
			all = append(all, Verdict{checker.Status(m[1]), checker.Reason(m[2]), checker.Cause(cause)})
		}
	}
	return all
}

// Hold fails unless the catalogue calls right what r found, for the faults that a test's
// name begins with. A site that is Online is not looked at, nor is a fault for which the
// catalogue has no verdicts.
func Hold(tb testing.TB, name string, r checker.Result) {
	tb.Helper()
	ids := strings.Split(faultIDs.FindString(name), ", ")
	if r.Online() || ids[0] == "" {
		return
	}
	var right []Verdict
	for _, e := range Catalogue() {
		if slices.Contains(ids, e.ID) {
			right = append(right, e.Right...)
		}
	}
	if got := (Verdict{r.Status(), r.Reason(), r.Cause()}); len(right) > 0 && !slices.Contains(right, got) {
		tb.Errorf("%s: Check(%q) = %v, which is %q; want one of %q", name, r.Target, r, got, right)
	}
}
