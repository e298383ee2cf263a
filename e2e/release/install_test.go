// Package release tests what users get of a release: the modules as a module
// proxy serves them, and the images of the programs.
package release

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// A listed module is one of go.work, as "go list" tells of it.
type listed struct{ Path, Dir, GoMod string }

// released says whether a module gets tags: not those that only measure and test.
func (m listed) released() bool {
	return path.Base(m.Path) != "bench" && path.Base(m.Path) != "e2e"
}

// workspace returns the modules of go.work by their paths.
func workspace(t *testing.T) map[string]listed {
	t.Helper()
	mods := make(map[string]listed)
	for d := json.NewDecoder(bytes.NewReader(run(t, ".", nil, "go", "list", "-m", "-json"))); ; {
		var m listed
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return mods
		} else if err != nil {
			t.Fatal(err)
		}
		mods[m.Path] = m
	}
}

// run runs a program that must end well, and returns what it wrote to standard
// output. The variables of env come after those of this process.
func run(t *testing.T, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q in %s: %v\n%s", args, dir, err, stderr.Bytes())
	}
	return out
}

// requirement returns the version at which the modules require each other. It is
// one, since one commit gets the tags of all of them; and a replace would make go
// install refuse a module.
func requirement(t *testing.T, mods map[string]listed) string {
	t.Helper()
	versions := make(map[string]string) // to where it is required
	for _, m := range mods {
		data, err := os.ReadFile(m.GoMod)
		if err != nil {
			t.Fatal(err)
		}
		f, err := modfile.Parse(m.GoMod, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Replace) > 0 {
			t.Errorf("%s has a replace; want it in go.work", m.GoMod)
		}
		for _, r := range f.Require {
			if _, ours := mods[r.Mod.Path]; ours {
				versions[r.Mod.Version] = m.GoMod
			}
		}
	}
	if len(versions) != 1 {
		t.Fatalf("the modules require each other at the versions %v; want one", versions)
	}
	return slices.Collect(maps.Keys(versions))[0]
}

// publish adds a module to a directory that is laid out as a module proxy.
func publish(t *testing.T, proxy string, m listed, version string) {
	t.Helper()
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(m.GoMod)
	if err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	if err := zip.CreateFromDir(&content, module.Version{Path: m.Path, Version: version}, m.Dir); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": info, version + ".mod": mod, version + ".zip": content.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Every program can be had by go install at a version: where there is no go.work,
// from a proxy that has nothing but what was tagged. Whatever is not of this
// repository comes from the module cache, where it lies once the workspace was
// built, and is held against go.sum, so that no network is needed.
func TestInstall(t *testing.T) {
	mods := workspace(t)
	version := requirement(t, mods)
	proxy, home := t.TempDir(), t.TempDir()
	for _, m := range mods {
		if m.released() {
			publish(t, proxy, m, version)
		}
	}
	goEnv := strings.Fields(string(run(t, ".", nil, "go", "env", "GOMODCACHE", "GOPROXY")))
	env := []string{
		"GOPROXY=file://" + proxy + ",file://" + goEnv[0] + "/cache/download," + goEnv[1], "GOSUMDB=off",
		"GOMODCACHE=" + filepath.Join(home, "mod"), "GOBIN=" + filepath.Join(home, "bin"),
		// That is what the images are built with, so that nothing is compiled twice.
		"CGO_ENABLED=0", "GOFLAGS=-modcacherw -trimpath",
	}
	installed := 0
	for _, m := range mods {
		if !m.released() {
			continue
		}
		list := run(t, m.Dir, nil, "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}@`+version+`{{end}}`, "./...")
		programs := strings.Fields(string(list))
		if len(programs) == 0 {
			continue // a library
		}
		run(t, home, env, append([]string{"go", "install"}, programs...)...)
		for _, program := range programs {
			bin := filepath.Join(home, "bin", path.Base(strings.TrimSuffix(program, "@"+version)))
			sums(t, mods, version, bin)
			run(t, home, nil, bin, "-h")
			installed++
		}
	}
	if installed == 0 {
		t.Error("installed no program; want some")
	}
}

// sums holds what a program was made of against the go.sum of its module, and the
// modules of this repository against the version.
func sums(t *testing.T, mods map[string]listed, version, bin string) {
	t.Helper()
	info, err := buildinfo.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile(filepath.Join(mods[info.Main.Path].Dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range info.Deps {
		_, ours := mods[d.Path]
		switch {
		case ours && d.Version != version:
			t.Errorf("%s has %s %s; want %s", info.Path, d.Path, d.Version, version)
		case !ours && !strings.Contains(string(known), d.Path+" "+d.Version+" "+d.Sum+"\n"):
			t.Errorf("%s has %s %s %s, which is not in go.sum", info.Path, d.Path, d.Version, d.Sum)
		}
	}
}
