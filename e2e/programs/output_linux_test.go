package programs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Standard output that takes nothing fails a program, be it for what was found or for help.
func TestFullOutput(t *testing.T) {
	for _, p := range programs {
		for _, args := range []string{p.prints, "-h"} {
			if args == "" {
				continue
			}
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			cmd := newWeb(t, 3).command(t, p, args)
			cmd.Stdout = full
			start(t, cmd)
			full.Close()
			got := finish(t, cmd)
			if err := p.sentence(got.stderr, "no space left on device"); err != nil || got.status != p.failed() {
				t.Errorf("%s %s > /dev/full: status %d, %q: %v; want %d", p.name(), args, got.status, got.stderr, err, p.failed())
			}
		}
	}
}

// disk mounts a small disk at OUT of w.
func (w *web) disk(t *testing.T, size string) {
	t.Helper()
	dir := filepath.Join(w.dir, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs root, to mount a small disk: ", err)
		}
		t.Skip("needs root, to mount a small disk: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := os.Symlink(filepath.Join(dir, "out"), filepath.Join(w.dir, "OUT")); err != nil {
		t.Fatal(err)
	}
}

// A file for which there is no room fails a program.
func TestFullDisk(t *testing.T) {
	for _, p := range programs {
		for _, args := range p.writes {
			w := newWeb(t, 3)
			w.disk(t, "8k")
			if err := os.WriteFile(filepath.Join(w.dir, "disk", "fill"), make([]byte, 8<<10), 0o600); err != nil {
				t.Fatal(err)
			}
			if args == "-write-baseline OUT GOOD" { // which is for what is dead
				w.sites = append(w.sites, "http://127.0.0.1:1/")
				w.write(t)
			}
			got := w.do(t, p, args)
			if err := p.sentence(got.stderr, "no space left on device"); err != nil || got.status != p.failed() {
				t.Errorf("%s %s on a full disk: status %d, %q: %v; want %d", p.name(), args, got.status, got.stderr, err, p.failed())
			}
		}
	}
}

// What was found before the disk was full is gone on with once there is room.
func TestFullDiskResumed(t *testing.T) {
	for _, args := range []string{"sweep -o OUT LIST", "sweep -format csv -o OUT LIST", "shard -f LIST -o OUT"} {
		name, args, _ := strings.Cut(args, " ")
		p := named(name)
		w := newWeb(t, 500)
		w.disk(t, "32k")
		if got := w.do(t, p, args); got.status != 2 || !strings.Contains(got.stderr, "no space left on device") {
			t.Errorf("%s %s on a small disk: status %d, %q; want 2", name, args, got.status, got.stderr)
		}
		if err := syscall.Mount("tmpfs", filepath.Join(w.dir, "disk"), "tmpfs", syscall.MS_REMOUNT, "size=8M"); err != nil {
			t.Fatal(err)
		}
		if got := w.do(t, p, "-resume "+args); got.status != 0 {
			t.Errorf("%s -resume %s: status %d, %q; want 0", name, args, got.status, got.stderr)
		}
		if err := w.whole(len(w.sites)); err != nil {
			t.Errorf("%s %s, resumed: %v", name, args, err)
		}
	}
}

func named(name string) program {
	i := slices.IndexFunc(programs, func(p program) bool { return p.name() == name })
	return programs[i]
}

// whole reports an error unless OUT has the sites with the indexes below n, each once.
func (w *web) whole(n int) error {
	text, err := os.ReadFile(filepath.Join(w.dir, "OUT"))
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for line := range bytes.Lines(text) {
		var r struct{ Index json.Number }
		if line[0] != '{' {
			r.Index = json.Number(bytes.SplitN(line, []byte(","), 2)[0])
		} else if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%w: %s", err, line)
		}
		if seen[string(r.Index)] {
			return fmt.Errorf("%s is there twice", r.Index)
		}
		seen[string(r.Index)] = true
	}
	delete(seen, "index") // the first line of CSV
	if len(seen) != n {
		return fmt.Errorf("there are %d results; want %d", len(seen), n)
	}
	return nil
}

// A reader that has seen enough ends a program, without a word.
func TestHead(t *testing.T) {
	for _, p := range programs {
		if p.prints == "" || p.name() == "gate" || p.name() == "bydomain" { // which say too little
			continue
		}
		w := newWeb(t, 2000) // of more than a pipe holds
		cmd := w.command(t, p, p.prints)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		start(t, cmd)
		if line, err := bufio.NewReaderSize(out, 16).ReadString('\n'); err != nil {
			t.Errorf("%s printed %q: %v; want a line", p.name(), line, err)
		}
		out.Close()
		if got := finish(t, cmd); got.status != 128+int(syscall.SIGPIPE) || got.stderr != "" {
			t.Errorf("%s %s | head -1: status %d, %q; want the end by SIGPIPE", p.name(), p.prints, got.status, got.stderr)
		}
	}
}

// A port that another has is told in a sentence.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := 0
	for _, p := range programs {
		if p.serves == "" {
			continue
		}
		n++
		got := newWeb(t, 3).do(t, p, strings.Replace(p.serves, "ADDR", l.Addr().String(), 1))
		if err := p.sentence(got.stderr, l.Addr().String()+": bind: address already in use"); err != nil || got.status != 2 {
			t.Errorf("%s on a port that is in use: status %d, %q: %v; want 2", p.name(), got.status, got.stderr, err)
		}
	}
	if n < 2 {
		t.Errorf("%d programs serve; want more", n)
	}
}
