package programs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// signals end a program, which says so.
var signals = map[syscall.Signal]string{syscall.SIGINT: "interrupted", syscall.SIGTERM: "terminated"}

// Told to end, a program does while a site hangs, says that it was told to, and keeps what
// it had found.
func TestSignals(t *testing.T) {
	for _, p := range programs {
		for _, args := range append([]string{p.prints}, p.writes...) {
			if args == "" || p.name() == "quorum" { // which asks no sites
				continue
			}
			for signal, want := range signals {
				w := newWeb(t, 5)
				w.hang(t)
				cmd := w.command(t, p, args)
				start(t, cmd)
				select {
				case <-w.asked:
				case <-time.After(30 * time.Second):
					t.Errorf("%s %s does not check", p.name(), args)
				}
				begin := time.Now()
				cmd.Process.Signal(signal)
				got := finish(t, cmd)
				if took := time.Since(begin); took > 8*time.Second {
					t.Errorf("%s %s took %v to end after %v", p.name(), args, took, signal)
				}
				if err := p.sentence(got.stderr, p.says()+want); err != nil || got.status != 128+int(signal) {
					t.Errorf("%s %s, after %v: status %d, %q: %v; want %d and %q", p.name(), args, signal, got.status, got.stderr, err, 128+int(signal), want)
				}
			}
		}
	}
}

// What an output had when its program was told to end is gone on with.
func TestSignalsResumed(t *testing.T) {
	for _, args := range []string{"sweep -c 2 -o OUT LIST", "sweep -c 2 -again 2 -o OUT LIST", "shard -c 2 -f LIST -o OUT"} {
		for signal := range signals {
			name, args, _ := strings.Cut(args, " ")
			w := newWeb(t, 50)
			w.hang(t)
			cmd := w.command(t, named(name), args)
			start(t, cmd)
			<-w.asked
			cmd.Process.Signal(signal)
			finish(t, cmd)
			close(w.free)
			if got := w.do(t, named(name), "-resume "+args); got.status != 0 {
				t.Errorf("%s -resume %s: status %d, %q; want 0", name, args, got.status, got.stderr)
			}
			if err := w.whole(len(w.sites)); err != nil {
				t.Errorf("%s %s, resumed after %v: %v", name, args, signal, err)
			}
		}
	}
}

// Told to end while nothing comes on standard input, a program does.
func TestSignalsWhileReading(t *testing.T) {
	for _, p := range programs {
		for _, args := range p.stdin {
			for signal, want := range signals {
				r, silent, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				cmd := newWeb(t, 3).command(t, p, args)
				cmd.Stdin = r
				start(t, cmd)
				r.Close()
				rest(t, cmd.Process.Pid)
				cmd.Process.Signal(signal)
				got := finish(t, cmd)
				silent.Close()
				if err := p.sentence(got.stderr, want); err != nil || got.status != 128+int(signal) {
					t.Errorf("%s %s, without input, after %v: status %d, %q: %v; want %d and %q", p.name(), args, signal, got.status, got.stderr, err, 128+int(signal), want)
				}
			}
		}
	}
}

// rest waits until a process does nothing but wait: all its threads sleep, and a while
// later they have not run since. One that wants to run and cannot does not sleep.
func rest(t *testing.T, pid int) {
	t.Helper()
	for before, end := "", time.Now().Add(30*time.Second); ; time.Sleep(50 * time.Millisecond) {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(stats) == 0 || time.Now().After(end) {
			t.Fatalf("process %d does not come to rest: %v", pid, err)
		}
		now, sleeps := "", true
		for _, file := range stats {
			text, _ := os.ReadFile(file)
			if fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])); len(fields) > 12 {
				sleeps = sleeps && fields[0] == "S"
				now += fields[11] + fields[12] + " " // the time that it ran
			}
		}
		if sleeps && now == before {
			return
		}
		before = now
	}
}

// Told to end, what serves does, and all is well.
func TestSignalsToServers(t *testing.T) {
	for _, p := range programs {
		for signal := range signals {
			if p.serves == "" {
				continue
			}
			w := newWeb(t, 3)
			w.hang(t)
			cmd := w.command(t, p, p.serves)
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(stderr)
			if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, p.says()+"listening on ") {
				t.Errorf("%s said %q: %v; want where it listens", p.name(), line, err)
			}
			cmd.Process.Signal(signal)
			rest, _ := io.ReadAll(lines)
			if got := finish(t, cmd); got.status != 0 {
				t.Errorf("%s, after %v: status %d, %q; want 0", p.name(), signal, got.status, rest)
			}
		}
	}
}
