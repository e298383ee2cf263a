package faults_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/checker"
)

// An entry is a line of the catalogue.
type entry struct {
	id, right string
	where     []string // files of tests, from the root of the repository
	why       string   // there are none
}

// Every fault of the catalogue is provoked by the tests that it says, or it says
// why none can; and every fault that a test names is in the catalogue.
func TestCatalogue(t *testing.T) {
	if _, err := os.Stat("../../e2e"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the module alone, without the other tests of its repository: ", err)
	}
	tests := namedFaults(t, "../..")
	known := make(map[string]bool)
	for _, e := range readCatalogue(t) {
		if known[e.id] {
			t.Errorf("%s is in the catalogue twice", e.id)
		}
		known[e.id] = true
		switch {
		case e.why != "" && len(tests[e.id]) > 0:
			t.Errorf("%s is named in %s; the catalogue says that nothing provokes it: %s", e.id, tests[e.id], e.why)
		case e.why == "" && len(e.where) == 0:
			t.Errorf("%s has neither a test nor a reason why none can be", e.id)
		}
		for _, file := range e.where {
			if !slices.Contains(tests[e.id], file) {
				t.Errorf("%s is not named in %s, where the catalogue says that it is provoked; it is in %q", e.id, file, tests[e.id])
			}
		}
		checkVerdicts(t, e)
	}
	for _, id := range slices.Sorted(maps.Keys(tests)) {
		if !known[id] {
			t.Errorf("%s, which %q name, is not in the catalogue", id, tests[id])
		}
	}
	if len(known) < 200 { // or the test has read nothing
		t.Errorf("only %d faults are known", len(known))
	}
}

// readCatalogue returns the lines of the tables in catalogue.md.
func readCatalogue(t *testing.T) (entries []entry) {
	t.Helper()
	text, err := os.ReadFile("catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !faultID.MatchString(line) {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			t.Fatalf("the line %q of the catalogue has %d cells; want 4", line, len(cells))
		}
		e := entry{id: strings.TrimSpace(cells[0]), right: strings.TrimSpace(cells[2])}
		where, none := strings.CutPrefix(strings.TrimSpace(cells[3]), "none: ")
		switch {
		case none:
			e.why = where
		case where != "":
			for file := range strings.SplitSeq(where, ", ") {
				if !strings.Contains(file, "/") {
					file = "internal/faults/" + file
				}
				e.where = append(e.where, path.Clean(file))
			}
		}
		entries = append(entries, e)
	}
	return entries
}

var (
	faultID  = regexp.MustCompile(`^\| [A-Z]\d+[a-z]? \|`)
	named    = regexp.MustCompile("(?:^|[\\s(/\"`])([A-T]\\d{1,2}[a-z]?)\\b")
	verdicts = regexp.MustCompile(`\b(offline|unknown)\b ?([a-z_]*)`)
)

// namedFaults returns the files of tests that name each fault in a comment or a
// string, from the root of the repository. Programs have no faults of these.
func namedFaults(t *testing.T, root string) map[string][]string {
	t.Helper()
	files := make(map[string][]string)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bench", "examples", "programs", "testdata"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, "_test.go") || d.Name() == "catalogue_test.go":
			return nil
		}
		src, err := os.ReadFile(filepath.Join(root, name))
		for _, id := range namedIn(src) {
			files[id] = append(files[id], name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// namedIn returns the faults that a file names, each once.
func namedIn(src []byte) []string {
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(src)), src, nil, scanner.ScanComments)
	ids := make(map[string]bool)
	for _, tok, text := s.Scan(); tok != token.EOF; _, tok, text = s.Scan() {
		if tok != token.COMMENT && tok != token.STRING {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			ids[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// noVerdicts are the reasons of Unknown. That of any word is Unknown.
var noVerdicts = []checker.Reason{
	checker.ReasonChallenge, checker.ReasonInvalid, checker.ReasonBlocked, checker.ReasonDNS, checker.ReasonLocal, checker.ReasonCanceled, checker.ReasonInternal,
}

// checkVerdicts fails for what the catalogue calls right and can be no verdict.
func checkVerdicts(t *testing.T, e entry) {
	t.Helper()
	for _, m := range verdicts.FindAllStringSubmatch(e.right, -1) {
		status, reason := checker.Status(m[1]), checker.Reason(m[2])
		if status != reason.Status() || status == checker.Unknown && !slices.Contains(noVerdicts, reason) {
			t.Errorf("%s is said to be %q, which is no status with a reason of it", e.id, strings.TrimSpace(m[0]))
		}
	}
}
