// Package layout holds the root package to its layout.
package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "example.com/checker"

// order has the files of the root from top to bottom: what stands in one uses what
// stands in those below it, and nothing above. Its upper half is the formula of
// a check (probe.go has it), from the outside in.
var order = []string{
	"doc.go", "checker.go", "batch.go",
	"confirm.go", "probe.go", "follow.go", "exchange.go", "token.go", "hedge.go", "answer.go",
	"canary.go", "engine.go", "clock.go", "roots.go", "options.go", "config.go",
	"classify.go", "detail.go", "certificate.go", "handshake.go", "kind.go", "json.go", "result.go", "tls.go", "error.go", "cause.go", "reason.go",
}

const (
	maxFiles   = 45 // Go files in the root, those of tests included
	maxHomes   = 2  // files that the methods of one type lie in
	testSuffix = "_test.go"
)

// A listed package is one that "go list" tells of.
type listed struct {
	ImportPath   string
	Export       string   // the file with its compiled types
	Imports      []string // of the package
	TestImports  []string // and of its tests
	XTestImports []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json"}, args...)...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// parsed is a package with its types known.
type parsed struct {
	fset  *token.FileSet
	files []*ast.File
	pkg   *types.Package
	info  *types.Info
}

// check type-checks files against the packages that they import, of which exports
// has the compiled types.
func check(fset *token.FileSet, files []*ast.File, exports map[string]string) (*parsed, error) {
	open := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s is not compiled", path)
		}
		return os.Open(exports[path])
	}
	s := &parsed{fset: fset, files: files, info: &types.Info{
		Defs: make(map[*ast.Ident]types.Object),
		Uses: make(map[*ast.Ident]types.Object),
	}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	var err error
	s.pkg, err = conf.Check(root, fset, files, s.info)
	return s, err
}

func (s *parsed) file(pos token.Pos) string { return filepath.Base(s.fset.Position(pos).Filename) }

// upward returns the arrows that point up: uses of something by a file that stands
// below the one where it is declared, in order.
func (s *parsed) upward(order []string) []string {
	var all []string
	for ident, obj := range s.info.Uses {
		if obj.Pkg() != s.pkg {
			continue
		}
		user, home := s.file(ident.Pos()), s.file(obj.Pos())
		if slices.Index(order, home) < slices.Index(order, user) {
			all = append(all, fmt.Sprintf("%s uses %s, which stands above it in %s", s.fset.Position(ident.Pos()), obj.Name(), home))
		}
	}
	slices.Sort(all)
	return all
}

// scattered returns the types whose methods lie in more files than max.
func (s *parsed) scattered(max int) []string {
	homes := make(map[string]map[string]bool)
	for _, f := range s.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil {
				continue
			}
			sig := s.info.Defs[fn.Name].Type().(*types.Signature)
			typ := sig.Recv().Type()
			if p, ok := typ.(*types.Pointer); ok {
				typ = p.Elem()
			}
			name := types.TypeString(typ, types.RelativeTo(s.pkg))
			if homes[name] == nil {
				homes[name] = make(map[string]bool)
			}
			homes[name][s.file(fn.Pos())] = true
		}
	}
	var all []string
	for name, files := range homes {
		if len(files) > max {
			all = append(all, fmt.Sprintf("the methods of %s lie in %v", name, slices.Sorted(maps.Keys(files))))
		}
	}
	slices.Sort(all)
	return all
}

func exports(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, p := range list(t, "-export", "-deps", ".") {
		all[p.ImportPath] = p.Export
	}
	return all
}

func TestNoArrowPointsUp(t *testing.T) {
	p := list(t, ".")[0]
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		if !slices.Contains(order, name) {
			t.Errorf("%s has no place in the order of the files", name)
		}
		f, err := parser.ParseFile(fset, filepath.Join("..", "..", name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	for _, name := range order {
		if !slices.Contains(p.GoFiles, name) {
			t.Errorf("%s is in the order and not in the package", name)
		}
	}
	s, err := check(fset, files, exports(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, arrow := range s.upward(order) {
		t.Error(arrow)
	}
	for _, scattered := range s.scattered(maxHomes) {
		t.Error(scattered)
	}
}

// The test finds what it is for.
func TestArrowsAreFound(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	for name, text := range map[string]string{
		"a.go": "package p; type A struct{ f B }; func (A) one() {}",
		"b.go": "package p; type B int; func (A) two() {}; func up(a A) { a.one() }",
		"c.go": "package p; func (*A) three() {}; func down() {}",
	} {
		f, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	s, err := check(fset, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.upward([]string{"a.go", "b.go", "c.go"})
	if n := len(got); n != 4 { // A three times, and one
		t.Errorf("%d arrows point up: %q; want 4", n, got)
	}
	if got := s.scattered(2); len(got) != 1 || !strings.Contains(got[0], "A lie in [a.go b.go c.go]") {
		t.Errorf("scattered = %q; want A in three files", got)
	}
}

// Root files are few, and a file of tests is named after the file that it tests.
func TestRootFiles(t *testing.T) {
	p := list(t, ".")[0]
	tests := append(p.TestGoFiles, p.XTestGoFiles...)
	if n := len(p.GoFiles) + len(tests); n > maxFiles {
		t.Errorf("the root has %d Go files; want at most %d", n, maxFiles)
	}
	for _, name := range tests {
		tested := strings.TrimSuffix(name, testSuffix)
		if !slices.Contains(order, tested+".go") && !strings.HasPrefix(name, "example_") && name != "bench_test.go" && name != "export_test.go" {
			t.Errorf("%s tests no file of the package", name)
		}
	}
}

// Nothing below the root imports it, but for the suites of tests.
func TestRootIsAbove(t *testing.T) {
	for _, p := range list(t, "./internal/...") {
		if p.ImportPath != root+"/internal/faults" && slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), root) {
			t.Errorf("%s imports the root", p.ImportPath)
		}
	}
}

// Package watch is made of what the root shows to everyone. Package checkertest needs the
// servers that misbehave as well, and the words of lookups and targets; nothing else is made
// of it.
func TestOthersAreOutside(t *testing.T) {
	allowed := map[string][]string{
		root + "/watch":       {root},
		root + "/checkertest": {root, root + "/internal/hostile", root + "/internal/resolve", root + "/internal/target"},
	}
	for _, p := range list(t, "./...") {
		own := slices.DeleteFunc(slices.Clone(p.Imports), func(path string) bool { return path != root && !strings.HasPrefix(path, root+"/") })
		if want, ok := allowed[p.ImportPath]; ok && !slices.Equal(own, want) {
			t.Errorf("%s imports %q; want %q", p.ImportPath, own, want)
		}
		delete(allowed, p.ImportPath)
		if slices.Contains(own, root+"/checkertest") {
			t.Errorf("%s imports checkertest, which is for tests", p.ImportPath)
		}
	}
	if len(allowed) > 0 {
		t.Errorf("there is no package %v", allowed)
	}
}
