package checker_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/checker"
)

// packageDoc reads the documentation of the package in this folder.
func packageDoc(t *testing.T) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(fset, e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(fset, files, "example.com/checker")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every exported name has a comment that begins as godoc has it.
func TestEverythingIsDocumented(t *testing.T) {
	p := packageDoc(t)
	names := 0
	check := func(name, comment string, begin ...string) {
		names++
		for _, b := range append(begin, name+" ") {
			if strings.HasPrefix(comment, b) {
				return
			}
		}
		t.Errorf("the comment on %s is %q; want it to begin with the name", name, comment)
	}
	if !strings.HasPrefix(p.Doc, "Package checker ") {
		t.Errorf("the package comment begins %.40q", p.Doc)
	}
	for _, f := range p.Funcs {
		check(f.Name, f.Doc)
	}
	values := p.Vars
	for _, typ := range p.Types {
		check(typ.Name, typ.Doc, "A "+typ.Name+" ", "An "+typ.Name+" ", typ.Name+" ")
		for _, f := range append(typ.Funcs, typ.Methods...) {
			check(f.Name, f.Doc)
		}
		values = append(append(values, typ.Consts...), typ.Vars...)
		checkFields(t, typ)
	}
	for _, v := range append(values, p.Consts...) {
		for _, spec := range v.Decl.Specs {
			spec := spec.(*ast.ValueSpec)
			if names++; v.Doc == "" && spec.Doc.Text() == "" && spec.Comment.Text() == "" {
				t.Errorf("%v has no comment", spec.Names)
			}
		}
	}
	if names < 60 { // or the test has read nothing
		t.Errorf("only %d names were found", names)
	}
}

// checkFields fails for the exported fields of a struct without a comment.
func checkFields(t *testing.T, typ *doc.Type) {
	for _, spec := range typ.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range s.Fields.List {
			text := f.Doc.Text() + f.Comment.Text()
			for _, name := range f.Names {
				if name.IsExported() && text == "" && !strings.Contains(typ.Doc, name.Name) {
					t.Errorf("%s.%s has no comment", typ.Name, name.Name)
				}
			}
		}
	}
}

// The comment on an option says what the default is and what is refused.
func TestOptionsAreContracts(t *testing.T) {
	refused := regexp.MustCompile(`(?i)\brefused\b`)
	cases := make(map[string]bool)
	for _, c := range optionCases {
		cases[c.name] = true
	}
	n := 0
	for _, typ := range packageDoc(t).Types {
		for _, f := range typ.Funcs {
			if !strings.HasPrefix(f.Name, "With") {
				continue
			}
			n++
			text := strings.Join(strings.Fields(f.Doc), " ")
			if !strings.Contains(text, "default") {
				t.Errorf("the comment on %s does not say what the default is", f.Name)
			}
			if !refused.MatchString(text) {
				t.Errorf("the comment on %s does not say what is refused", f.Name)
			}
			if !cases[f.Name] {
				t.Errorf("%s is not in the table of options", f.Name)
			}
		}
	}
	if n != len(optionCases) {
		t.Errorf("%d options are documented; want %d", n, len(optionCases))
	}
}

