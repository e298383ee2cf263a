package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

// The test binary is also the worker that the tests start.
func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// M2: the run is gentler than that of the command: other packages' tests want the
// machine at the same time, and what they take must not look like a fault.
func TestSoak(t *testing.T) {
	n := 16_667
	if testing.Short() {
		n = 2_000
	}
	file := filepath.Join(t.TempDir(), "soak.json")
	var stdout strings.Builder
	err := run(t.Context(), []string{
		"-n", strconv.Itoa(n), "-seeds", "1,2,3", "-c", "64", "-faults", "0.1", "-timeout", "3s", "-json", file,
	}, &stdout, t.Output())
	if err != nil {
		t.Errorf("run() = %v\n%s", err, stdout.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []tally
	if err := json.Unmarshal(data, &all); err != nil || len(all) != 3 {
		t.Fatalf("%s holds %d seeds, %v; want 3", file, len(all), err)
	}
	for _, got := range all {
		if got.Checks != n {
			t.Errorf("seed %d: %d checks; want %d", got.Seed, got.Checks, n)
		}
		if want := len(newDeck(got.Seed, 0.1).all); !testing.Short() && len(got.Kinds) != want {
			t.Errorf("seed %d: %d kinds of sites; want all %d", got.Seed, len(got.Kinds), want)
		}
	}
}

// A soak that finds nothing is worth something only if it would.
func TestJudge(t *testing.T) {
	opts := options{N: 200, Seeds: []uint64{1}, Concurrency: 1, Timeout: time.Second}
	f, err := newFleet(t.Context(), opts.N, newDeck(1, 0)) // all are well
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	j := &judge{opts: opts, fleet: f, got: make([]got, opts.N)}
	j.Kinds = make(map[string]int)
	good := func(index int) *result {
		return &result{Index: index, Code: f.deck.kind(index).code, Status: checker.Online, Attempts: 1}
	}
	for i := range opts.N {
		f.requests[i].Store(1)
		if i > 0 {
			j.judge(good(i))
		}
	}
	twice, late, verdict, code := good(2), good(3), good(4), good(5)
	late.Took = opts.Timeout + time.Second
	verdict.Status, verdict.Reason = checker.Offline, checker.ReasonReset
	code.Code = 204
	j.got[3], j.got[4], j.got[5] = got{}, got{}, got{}
	for _, r := range []*result{twice, late, verdict, code} {
		j.judge(r)
	}
	f.requests[6].Store(0)
	f.requests[7].Store(5)
	f.astray.Store(1)
	j.settle()
	want := tally{Lost: 1, Twice: 1, Verdict: 1, Reason: 1, Late: 1, Ledger: 3}
	if j.Lost != want.Lost || j.Twice != want.Twice || j.Verdict != want.Verdict || j.Reason != want.Reason || j.Late != want.Late || j.Ledger != want.Ledger {
		t.Errorf("judge found %+v; want %+v", j.tally, want)
	}
	var stdout strings.Builder
	if err := conclude(&stdout, opts, []*tally{&j.tally}); !errors.Is(err, errFaults) {
		t.Errorf("conclude() = %v; want %v", err, errFaults)
	}
	if again := opts.command(j.Seed); !strings.Contains(stdout.String(), again) || strings.Count(stdout.String(), "\n{") != 7 {
		t.Errorf("conclude() printed %s; want %q and 7 results", stdout.String(), again)
	}
}

// Every site has an address of its own, which tells its number.
func TestSites(t *testing.T) {
	for _, i := range []int{0, 1, 255, 65_535, 65_536, maxSites - 1} {
		s := newSite(i, 80, 81)
		if got := indexOf(s.addr); got != i || !s.addr.IsLoopback() {
			t.Errorf("site %d has the address %v of site %d", i, s.addr, got)
		}
	}
	if got := indexOf(netip.MustParseAddr("127.0.1.7")); got != -1 {
		t.Errorf("indexOf a hot host = %d; want -1", got)
	}
}

func TestSlope(t *testing.T) {
	var samples []sample
	for i := range 100 {
		samples = append(samples, sample{Checks: 1000 * i, KiB: 5000 + 20*i})
	}
	if got := slope(samples); got < 1999 || got > 2001 {
		t.Errorf("slope of 20 KiB in 1 000 checks = %v KiB in 100 000; want 2000", got)
	}
	if got := slope(nil); got != 0 {
		t.Errorf("slope of nothing = %v; want 0", got)
	}
}

func TestParse(t *testing.T) {
	for _, args := range []string{
		"-n 0", "-n 99999999", "-c 0", "-faults 2", "-faults NaN", "-timeout 1ms", "-seeds 1,x", "-seed -1", "-seed 1 -seeds 2", "extra",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("parse(%q) = nil; want an error", args)
		}
	}
	opts, err := parse(strings.Fields("-n 10 -seeds 3,4 -faults 0.5"), io.Discard)
	if want := "go run ./e2e/soak -n 10 -seed 4 -c 200 -faults 0.5 -timeout 1s -canaries=false"; err != nil || len(opts.Seeds) != 2 || opts.command(4) != want {
		t.Errorf("parse() = %+v, %v; want one that is said again by %q", opts, err, want)
	}
	var help strings.Builder
	if _, err := parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-faults part") {
		t.Errorf("parse(-h) = %v and %q; want help", err, help.String())
	}
}
