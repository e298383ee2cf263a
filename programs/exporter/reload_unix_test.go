//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func body(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// SIGHUP has the list read again; one that cannot be read changes nothing but is told.
func TestReload(t *testing.T) {
	w := newWeb(t)
	file := list(t, w.up, w.busy)
	base, cmd, stop := startProcess(t, "-f", file, "-every", "100ms")
	await := func(what string, has, lacks string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			text := body(t, base+"metrics")
			if strings.Contains(text, has) && !strings.Contains(text, lacks) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: want %s and no %s in\n%s", what, has, lacks, text)
			}
		}
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	await("at first", fmt.Sprintf("probe_success{target=%q} 0", w.busy), "nothing")
	write(w.up + "\n" + w.moved + "\n")
	await("another list", fmt.Sprintf("probe_success{target=%q} 1", w.moved), w.busy)
	write("# nothing\n")
	await("no list", "config_last_reload_successful 0", w.busy)
	await("no list", fmt.Sprintf("probe_success{target=%q} 1", w.moved), w.busy)
	write(w.busy)
	await("a list again", fmt.Sprintf("probe_success{target=%q} 0", w.busy), w.moved)
	await("a list again", "config_last_reload_successful 1", w.moved)
	if said := stop(); !strings.Contains(said, "the list stays as it is: "+file+": there are no sites in it\n") || !strings.Contains(said, "the list has 1 sites") {
		t.Errorf("the exporter said %q; want what became of the lists", said)
	}
}
