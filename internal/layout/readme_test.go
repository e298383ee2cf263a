package layout

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const maxReadme = 150 // lines

// snippet is a piece of Go in the README.
var snippet = regexp.MustCompile("(?s)\n```go\n(.*?\n)```\n")

// Whoever copies from the README copies what compiles: a program of its own does so here,
// and any other piece stands in a file of the module.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n > maxReadme {
		t.Errorf("README.md has %d lines; want at most %d", n, maxReadme)
	}
	source := tests(t)
	programs, pieces := 0, 0
	for _, m := range snippet.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], "package main\n") {
			programs++
			compile(t, m[1])
			continue
		}
		pieces++
		if !strings.Contains(source, m[1]) {
			t.Errorf("README.md has, and no test has,\n%s", m[1])
		}
	}
	if programs < 1 || pieces < 2 {
		t.Errorf("README.md has %d programs and %d pieces of Go; want one and two at least", programs, pieces)
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "checkertest", "network.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(doc), "//\n//\tfunc ")
	shown, _, _ = strings.Cut(shown, "//\n// #")
	if shown = "func " + strings.ReplaceAll(shown, "//\t", ""); !strings.Contains(source, shown) || !strings.Contains(shown, "NewNetwork") {
		t.Errorf("the comment on checkertest has, and no test has,\n%s", shown)
	}
}

// tests returns the tests of the module as users write them, who have no package bubble.
func tests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, testSuffix) {
			return err
		}
		text, err := os.ReadFile(path)
		all.WriteString(strings.ReplaceAll(string(text), "bubble.Test(", "synctest.Test("))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// compile compiles a program, as if it were a package of the module.
func compile(t *testing.T, program string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	file, overlay := filepath.Join(t.TempDir(), "main.go"), filepath.Join(t.TempDir(), "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "readme", "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{file: []byte(program), overlay: replace} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-o", filepath.Join(t.TempDir(), "program"), "./readme")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the program in README.md: %v\n%s", err, out)
	}
}
