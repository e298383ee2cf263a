package faults_test

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// Tests name the faults that they provoke as catalogue.md does, by a letter and a
// number. Most run in a bubble over a network in memory, where time is exact.

const (
	timeout  = 2 * time.Second
	siteAddr = faults.SiteAddr
)

func TestMain(m *testing.M) { hostile.Main(m) }

// A fault is a row of a table: how a site behaves, and what a check of it finds.
type fault struct {
	name   string
	site   hostile.Handler // at site.test, port 80
	secure hostile.Handler // the same, port 443
	opts   []checker.Option
	target string             // default "http://site.test/"
	net    func(*hostile.Net) // changes the network before the check

	reason checker.Reason // "": Online
	phase  checker.Phase
	status int           // 0: not looked at
	takes  time.Duration // exactly, in the bubble's time
	upTo   time.Duration // instead of takes, where chance plays a part
	also   func(*testing.T, *hostile.Net, checker.Result)
}

func (f fault) run(t *testing.T) {
	n := faults.Site(t, f.site, f.secure)
	if f.net != nil {
		f.net(n)
	}
	opts := faults.On(n, checker.WithTimeout(timeout), checker.WithRetries(0))
	c := faults.NewChecker(t, append(opts, f.opts...)...)
	target := f.target
	if target == "" {
		target = "http://site.test/"
	}
	start := time.Now()
	r := c.Check(t.Context(), target)
	elapsed := time.Since(start)
	f.check(t, r)
	if f.upTo == 0 && elapsed != f.takes || elapsed > max(f.takes, f.upTo) {
		t.Errorf("Check(%q) took %v; want %v", target, elapsed, max(f.takes, f.upTo))
	}
	if f.also != nil {
		f.also(t, n, r)
	}
	synctest.Wait()
	if n.Open() != 0 {
		t.Errorf("Check(%q) left %d connections open", target, n.Open())
	}
}

// check compares what a check found with what the fault is.
func (f fault) check(t *testing.T, r checker.Result) {
	t.Helper()
	if phase := r.Phase(); r.Reason() != f.reason || phase != f.phase {
		t.Errorf("Check(%q).Err = %v (%q in %q); want %q in %q", r.Target, r.Err, r.Reason(), phase, f.reason, f.phase)
	}
	faults.Hold(t, f.name, r)
	if r.Status() != f.reason.Status() && !(f.reason == "" && r.Online()) {
		t.Errorf("Check(%q).Status() = %q for %q", r.Target, r.Status(), f.reason)
	}
	if f.status != 0 && r.StatusCode != f.status {
		t.Errorf("Check(%q).StatusCode = %d; want %d", r.Target, r.StatusCode, f.status)
	}
	if r.Err != nil && len(r.Err.Error()) > 512 {
		t.Errorf("Check(%q).Err has %d bytes; want at most 512", r.Target, len(r.Err.Error()))
	}
}

func runFaults(t *testing.T, rows []fault) {
	t.Helper()
	for _, f := range rows {
		t.Run(f.name, func(t *testing.T) {
			bubble.Test(t, f.run)
		})
	}
}

// dials fails unless the network saw these connects and no others.
func dials(want ...string) func(*testing.T, *hostile.Net, checker.Result) {
	return func(t *testing.T, n *hostile.Net, r checker.Result) {
		t.Helper()
		got := n.Dials()
		same := len(got) == len(want)
		for i := range min(len(got), len(want)) {
			same = same && got[i] == want[i]
		}
		if !same {
			t.Errorf("Check(%q) connected to %v; want %v", r.Target, got, want)
		}
	}
}

// decidedBy fails unless the result is about this URL and method.
func decidedBy(method, url string) func(*testing.T, *hostile.Net, checker.Result) {
	return func(t *testing.T, _ *hostile.Net, r checker.Result) {
		t.Helper()
		if r.Method != method || r.URL != url {
			t.Errorf("Check(%q) was decided by %s %s; want %s %s", r.Target, r.Method, r.URL, method, url)
		}
	}
}

// notTen is a policy that forbids 10.0.0.0/8.
func notTen(addr netip.AddrPort) error {
	if netip.MustParsePrefix("10.0.0.0/8").Contains(addr.Addr()) {
		return errors.New("forbidden")
	}
	return nil
}
