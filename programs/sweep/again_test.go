package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/checker"
)

// flaky is a site whose paths reset as often as their last letter says, and then
// answer.
func flaky(t *testing.T) (url string) {
	var mu sync.Mutex
	asked := make(map[string]int)
	return fmt.Sprintf("http://127.0.0.1:%d/", serve(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		if n := int(r.URL.Path[len(r.URL.Path)-1] - '0'); asked[r.URL.Path] <= 2*n { // HEAD and GET
			panic(http.ErrAbortHandler)
		}
	}))
}

// What is not online is asked again at the end, as often as -again says, and has one
// line in the end.
func TestAgain(t *testing.T) {
	for again, want := range []string{"online offline offline offline unknown", "online online offline offline unknown", "online online online offline unknown"} {
		url := flaky(t)
		in := url + "0\n" + url + "1\n" + url + "2\n" + url + "9\n://\n"
		stdout, stderr, status := sweeps(t, in, "-retries=0", "-again", fmt.Sprint(again))
		all := results(t, "jsonl", stdout)
		var got []string
		for i := range 5 {
			got = append(got, string(all[i].Status()))
		}
		if strings.Join(got, " ") != want || len(all) != 5 || unwarned(stderr) != "" || status != 0 {
			t.Errorf("-again %d: %s, %d lines, %q, status %d; want %s", again, got, len(all), stderr, status, want)
		}
	}
}

// A second verdict of unknown says nothing against the first.
func TestAgainKeepsOffline(t *testing.T) {
	s := sweep{held: make(map[int]checker.Result), options: options{again: 1}}
	for _, r := range []error{checker.ReasonDNS, checker.ReasonRefused, checker.ReasonLocal, checker.ReasonReset} {
		if err := s.take(checker.Result{Index: 3, Err: r}); err != nil {
			t.Fatal(err)
		}
		want := r.(checker.Reason)
		if want == checker.ReasonLocal {
			want = checker.ReasonRefused
		}
		if got := s.held[3].Reason(); got != want || len(s.held) != 1 {
			t.Errorf("after %v %q is held; want %q", r, got, want)
		}
	}
}

// ^C in the second round loses none of what the first has found.
func TestAgainInterrupted(t *testing.T) {
	var once sync.Once
	hangs, release := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	port := serve(t, func(http.ResponseWriter, *http.Request) {
		if asked.Add(1) > 2 {
			once.Do(func() { close(hangs) })
			<-release
		}
		panic(http.ErrAbortHandler)
	})
	defer close(release)
	out := filepath.Join(t.TempDir(), "out")
	cmd, _, stderr := command(t, "-retries=0", "-c=1", "-again=1", "-o", out, file(t, fmt.Sprintf("http://127.0.0.1:%d\nhttp://127.0.0.1:1\n", port)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-hangs
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if got := results(t, "jsonl", read(t, out)); len(got) != 2 || got[0].Reason() != checker.ReasonReset || got[1].Reason() != checker.ReasonRefused {
		t.Errorf("the output has %v; want both sites", got)
	}
	if got := stderr.String(); cmd.ProcessState.ExitCode() != 130 || got != "sweep: interrupted after 2 sites; -resume goes on from there\n" {
		t.Errorf("status %d and %q; want 130 and where to go on", cmd.ProcessState.ExitCode(), got)
	}
}