// tableRows returns the cells of the tables in a Markdown file that have so many, without
// their headings.
func tableRows(t *testing.T, file string, cells int) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| `") || len(row) != cells {
			continue
		}
		for i, cell := range row {
			row[i] = strings.TrimSpace(cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// meaningKinds has what may stand in a table of meanings.
var meaningKinds = []*regexp.Regexp{
	2: regexp.MustCompile(`^(-|abandoned|dns\.(unreachable|name_not_resolved|failed)|tcp\.(timed_out|closed|reset|refused|address_invalid|address_unreachable)|` +
		`tls\.(version_or_cipher_mismatch|bad_client_auth_cert|protocol\.error|cert\.(name|date|authority)_invalid|cert\.invalid)|` +
		`http\.(error|failed|protocol\.error|response\.(invalid|redirect_loop)))$`),
	3: regexp.MustCompile(`^(-|[A-Z0-9_]+)$`),
	4: regexp.MustCompile(`^(-|\d+)$`),
	5: regexp.MustCompile(`^(-|connection_failed|timeout|dns_error|response_string_mismatch|response_status_code_mismatch)$`),
	6: regexp.MustCompile(`^([a-z_]+|STATUS)$`),
}

// The godoc and docs/reasons.md have the same table of meanings, with a row for every
// Reason and every Cause, and no other.
func TestMeanings(t *testing.T) {
	var want [][]string
	for _, r := range checker.AllReasons() {
		want = append(want, []string{string(r), "-"})
		for _, c := range checker.AllCauses() {
			if c.Is(r) {
				want = append(want, []string{string(r), string(c)})
			}
		}
	}
	var doc [][]string
	_, table, _ := strings.Cut(packageDoc(t).Doc, "\tReason ")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table[strings.Index(table, "\n")+1:]) {
		doc = append(doc, strings.Fields(line))
	}
	var page [][]string
	for _, row := range tableRows(t, "docs/reasons.md", 7) {
		for i, cell := range row {
			cell = strings.TrimPrefix(strings.Trim(cell, "`"), "ERR_")
			if row[i] = cell; cell == "" || cell == "–" {
				row[i] = "-"
			}
		}
		row[6] = strings.Replace(row[6], "the status, such as 404", "STATUS", 1)
		page = append(page, row)
	}
	for what, rows := range map[string][][]string{"the godoc": doc, "docs/reasons.md": page} {
		if len(rows) != len(want) {
			t.Errorf("%s has %d rows of meanings; want %d", what, len(rows), len(want))
		}
		for _, w := range want {
			if n := count(rows, func(row []string) bool { return slices.Equal(row[:2], w) }); n != 1 {
				t.Errorf("%s has %d rows for %q; want one", what, n, w)
			}
		}
		for _, row := range rows {
			for i, kind := range meaningKinds {
				if kind != nil && !kind.MatchString(row[i]) {
					t.Errorf("%s says %q; want %v in cell %d", what, row, kind, i)
				}
			}
		}
	}
	if !slices.EqualFunc(doc, page, slices.Equal) {
		t.Errorf("the godoc and docs/reasons.md differ:\n%q\n%q", doc, page)
	}
}

func count[T any](all []T, ok func(T) bool) (n int) {
	for _, v := range all {
		if ok(v) {
			n++
		}
	}
	return n
}

// The README's table of reasons is that of docs/reasons.md, and says of each which
// verdict it is; what docs/reasons.md says of a Cause is its comment.
func TestTablesOfReasons(t *testing.T) {
	read := func(file string) (rows [][]string) {
		return slices.DeleteFunc(tableRows(t, file, 3), func(row []string) bool { return row[1] != "Offline" && row[1] != "Unknown" })
	}
	if text, err := os.ReadFile("README.md"); err != nil || !strings.Contains(string(text), fmt.Sprintf("%d reasons, %d causes", len(checker.AllReasons()), len(checker.AllCauses()))) {
		t.Errorf("README.md does not say how many reasons and causes there are: %d and %d (%v)", len(checker.AllReasons()), len(checker.AllCauses()), err)
	}
	readme, page := read("README.md"), read("docs/reasons.md")
	if !slices.EqualFunc(readme, page, slices.Equal) {
		t.Errorf("README.md and docs/reasons.md differ:\n%q\n%q", readme, page)
	}
	var said []checker.Reason
	for _, row := range page {
		r := checker.Reason(strings.Trim(row[0], "`"))
		said = append(said, r)
		if !strings.EqualFold(row[1], string(r.Status())) {
			t.Errorf("docs/reasons.md says that %q is %s; want %s", r, row[1], r.Status())
		}
	}
	if all := checker.AllReasons(); !slices.Equal(said, all) {
		t.Errorf("docs/reasons.md has the reasons %q; want %q", said, all)
	}
	comments := make(map[string]string)
	src, err := os.ReadFile("cause.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tCause\w+ +Cause = "(\w+)" +// (.*)$`).FindAllStringSubmatch(string(src), -1) {
		comments[m[1]] = m[2]
	}
	causes := slices.DeleteFunc(tableRows(t, "docs/reasons.md", 3), func(row []string) bool { return row[1] == "Offline" || row[1] == "Unknown" })
	if len(causes) != len(checker.AllCauses()) {
		t.Errorf("docs/reasons.md has %d causes; want %d", len(causes), len(checker.AllCauses()))
	}
	for _, row := range causes {
		reason, cause := checker.Reason(strings.Trim(row[0], "`")), checker.Cause(strings.Trim(row[1], "`"))
		if !cause.Is(reason) || comments[string(cause)] != row[2] {
			t.Errorf("docs/reasons.md says %q; want the comment %q", row, comments[string(cause)])
		}
	}
}
