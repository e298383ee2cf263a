package programs

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const megabytes = 100 // in one line

var line string // the name of a file with that

// writeLine makes the file of one line. This process is to stay small: a child's memory is
// counted from what that of its parent was.
func writeLine(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "line"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line = f.Name()
	block := bytes.Repeat([]byte("x"), 1<<20)
	for range megabytes {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}

// faults of what is to be read: how they are made, and what is said of them.
var faults = []struct {
	name string
	make func(file string) error
	want string
	own  map[string]string // what some say; "fine" if that is no error to them
}{
	{"missing", os.Remove, "no such file or directory", map[string]string{"rpchecker": "input file not found"}},
	{"empty", text(""), "there are no sites in it", map[string]string{
		"rpchecker": "empty input file", "quorum": "it is empty", "linkcheck -files": "there are no paths in it", "linkcheck": "fine",
	}},
	{"blank", text("\n# nothing\n\n"), "there are no sites in it", map[string]string{
		"rpchecker": "empty input file", "quorum": "is no result", "linkcheck -files": "there are no paths in it", "linkcheck": "fine",
	}},
	{"a directory", func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) }, "is a directory", map[string]string{"linkcheck DOC": "has no Markdown"}},
	{"binary", text("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 100)), "binary", map[string]string{"quorum": "line 1 is no result"}},
	{"in UTF-16", text("\xff\xfeh\x00t\x00t\x00p\x00\n\x00"), "UTF-16", map[string]string{"quorum": "line 1 is no result"}},
	{"one line", func(file string) error { return errors.Join(os.Remove(file), os.Link(line, file)) }, "is longer than", map[string]string{"linkcheck DOC": "more than 16 MiB"}},
}

func text(s string) func(string) error {
	return func(file string) error { return os.WriteFile(file, []byte(s), 0o600) }
}

// Input that is none is told in a sentence, with the status for it, before anything is
// written, and whatever its size.
func TestInput(t *testing.T) {
	writeLine(t)
	for _, p := range programs {
		for _, args := range p.inputs {
			for _, fault := range faults {
				w := newWeb(t, 3)
				for _, name := range []string{"LIST", "DOC", "RESULTS"} {
					if err := fault.make(filepath.Join(w.dir, name)); err != nil {
						t.Fatal(err)
					}
				}
				want := cmp.Or(fault.own[p.name()+" "+strings.Fields(args)[0]], fault.own[p.name()], fault.want)
				got := w.do(t, p, args)
				if want == "fine" {
					if got.status != 0 || got.stderr != "" {
						t.Errorf("%s %s, of which the input is %s: status %d, %q; want 0", p.name(), args, fault.name, got.status, got.stderr)
					}
					continue
				}
				if err := p.sentence(got.stderr, want); err != nil || got.status != p.failed() {
					t.Errorf("%s %s, of which the input is %s: status %d, %q: %v; want %d", p.name(), args, fault.name, got.status, got.stderr, err, p.failed())
				}
				if got.stdout != "" && p.name() != "linkcheck" { // which tells what it read
					t.Errorf("%s %s, of which the input is %s, printed %q; want nothing", p.name(), args, fault.name, got.stdout)
				}
				for _, name := range []string{"OUT", "OUT.html"} {
					if _, err := os.Stat(filepath.Join(w.dir, name)); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("%s %s, of which the input is %s: there is an output: %v", p.name(), args, fault.name, err)
					}
				}
				if got.memory > megabytes<<20 {
					t.Errorf("%s %s, of which the input is %s, took %d MiB", p.name(), args, fault.name, got.memory>>20)
				}
			}
		}
	}
}

// With no terminal and nothing on standard input, what is printed is for other programs
// to read.
func TestNoTerminal(t *testing.T) {
	for _, p := range programs {
		for _, args := range append(append([]string{p.prints}, p.writes...), "-h") {
			if args == "" {
				continue
			}
			w := newWeb(t, 3)
			got := w.do(t, p, args)
			if got.status != 0 || strings.Contains(got.stdout+got.stderr, "\x1b") || got.stderr != "" && p.name() != "quorum" { // which tells the votes
				t.Errorf("%s %s: status %d, %q and %q; want 0, and nothing for terminals", p.name(), args, got.status, got.stdout, got.stderr)
			}
			if args == "-h" && !strings.HasPrefix(got.stdout, "Usage: ") && !bytes.Contains([]byte(got.stdout), []byte("\nUsage: ")) {
				t.Errorf("%s -h printed %q; want its usage", p.name(), got.stdout)
			}
		}
	}
}
