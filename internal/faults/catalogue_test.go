package faults_test

import (
	"errors"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

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
	caused := make(map[checker.Cause]bool)
	for _, e := range faults.Catalogue() {
		if e.Cells != 4 {
			t.Errorf("the line of %s has %d cells; want 4", e.ID, e.Cells)
		}
		for _, v := range e.Right {
			caused[v.Cause] = caused[v.Cause] || e.Why == ""
		}
		if known[e.ID] {
			t.Errorf("%s is in the catalogue twice", e.ID)
		}
		known[e.ID] = true
		switch {
		case e.Why != "" && len(tests[e.ID]) > 0:
			t.Errorf("%s is named in %s; the catalogue says that nothing provokes it: %s", e.ID, tests[e.ID], e.Why)
		case e.Why == "" && len(e.Where) == 0:
			t.Errorf("%s has neither a test nor a reason why none can be", e.ID)
		}
		for _, file := range e.Where {
			if !slices.Contains(tests[e.ID], file) {
				t.Errorf("%s is not named in %s, where the catalogue says that it is provoked; it is in %q", e.ID, file, tests[e.ID])
			}
		}
		checkVerdicts(t, e)
	}
	for _, id := range slices.Sorted(maps.Keys(tests)) {
		if !known[id] {
			t.Errorf("%s, which %q name, is not in the catalogue", id, tests[id])
		}
	}
	for _, c := range causesOf(t, "../../cause.go") {
		if !caused[c] {
			t.Errorf("no fault that is provoked has the cause %q", c)
		}
	}
	if len(known) < 200 { // or the test has read nothing
		t.Errorf("only %d faults are known", len(known))
	}
}

var (
	named = regexp.MustCompile("(?:^|[\\s(/\"`])([A-T]\\d{1,2}[a-z]?)\\b")
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
func checkVerdicts(t *testing.T, e faults.Entry) {
	t.Helper()
	for _, v := range e.Right {
		if v.Status != v.Reason.Status() || v.Status == checker.Unknown && !slices.Contains(noVerdicts, v.Reason) {
			t.Errorf("%s is said to be %q, which is no status with a reason of it", e.ID, v)
		}
		if v.Cause != "" && !errors.Is(v.Cause, v.Reason) {
			t.Errorf("%s is said to be %q, which is no cause of the reason", e.ID, v)
		}
	}
}

// causesOf returns the causes that a file declares.
func causesOf(t *testing.T, file string) (all []checker.Cause) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tCause\w+ +Cause = "(\w+)"`).FindAllStringSubmatch(string(src), -1) {
		all = append(all, checker.Cause(m[1]))
	}
	if len(all) < 40 { // or the test has read nothing
		t.Fatalf("%s has %d causes", file, len(all))
	}
	return all
}
