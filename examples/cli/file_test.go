package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, name := range []string{"", "-"} {
		if f, err := Open(name); f != os.Stdin || err != nil {
			t.Errorf("Open(%q) = %v, %v; want standard input", name, f, err)
		}
	}
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || err.Error() != dir+" is a directory, not a list" {
		t.Errorf("Open(a directory) = %v; want that it is one", err)
	}
	if _, err := Open(dir + "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open(no file) = %v; want %v", err, fs.ErrNotExist)
	}
}

// A list that is read whole is told by its name, whatever is wrong with it.
func TestReadSites(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name, text string
		want       []Site
		err        string
	}{
		{"good", "a.example\n# b\nhttps://c.example/ The  shop\na.example\n", []Site{{1, "a.example", "", ""}, {3, "https://c.example/", "The  shop", ""}, {4, "a.example", "", ""}}, ""},
		{"nothing", "", nil, "there are no sites in it"},
		{"comments", "# a\n\n", nil, "there are no sites in it"},
		{"binary", "\x89PNG\r\n\x1a\n\x00\x00\x00", nil, binary},
		{"utf-16", "\xff\xfea\x00\n\x00", nil, utf16},
		{"late", "a\n" + strings.Repeat("x", MaxLine+1) + "\nb\n", nil, "line 2 is longer than 65536 bytes"},
	} {
		file := filepath.Join(dir, test.name)
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSites(t.Context(), file)
		if !slices.Equal(got, test.want) || err == nil && test.err != "" || err != nil && err.Error() != file+": "+test.err {
			t.Errorf("ReadSites(%s) = %v, %v; want %v, %q", test.name, got, err, test.want, test.err)
		}
	}
	if _, err := ReadSites(t.Context(), dir); err == nil || err.Error() != dir+" is a directory, not a list" {
		t.Errorf("ReadSites(a directory) = %v; want that it is one", err)
	}
	if _, err := ReadSites(t.Context(), dir+"/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadSites(no file) = %v; want %v", err, fs.ErrNotExist)
	}
}
