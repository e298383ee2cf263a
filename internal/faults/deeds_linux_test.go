package faults_test

import (
	"crypto/tls"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

// A deed is what a culprit does in place of its work. It may wait for the end of a
// channel, which comes in the end.
type deed struct {
	name string
	do   func(end <-chan struct{})
}

var deeds = []deed{
	{"panics", func(<-chan struct{}) { panic("no") }},
	{"exits", func(<-chan struct{}) { runtime.Goexit() }},
	{"blocks", func(end <-chan struct{}) { <-end }},
	{"does nothing", func(<-chan struct{}) {}},
}

// S3: whatever a hook does, the check ends, and nothing is left of it: no goroutine, and
// no descriptor that waits for a garbage collection.
func TestDeeds(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	sites := newSites(t)
	var base use
	t.Run("nothing", func(t *testing.T) { base = warm(t, sites) })
	for _, c := range culprits() {
		for _, site := range c.sites {
			for _, d := range deeds {
				t.Run(c.name+" "+d.name+", "+site, func(t *testing.T) {
					runDeed(t, c, d, sites, site)
					if after := settle(t, base); after.over(base) {
						t.Errorf("in use are %+v; want %+v", after, base)
					}
				})
			}
		}
	}
}

// S3: nor is memory left, nor a timer, which would hold some.
func TestDeedsLeaveNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes a minute on an emulator")
	}
	const n = 30
	sites := newSites(t)
	for _, c := range culprits() {
		for _, d := range deeds[:2] {
			t.Run(c.name+" "+d.name, func(t *testing.T) {
				base := inUse(t)
				opts := append(sites.opts(c.sites[0]), checker.WithTimeout(time.Hour), checker.WithRetries(0), checker.WithHostConcurrency(n))
				opts = append(opts, c.opts(sites, func() { d.do(nil) })...)
				checks := faults.NewChecker(t, opts...)
				targets := slices.Repeat([]string{sites.targets[c.sites[0]]}, n)
				left, last := n, 0
				for try := 0; try < 5 && left > n/2; try++ { // what is made once, for all checks, is made once
					checks.CheckAll(t.Context(), targets)
					now := objects(t, base)
					left, last = now-last, now
				}
				if left > n/2 {
					t.Errorf("%d checks leave %d objects in memory each time; want none", n, left)
				}
				runtime.KeepAlive(checks)
			})
		}
	}
}

// objects returns how many objects are in use once all is quiet.
func objects(t *testing.T, base use) int {
	settle(t, base)
	for range 2 { // what is in a pool outlives the first
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapObjects)
}

// opts are the options of a check of a site that all is well with.
func (s *sites) opts(site string) []checker.Option {
	switch site {
	case oneAddr, twoAddrs:
		return []checker.Option{checker.WithResolver(s)}
	case secure, secure2:
		return []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: s.ca.Pool()})}
	}
	return nil
}

// runDeed checks a site and looks at what is found.
func runDeed(t *testing.T, c culprit, d deed, s *sites, site string) {
	end := make(chan struct{})
	free := sync.OnceFunc(func() { close(end) })
	defer free()
	opts := append(s.opts(site), checker.WithTimeout(10*time.Second), checker.WithRetries(0))
	if d.name == "blocks" {
		opts = append(opts, checker.WithTimeout(30*time.Millisecond))
		if c.waited {
			defer time.AfterFunc(60*time.Millisecond, free).Stop()
		}
	}
	var acted atomic.Bool
	opts = append(opts, c.opts(s, func() { acted.Store(true); d.do(end) })...)
	stuck := time.AfterFunc(30*time.Second, func() { panic("a check does not end: " + t.Name()) })
	r := faults.NewChecker(t, opts...).CheckAll(t.Context(), []string{s.targets[site]})[0]
	stuck.Stop()
	var want []checker.Reason
	switch {
	case d.name == "blocks":
		want = []checker.Reason{"", checker.ReasonTimeout, checker.ReasonLocal, checker.ReasonDNS}
	case !acted.Load():
		want = []checker.Reason{""}
	case d.name == "does nothing":
		want = []checker.Reason{c.empty}
	case site == twoAddrs: // the other address may do
		want = []checker.Reason{"", checker.ReasonInternal}
	default:
		want = []checker.Reason{checker.ReasonInternal}
	}
	if !slices.Contains(want, r.Reason()) && want[0] != unsettled {
		t.Errorf("Check(%q) = %v, %v; want %q", r.Target, r.Status(), r, want)
	}
}

// A use is what a process holds that it may forget to give back.
type use struct{ descriptors, goroutines int }

func (u use) over(base use) bool {
	return u.descriptors > base.descriptors || u.goroutines > base.goroutines
}

// warm returns what is in use once all that is kept is there.
func warm(t *testing.T, s *sites) (base use) {
	nobody := culprit{opts: func(*sites, func()) []checker.Option { return nil }}
	for site := range s.targets {
		runDeed(t, nobody, deed{}, s, site)
	}
	for last := (use{}); base != last || base == (use{}); last, base = base, inUse(t) {
		time.Sleep(50 * time.Millisecond)
	}
	return base
}

// settle waits until no more than base is in use, and returns what is.
func settle(t *testing.T, base use) (now use) {
	for start := time.Now(); time.Since(start) < 5*time.Second; time.Sleep(time.Millisecond) {
		if now = inUse(t); !now.over(base) {
			break
		}
	}
	return now
}

func inUse(t *testing.T) use {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return use{len(fds), runtime.NumGoroutine()}
}
