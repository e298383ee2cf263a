package checker_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
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
